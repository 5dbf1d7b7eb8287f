"""The page of the machines is what the tables say."""

from __future__ import annotations

import pytest

from docs.generate import DOCS, PAGES
from workflows.filing import FILING, Act, State
from workflows.render import markdown, mermaid


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_committed_page_is_the_rendered_one(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), f"{name} is out of date: python -m docs.generate"


def test_the_diagram_has_every_way_from_one_state_to_another() -> None:
    drawn = {line.strip().split(":")[0] for line in mermaid(FILING).splitlines() if ":" in line}
    expected = {
        f"{source} --> {target}"
        for row in FILING.table
        for source in row.sources
        for target in row.targets(source)
        if target is not source
    }
    assert drawn == expected


def test_every_act_and_state_is_named_in_both_languages() -> None:
    page = markdown(FILING)
    for names in (FILING.acts, FILING.states):
        assert all(text.zh in page and text.en in page for text in names.values())
    assert all(f"`{act}`" in page for act in Act)
    assert page.count("\n| `") == len(FILING.table)
    assert "WAIT_MAIN or SUBMITTED (receive, evaluate)" in page
    assert State.DRAFT in page

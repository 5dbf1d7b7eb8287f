"""Write the pages of docs/ that are rendered from the code: `python -m docs.generate`. A test compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from workflows.filing import FILING
from workflows.render import markdown
from workflows.roster import ROSTER
from workflows.rules.page import rule_book
from workflows.site import SITE

DOCS: Final = Path(__file__).parent


def lifecycle() -> str:
    return f"""# Lifecycles

Rendered from `workflows/filing.py`, `workflows/site.py` and `workflows/roster.py` by `python -m docs.generate`; change the tables, not this page.
There is one status word for a filing; `overdue`, `paused`, `possible_duplicate`, `disputed` are flags.

A disputed filing is frozen: what carries it towards approval is refused. It ends by `withdraw`, `decline`,
`refuse_consent`, `object`, `not_accept`, a recommended refusal and the senior's `refuse`, or `lapse`.

There is one correction notice per filing (R131): after a return, whoever would return it again recommends, and a senior
decides. A text consented to that was amended since needs its own consent, wherever the filing stands (R124).

## Filing

{markdown(FILING)}

## Site

{markdown(SITE)}

## Roster

An uploaded file. Its rows go their own way: those judged ok, warn or senior become filings, the others stay behind
with their reasons.

{markdown(ROSTER)}
"""


PAGES: Final[Mapping[str, Callable[[], str]]] = {"lifecycle.md": lifecycle, "rules.md": rule_book}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Write the pages of docs/ that are rendered from the code: `python -m docs.generate`. A test compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from registry.rosters.headings import HEADINGS
from registry.rosters.reading import MOST_ROWS_SHEET, MOST_ROWS_TEXT
from workflows.filing import FILING
from workflows.render import markdown
from workflows.roster import ROSTER
from workflows.rules.file import FILE_REASONS
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


def rosters() -> str:
    columns = "\n".join(
        f"| {heading.name} | {'yes' if heading.required else ''} | {'、'.join(heading.aliases)} |"
        for heading in HEADINGS
    )
    findings = "\n".join(f"| `{found.code}` | {found.text.zh} | {found.text.en} |" for found in FILE_REASONS)
    return f"""# Rosters

Rendered from `registry/rosters/headings.py` and `workflows/rules/file.py` by `python -m docs.generate`.

One file, one institution: CSV or TSV (UTF-8, UTF-16 or GB 18030, told by the bytes; at most {MOST_ROWS_TEXT:,} rows) or
XLSX (its first visible sheet; at most {MOST_ROWS_SHEET:,} rows). The headings may stand below title rows. Columns that
are not known are kept and given back. Days: 2026-11-21, 2026/11/21, 2026.11.21, 2026年11月21日, 20261121 or a
spreadsheet's own. Several scopes in one cell: 、 or a comma between them. Long numbers belong into text cells.

## Columns

| heading | required | also understood |
|---|---|---|
{columns}

A column with another name is taken by `mapping`, a JSON object of the file's heading to one of these.

## Findings of the file itself

| code | zh | en |
|---|---|---|
{findings}

All other findings are those of the [rule book](rules.md). A row's outcome is its worst: reject, return, unchanged,
senior, warn, ok. `file` files the rows ok, warn and senior; the others stay behind with their reasons.
"""


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "lifecycle.md": lifecycle,
    "rosters.md": rosters,
    "rules.md": rule_book,
}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

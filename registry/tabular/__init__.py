"""Tables that people upload: CSV, TSV and XLSX as rows of text under known headings."""

from registry.tabular.cells import plain_cell, safe_cell
from registry.tabular.dates import parse_date
from registry.tabular.errors import Unreadable
from registry.tabular.table import Heading, Row, Table, open_table

__all__ = ["Heading", "Row", "Table", "Unreadable", "open_table", "parse_date", "plain_cell", "safe_cell"]

"""The rule book: what a filing is checked against, one pure function per rule, its words beside it (docs/rules.md)."""

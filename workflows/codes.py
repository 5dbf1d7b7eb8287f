"""Code tables as the rules read them. The rows are data: seeded by a migration, edited by an operator, passed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FilingType(StrEnum):
    """Kinds of filing (codes.yaml: filing_type). 备案 and 注册 differ in law: see `LICENCES`."""

    FIRST_REG = "FIRST_REG"
    ADD_REG = "ADD_REG"
    SITE_FILE = "SITE_FILE"
    XPROV_FILE = "XPROV_FILE"
    CHANGE = "CHANGE"
    CHANGE_MAIN = "CHANGE_MAIN"
    RENEW_SITE = "RENEW_SITE"
    END_SITE = "END_SITE"
    LEAVE_NOTICE = "LEAVE_NOTICE"
    RE_REG = "RE_REG"
    CANCEL = "CANCEL"


# Administrative licences (行政许可): the statutory limits of 医师法 13 and 行政许可法 apply.
LICENCES = frozenset(
    {FilingType.FIRST_REG, FilingType.ADD_REG, FilingType.CHANGE, FilingType.CHANGE_MAIN, FilingType.RE_REG}
)


@dataclass(frozen=True)
class Code:
    """One row: `code` is stored, `key` an optional English key, `zh` and `en` are shown."""

    code: str
    zh: str
    en: str
    key: str | None = None
    attributes: Mapping[str, object] | None = None

    def label(self) -> dict[str, str]:
        return {"code": self.code, "zh": self.zh, "en": self.en}


@dataclass(frozen=True)
class CodeTables:
    """Tables by name (identity_document, practice_category, practice_scope, clinical_subject, scope_to_subject …)."""

    tables: Mapping[str, Mapping[str, Code]]

    def get(self, table: str, code: str) -> Code:
        """The row; KeyError when there is none."""
        return self.tables[table][code]

    def find(self, table: str, text: str) -> Code | None:
        """The row that `text` names by code, key or Chinese name."""
        rows = self.tables[table]
        if text in rows:
            return rows[text]
        return self._by_name(table).get(text)

    def label(self, table: str, code: str) -> dict[str, str]:
        return self.named(table, code).label()

    def named(self, table: str, code: str) -> Code:
        """The row; where an operator has since removed it, one that shows the bare code."""
        return self.tables[table].get(code) or Code(code, code, code)

    def _by_name(self, table: str) -> Mapping[str, Code]:
        cache: dict[str, dict[str, Code]] = self.__dict__.setdefault("_names", {})
        if table not in cache:
            names: dict[str, Code] = {}
            for row in self.tables[table].values():
                for name in (row.key, row.zh, *_aliases(row)):
                    if name:
                        names.setdefault(name, row)
            cache[table] = names
        return cache[table]


def _aliases(row: Code) -> tuple[str, ...]:
    found = (row.attributes or {}).get("aliases", ())
    return tuple(str(name) for name in found) if isinstance(found, (list, tuple)) else ()

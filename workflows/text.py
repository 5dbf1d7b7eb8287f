"""Words in both languages, kept together so that neither is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """Chinese is the source, English complete; `{name}` places are filled from the arguments, which may be Texts."""

    zh: str
    en: str

    def filled(self, arguments: Mapping[str, object]) -> Text:
        zh = {name: value.zh if isinstance(value, Text) else value for name, value in arguments.items()}
        en = {name: value.en if isinstance(value, Text) else value for name, value in arguments.items()}
        return Text(_fill(self.zh, zh), _fill(self.en, en))

    def both(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


class _Missing(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "—"


def _fill(template: str, arguments: Mapping[str, object]) -> str:
    return template.format_map(_Missing(arguments))

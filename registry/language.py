"""Which language the caller reads: Chinese by default, English on request (RFC 9110, 12.5.4)."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.text import Text


@dataclass(frozen=True)
class Language:
    tag: str

    def __call__(self, text: Text) -> str:
        return text.en if self.tag == "en" else text.zh


ZH, EN = Language("zh-CN"), Language("en")


def language(accept: str | None) -> Language:
    """The first of zh and en by weight in an Accept-Language header; zh-CN when neither is named."""
    best, weight = ZH, 0.0
    for part in (accept or "")[:1000].split(","):
        tag, _, rest = part.strip().partition(";")
        try:
            q = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        if primary in ("zh", "en") and q > weight:
            best, weight = (EN if primary == "en" else ZH), q
    return best

"""JSON as a register must read it: UTF-8, no duplicate keys, no NaN, bounded; and the field types that go with it."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from registry.errors import FieldError, Invalid
from workflows.text import Text

MAX_BODY = 256 * 1024
_DEPTH = 32


def _fault(code: str, zh: str, en: str) -> PydanticCustomError:
    """A validation error that carries its own words through pydantic (registry.problems.field_errors reads them)."""
    return PydanticCustomError(code, "{code}", {"text": Text(zh, en), "code": code})


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _float(_text: str) -> Any:
    raise ValueError("no field takes a fraction")


def _integer(text: str) -> int:
    if len(text) > 18:
        raise ValueError("number out of range")
    return int(text)


def strict_json(raw: bytes) -> Any:
    """The value; `Invalid` for anything that two readers could read differently or that no field can hold."""
    try:
        text = raw.decode("utf-8")
        _ensure_shallow(text)
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except (ValueError, RecursionError):
        raise Invalid(
            errors=(
                FieldError(
                    "body",
                    "json_invalid",
                    Text(
                        "不是有效的 JSON（UTF-8、无 BOM、无重复键、无小数）。",
                        "Not valid JSON (UTF-8, no BOM, no duplicate keys, no fractions).",
                    ),
                ),
            )
        ) from None


def _ensure_shallow(text: str) -> None:
    """The parser recurses; a body of brackets must not reach it. In one pass: a string that never ends matches up to its end,
    or each of its quotes would be tried as a beginning again, for minutes, while nobody else is served.
    """
    depth = 0
    for bracket in re.finditer(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', text, re.DOTALL):
        mark = bracket.group()
        depth += (mark in "[{") - (mark in "]}")
        if depth > _DEPTH:
            raise ValueError("nested too deeply")


class StrictRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = strict_json(await self.body())
        return self._json


def _plain(text: str) -> str:
    """No control characters, no half characters, no private use: what cannot be shown or stored is refused, not repaired."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") and character not in "\n\r\t":
            raise _fault(
                "character",
                "含有无法识别或不可显示的字符，请删除后重填。",
                "Holds a character that cannot be shown; remove it.",
            )
    return text


def _blankless(text: str) -> str:
    if not text.strip():
        raise _fault("blank", "不能为空，请填写。", "Must not be blank.")
    return text


def _line(text: str) -> str:
    if any(c in text for c in "\n\r\t"):
        raise _fault("character", "不能换行，请写在一行内。", "Must be one line.")
    return text


def _day(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = None
        if found and 1900 <= found.year <= 2199:
            return found
    raise _fault("date", "日期应为 YYYY-MM-DD，且实际存在。", "Give a real date as YYYY-MM-DD.")


Line = Annotated[
    str, StringConstraints(max_length=200), AfterValidator(_plain), AfterValidator(_line), AfterValidator(_blankless)
]
Name = Annotated[
    str, StringConstraints(max_length=100), AfterValidator(_plain), AfterValidator(_line), AfterValidator(_blankless)
]
Number = Annotated[
    str, StringConstraints(max_length=64), AfterValidator(_plain), AfterValidator(_line)
]  # may be empty: a rule says so
Prose = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_plain)]
Day = Annotated[date, BeforeValidator(_day)]


class In(BaseModel):
    """Base of every request body: unknown fields refused, nothing coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)

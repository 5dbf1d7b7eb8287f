"""What may be asked about a physician, read strictly: the one reader of `GET` and `POST /api/v1/verify`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from registry.errors import FieldError, Invalid
from registry.time import day_in_china
from workflows.codes import CodeTables
from workflows.names import check_name, name_key
from workflows.text import Text

FIELDS = ("practising_code", "name", "institution", "scope", "on", "as_known_on")
LONGEST = 100  # characters of any field; the longest legal one is a name

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_FIELD = re.compile(r"[a-z_]{1,40}")
_CODE = re.compile(r"[0-9A-Z]{1,32}")
_DAY = re.compile(r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
# GB 11643: seventeen digits and a check character, wherever it stands in the value.
_IDENTITY = re.compile(r"(?<![0-9A-Z])[0-9]{17}[0-9X](?![0-9A-Z])")

_UNKNOWN = Text(
    "没有这个参数；可用：practising_code、name、institution、scope、on、as_known_on。",
    "There is no such parameter; use practising_code, name, institution, scope, on, as_known_on.",
)
_TEXT = Text("应为文本。", "Must be text.")
_EMPTY = Text("此项为空，请填写或删除。", "It is empty; fill it in or leave it out.")
_LONG = Text("内容过长，最多 100 个字符。", "Too long: at most 100 characters.")
_CHARACTERS = Text("含有不允许的字符，请重新输入。", "It holds characters that are not allowed; type it again.")
_IDENTITY_TEXT = Text("此处不得填写身份证件号码，请删除。", "An identity number is not allowed here; remove it.")
_MISSING = Text("请填写医师执业证书编码。", "Give the practising certificate code.")
_ALONE = Text(
    "除执业证书编码外，还须填写姓名或机构登记号。", "Besides the practising code, give the name or the institution."
)
_CODE_TEXT = Text("应为数字和字母，最多 32 位。", "Give digits and letters, at most 32.")
_SCOPE = Text(
    "没有这个执业范围，请用代码或规范名称。", "There is no such scope of practice; use its code or its standard name."
)
_DAY_TEXT = Text("日期应为 YYYY-MM-DD。", "Give a date as YYYY-MM-DD.")
_INSTANT_TEXT = Text(
    "时间应为 RFC 3339 并带时区，例如 2026-11-21T09:00:00Z；网址中的 + 写作 %2B。",
    "Give a time as RFC 3339 with its offset, such as 2026-11-21T09:00:00Z; write + as %2B in a URL.",
)
_FUTURE = Text("不得晚于现在。", "It must not lie in the future.")


@dataclass(frozen=True, slots=True)
class Question:
    """One question, normalised. `as_known_on` is None when the present knowledge is asked for."""

    practising_code: str
    name_key: str | None
    institution: str | None  # registration number
    scope: str | None  # code of practice_scope
    on: date
    as_known_on: datetime | None

    def stated(self) -> dict[str, object]:
        """As a receipt repeats it: without the name, which would make every receipt a record of a person."""
        said: dict[str, object] = {"practising_code": self.practising_code}
        if self.name_key is not None:
            said["name_given"] = True
        if self.institution is not None:
            said["institution"] = self.institution
        if self.scope is not None:
            said["scope"] = self.scope
        said["on"] = self.on.isoformat()
        if self.as_known_on is not None:
            said["as_known_on"] = rfc3339(self.as_known_on)
        return said


def ask(fields: Mapping[str, object], codes: CodeTables, now: datetime) -> Question:
    """The question that these fields put. Raises `Invalid` naming every field that is wrong.

    A null is a field left out; an empty one is refused, or a form that forgot the name would quietly ask without it.
    """
    wrong: list[FieldError] = []
    given: dict[str, str] = {}
    for field, value in fields.items():
        if field not in FIELDS:
            # Its name may be anything that somebody typed, so only a plain one is repeated.
            wrong.append(FieldError(field if _FIELD.fullmatch(field) else "?", "unknown_field", _UNKNOWN))
        elif value is not None:
            fault = _fault(value)
            if fault:
                wrong.append(FieldError(field, *fault))
            else:
                given[field] = str(value)
    faulty = {error.field for error in wrong}

    code = _read_code("practising_code", given, wrong)
    if code is None and "practising_code" not in faulty | {e.field for e in wrong}:
        wrong.append(FieldError("practising_code", "missing", _MISSING))
    institution = _read_code("institution", given, wrong)
    name = _read_name(given, wrong)
    if not {"name", "institution"} & (given.keys() | faulty):
        wrong.append(FieldError("name", "missing", _ALONE))
    scope = _read_scope(given, codes, wrong)
    on = _read_day(given, now, wrong)
    as_known_on = _read_instant(given, now, wrong)
    if wrong or code is None:
        raise Invalid(errors=tuple(wrong))
    return Question(code, name, institution, scope, on, as_known_on)


def rfc3339(instant: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond where there is one."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def is_identity_number(text: str) -> bool:
    """Whether an identity number stands in the text, however it is spaced."""
    plain = _plain(text)
    return len(plain) >= 18 and _IDENTITY.search(plain) is not None


def has_control(text: str) -> bool:
    """Whether the text holds a control character or half a surrogate pair, which no field of ours may."""
    return _CONTROL.search(text) is not None


def _plain(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text.upper()
    return "".join(unicodedata.normalize("NFKC", text).upper().replace("-", "").split())


def _fault(value: object) -> tuple[str, Text] | None:
    if not isinstance(value, str):
        return "type", _TEXT
    if len(value) > LONGEST:
        return "too_long", _LONG
    if has_control(value):
        return "characters", _CHARACTERS
    if not value.strip():
        return "empty", _EMPTY
    if is_identity_number(value):
        return "identity_number", _IDENTITY_TEXT
    return None


def _read_code(field: str, given: Mapping[str, str], wrong: list[FieldError]) -> str | None:
    value = given.get(field)
    if value is None:
        return None
    plain = _plain(value)
    if _CODE.fullmatch(plain):
        return plain
    wrong.append(FieldError(field, "format", _CODE_TEXT))
    return None


def _read_name(given: Mapping[str, str], wrong: list[FieldError]) -> str | None:
    value = given.get("name")
    if value is None:
        return None
    if fault := check_name(value):
        wrong.append(FieldError("name", "characters", fault))
    return name_key(value)


def _read_scope(given: Mapping[str, str], codes: CodeTables, wrong: list[FieldError]) -> str | None:
    value = given.get("scope")
    if value is None:
        return None
    row = codes.find("practice_scope", value.strip())
    if row is None:
        wrong.append(FieldError("scope", "unknown_code", _SCOPE))
        return None
    return row.code


def _read_day(given: Mapping[str, str], now: datetime, wrong: list[FieldError]) -> date:
    value = given.get("on")
    today = day_in_china(now)
    if value is None:
        return today
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    wrong.append(FieldError("on", "date", _DAY_TEXT))
    return today


def _read_instant(given: Mapping[str, str], now: datetime, wrong: list[FieldError]) -> datetime | None:
    value = given.get("as_known_on")
    if value is None:
        return None
    try:
        if _INSTANT.fullmatch(value):
            instant = datetime.fromisoformat(value.upper()).astimezone(UTC)
            if instant <= now:
                return instant
            wrong.append(FieldError("as_known_on", "future", _FUTURE))
            return None
    except (ValueError, OverflowError):
        pass
    wrong.append(FieldError("as_known_on", "instant", _INSTANT_TEXT))
    return None

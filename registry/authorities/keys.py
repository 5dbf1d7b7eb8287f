"""The settings an authority can have, and which values each takes. Pure."""

from __future__ import annotations

import re

from registry.errors import FieldError, Invalid
from workflows.text import Text

# key → what its value must look like, and the same in words
KEYS: dict[str, tuple[re.Pattern[str], Text]] = {
    "cross_province_mode": (re.compile(r"ADD_REG|LOCAL_FILE"), Text("ADD_REG 或 LOCAL_FILE", "ADD_REG or LOCAL_FILE")),
    "attested_consent": (re.compile(r"on|off"), Text("on 或 off", "on or off")),
    "max_sites": (re.compile(r"[1-9]\d?"), Text("1 至 99", "1 to 99")),
    "max_term": (re.compile(r"[1-9]\d{0,4}"), Text("天数，1 至 99999", "days, 1 to 99999")),
    "max_age": (re.compile(r"[1-9]\d{1,2}"), Text("周岁，10 至 999", "years of age, 10 to 999")),
    "register_max_age_days": (re.compile(r"[1-9]\d{0,3}"), Text("天数，1 至 9999", "days, 1 to 9999")),
    "decision_days": (re.compile(r"[1-9]\d{0,2}"), Text("工作日数，1 至 999", "working days, 1 to 999")),
}
_RULE = re.compile(r"rule\.R\d{3}")
_RULE_VALUE = (
    re.compile(r"on|off|warn|return|reject|senior"),
    Text("on、off、warn、return、reject 或 senior", "on, off, warn, return, reject or senior"),
)


def ensure_valid(key: str, value: str, basis: str) -> None:
    """Raises `Invalid` for an unknown key, a value it does not take, or a missing basis."""
    shape, words = _RULE_VALUE if _RULE.fullmatch(key) else KEYS.get(key, (None, None))
    if shape is None or words is None:
        known = ", ".join([*KEYS, "rule.RNNN"])
        raise Invalid(
            errors=(
                FieldError(
                    key, "unknown", Text(f"没有此设置，可用：{known}。", f"no such setting; there are: {known}")
                ),
            )
        )
    if not shape.fullmatch(value):
        raise Invalid(errors=(FieldError(key, "value", Text(f"可取值：{words.zh}。", f"it takes {words.en}")),))
    if not basis.strip():
        raise Invalid(
            errors=(
                FieldError(
                    "basis", "required", Text("须写明依据。", "the basis (--basis) must be given and not blank")
                ),
            )
        )

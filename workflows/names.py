"""Names as people write them, and the one key under which two spellings of a name are the same.

A name is stored as typed; uniqueness, matching and search use the key. What Unicode's own folding leaves apart (invisible
characters, the radicals block, five kinds of middle dot) is folded here. Every ideograph of GB 18030-2022, with extensions
A to I, is legal in a name, so nothing is refused for being rare.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from workflows.text import Text

LONGEST = 100  # characters; the longest names of passports stay well below

_MIDDLE_DOT = "·"  # U+00B7, the one of GB 13000
_DOTS = "・•‧.∙⋅⸱●"
# Radicals that look like a whole character and that NFKC leaves alone (Unicode: Equivalent_Unified_Ideograph).
_RADICALS = "⺎⺒⺓⺝⺠⺩⺫⺬⺯⺶⺹⺼⻁⻃⻄⻅⻆⻉⻋⻏⻐⻑⻓⻔⻖⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲"
_IDEOGRAPHS = "兀巳幺月民王目示糹羊耂肉虎覀西见角贝车邑钅長长门阝雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀"
_FOLDED = str.maketrans(_DOTS + _RADICALS, _MIDDLE_DOT * len(_DOTS) + _IDEOGRAPHS)

_EVERYDAY = re.compile("[\u4e00-\u9fff]+(?:·[\u4e00-\u9fff]+)*")  # fixed under all that follows
# Marks and letters without a picture: grapheme joiner, Hangul fillers, variation selectors, the empty braille cell.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u180b-\u180d\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_IDEOGRAPHIC_PLANES = (0x20000, 0x3FFFF)
_NOT_ALONE = f" {_MIDDLE_DOT}-'"
_BLANKS = " \t\r\n\u00a0\u3000"


def name_key(name: str) -> str:
    """The key under which spellings of one name are equal. Idempotent: the key of a key is itself."""
    if _EVERYDAY.fullmatch(name):
        return name
    key = _fold(name)
    while (again := _fold(key)) != key:  # dropping a character may let its neighbours compose
        key = again
    return key


def check_name(name: str) -> Text | None:
    """Why this cannot be anybody's name, or None."""
    text = name.strip(_BLANKS)
    for position, character in enumerate(text, 1):
        if reason := _refused(character):
            return reason.filled({"n": position, "code": f"U+{ord(character):04X}"})
    if len(text) > LONGEST:
        return _TOO_LONG.filled({"max": LONGEST})
    return None if name_key(text).strip(_NOT_ALONE) else _EMPTY


def parts(key: str) -> list[str]:
    """Each character and each pair of neighbours of a key, for an index that finds any part of a name."""
    return sorted({*key, *map("".join, pairwise(key))})


def query_parts(query: str) -> list[str]:
    """What `parts` of every name with this part must contain; empty for an empty query.

    Necessary, not sufficient: ask `name_parts @> query_parts` and then `position(name_key(query) in name_key) > 0`.
    """
    key = name_key(query)
    return sorted(set(map("".join, pairwise(key)))) if len(key) > 1 else list(key)


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    if not folded.isascii():
        folded = _INVISIBLE.sub("", "".join(c for c in folded if unicodedata.category(c) != "Cf"))
    return unicodedata.normalize("NFKC", _without_blanks(folded.translate(_FOLDED)))


def _without_blanks(text: str) -> str:
    """Blanks hold Latin words apart; between ideographs they only align columns (张　三)."""
    joined = ""
    for word in text.split():
        joined += f" {word}" if joined and _latin(joined[-1]) and _latin(word[0]) else word
    return joined


def _latin(character: str) -> bool:
    return character < "\u0250" and character.isalnum()


def _refused(character: str) -> Text | None:
    category = unicodedata.category(character)
    if category in ("Cc", "Cs") or character == "\ufffd":
        return _CONTROL
    if category == "Co":
        return _PRIVATE
    # An older Unicode table does not know the newest ideographs; unassigned elsewhere is damage.
    if category == "Cn" and not _IDEOGRAPHIC_PLANES[0] <= ord(character) <= _IDEOGRAPHIC_PLANES[1]:
        return _CONTROL
    return None


_CONTROL = Text(
    "姓名第{n}个字符（{code}）不是文字，请删除或重新输入。",
    "Character {n} of the name ({code}) is not a letter; delete it or type it again.",
)
_PRIVATE = Text(
    "姓名第{n}个字符（{code}）是自造字，其他系统无法识别，请改用 GB 18030-2022 的正式编码。",
    "Character {n} of the name ({code}) is privately encoded, unreadable elsewhere; use its code of GB 18030-2022.",
)
_TOO_LONG = Text("姓名不得超过{max}个字符。", "A name has at most {max} characters.")
_EMPTY = Text("请填写姓名。", "Give the name.")

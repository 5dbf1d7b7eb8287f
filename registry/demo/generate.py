"""Synthetic institutions and physicians, the same for the same seed. No row describes a real person.

Names of institutions follow public patterns; every code is made up and passes its check. Records are keyed by the
headings of the imports, so that they go the way a real extract goes.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from workflows.codes import CodeTables
from workflows.numbers import is_organisation_code, is_uscc, mod_11_2

Record = dict[str, str]

INSTITUTION = (
    "机构名称", "统一社会信用代码", "登记号", "行政区划", "省份", "机构类别", "经营性质", "是否互联网医院", "诊疗科目",
    "许可证有效期止", "状态", "发证机关",
)  # fmt: skip
REGISTER = (
    "姓名", "证件类型", "证件号码", "性别", "出生日期", "资格证书编码", "执业证书编码", "医师级别", "执业类别", "执业范围",
    "职称", "首次注册日期", "注册日期", "主要执业机构", "主要执业机构登记号", "省份", "状态", "状态起", "状态止",
    "最近考核结果", "最近考核日期",
)  # fmt: skip

_SUBJECTS = (
    "内科", "外科", "妇产科", "儿科", "眼科", "耳鼻咽喉科", "口腔科", "皮肤科", "精神科", "全科医疗科", "康复医学科", "中医科",
    "中西医结合科", "急诊医学科",
)  # fmt: skip
# Category: digits of the practising code, how many of a hundred physicians, scopes.
_CATEGORIES: Mapping[str, tuple[str, int, tuple[str, ...]]] = {
    "临床": ("10", 80, ("内科专业", "外科专业", "妇产科专业", "儿科专业", "全科医学专业", "康复医学专业")),
    "口腔": ("20", 8, ("口腔专业",)),
    "中医": ("41", 12, ("中医专业", "中西医结合专业")),
}
_TITLES = ("主任医师", "副主任医师", "主治医师", "住院医师")
_SURNAMES = (
    *"王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪",
    "欧阳", "司马", "诸葛", "上官", "符", "王",
)  # fmt: skip
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英思远文博雨桐子轩浩然欣怡梓涵宇航佳琪俊熙晨曦志建国海燕晓东雪"
# Long names with a middle dot, and characters of GB 18030's extensions: as legal as any other.
_UNUSUAL = (
    "阿依古丽·买买提", "古丽娜尔·艾合买提", "买买提江·吐尔逊", "扎西次仁", "卓玛央金", "乌兰图雅", "陈𠮷祥", "李㛃", "刘䶮",
    "朱镕㻅",
)  # fmt: skip


def institutions(codes: CodeTables, *, seed: int = 1, province: str = "46") -> list[Record]:
    """Two hospitals in each province, some more in the divisions of `province`, and two internet hospitals there.

    The last two are the internet hospitals; the first of them is not licensed for psychiatry and dermatology.
    """
    rng = random.Random(seed)  # noqa: S311  (a sample, not a secret)
    provinces = {code: row.zh for code, row in codes.tables["province"].items() if int(code) < 66}

    def hospital(name: str, division: str, category: str, subjects: Sequence[str], *, internet: bool = False) -> Record:
        organisation = _organisation(rng)
        body = f"12{division}{organisation}"
        return dict(
            zip(
                INSTITUTION,
                (
                    name,
                    body + next(c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_uscc(body + c)),
                    f"{organisation}{division}11{category}1",
                    division,
                    provinces[division[:2]],
                    category,
                    "非营利性",
                    "是" if internet else "否",
                    "、".join(subjects),
                    "2031-12-31",
                    "有效",
                    f"{provinces[division[:2]]}卫生健康委员会",
                ),
                strict=True,
            )
        )

    made: list[Record] = []
    for code, name in provinces.items():
        made.append(hospital(f"{name}人民医院", f"{code}0100", "A100", _SUBJECTS))
        made.append(hospital(f"{name}中医医院", f"{code}0100", "A210", _SUBJECTS))
    for code, row in codes.tables["division"].items():
        if code[:2] == province and not code.endswith("00"):
            made.append(hospital(f"{row.zh}人民医院", code, "A100", _SUBJECTS))
    some = [subject for subject in _SUBJECTS if subject not in ("精神科", "皮肤科")]
    made.append(hospital("示范互联网医院（无精神科、皮肤科）", f"{province}9023", "A100", some, internet=True))
    made.append(hospital("示范互联网医院（全科目）", f"{province}9023", "A100", _SUBJECTS, internet=True))
    return made


def register(
    hospitals: Sequence[Record], count: int, today: date, *, seed: int = 1, assistants: float = 0.05
) -> Iterator[Record]:
    """`count` physicians with one registration each at one of `hospitals`, all active, experienced and assessed."""
    rng = random.Random(seed)  # noqa: S311
    counties = {hospital["登记号"]: hospital["行政区划"] for hospital in hospitals}
    born: Counter[tuple[str, date, bool]] = Counter()
    weights = [share for _, share, _ in _CATEGORIES.values()]
    for serial in range(1, count + 1):
        hospital = rng.choice(hospitals)
        county, female = counties[hospital["登记号"]], rng.random() < 0.5
        birth = date(rng.randint(1958, 1992), rng.randint(1, 12), rng.randint(1, 28))
        born[county, birth, female] += 1
        sequence = (born[county, birth, female] * 2 - (not female)) % 1000
        first17 = f"{county}{birth:%Y%m%d}{sequence:03d}"
        number = first17 + mod_11_2(first17)
        level = "2" if rng.random() < assistants else "1"
        category = rng.choices(list(_CATEGORIES), weights)[0]
        digits, _, scopes = _CATEGORIES[category]
        begun = date(rng.randint(max(birth.year + 24, 1999), today.year - 5), rng.randint(1, 12), rng.randint(1, 28))
        yield dict(
            zip(
                REGISTER,
                (
                    _name(rng),
                    "居民身份证",
                    number,
                    "女" if female else "男",
                    birth.isoformat(),
                    f"{begun.year - 1}{county[:2]}{level}{digits}{number}",
                    f"{level}{digits}{county}{serial:06d}",
                    "执业医师" if level == "1" else "执业助理医师",
                    category,
                    rng.choice(scopes),
                    rng.choice(_TITLES),
                    begun.isoformat(),
                    begun.isoformat(),
                    hospital["机构名称"],
                    hospital["登记号"],
                    hospital["省份"],
                    "有效",
                    "",
                    "",
                    "合格",
                    (today - timedelta(days=150)).isoformat(),
                ),
                strict=True,
            )
        )


def write_csv(
    path: Path, headings: Sequence[str], records: Iterable[Mapping[str, str]], *, encoding: str = "utf-8"
) -> Path:
    """The records as an extract, the headings first."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, headings)
        writer.writeheader()
        writer.writerows(records)
    return path


def _organisation(rng: random.Random) -> str:
    body = "".join(rng.choice("0123456789") for _ in range(8))
    return body + next(c for c in "0123456789X" if is_organisation_code(body + c))


def _name(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return rng.choice(_UNUSUAL)
    surname: str = rng.choice(_SURNAMES)
    return surname + "".join(rng.choice(_GIVEN) for _ in range(rng.choice((1, 2, 2, 2))))

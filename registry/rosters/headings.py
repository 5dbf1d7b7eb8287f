"""The columns of a roster: our name for each, and what hospitals, the national system and English forms call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from registry.tabular import Heading

NAME = "姓名"
ID_TYPE = "证件类型"
ID_NUMBER = "证件号码"
PHONE = "手机号"
QUALIFICATION = "医师资格证书编码"
PRACTISING = "医师执业证书编码"
LEVEL = "医师级别"
CATEGORY = "执业类别"
SCOPES = "执业范围"
INSTITUTION = "拟备案机构登记号"
VALID_FROM = "备案开始日期"
VALID_TO = "备案结束日期"
ACTIVITY = "活动类型"
REASON = "申报理由"

HEADINGS = (
    Heading(NAME, aliases=("医师姓名", "医生姓名", "Name", "Physician")),
    Heading(ID_TYPE, required=False, aliases=("身份证件类型", "证件类别", "ID type")),
    Heading(
        ID_NUMBER,
        aliases=("身份证号", "身份证号码", "身份证件号码", "证件号", "公民身份号码", "ID number"),
        digits=True,
    ),
    Heading(PHONE, required=False, aliases=("手机号码", "手机", "联系电话", "电话", "移动电话", "Phone", "Mobile")),
    Heading(
        QUALIFICATION,
        aliases=(
            "资格证书编码",
            "资格证书编号",
            "医师资格证书编号",
            "资格证书号",
            "医师资格证号",
            "Qualification code",
        ),
        digits=True,
    ),
    Heading(
        PRACTISING,
        aliases=("执业证书编码", "执业证书编号", "医师执业证书编号", "执业证书号", "医师执业证号", "Practising code"),
        digits=True,
    ),
    Heading(LEVEL, required=False, aliases=("级别", "执业级别", "Level")),
    Heading(CATEGORY, aliases=("医师类别", "类别", "Category")),
    Heading(SCOPES, aliases=("范围", "执业专业", "Scope", "Scopes")),
    Heading(
        INSTITUTION,
        required=False,
        aliases=("拟执业机构登记号", "备案机构登记号", "登记号", "Institution", "Registration number"),
        digits=True,
    ),
    Heading(
        VALID_FROM,
        aliases=(
            "有效期开始时间",
            "有效期开始日期",
            "开始日期",
            "起始日期",
            "备案起始日期",
            "备案开始时间",
            "Valid from",
            "Start",
        ),
    ),
    Heading(
        VALID_TO,
        aliases=(
            "有效期结束时间",
            "有效期结束日期",
            "结束日期",
            "终止日期",
            "备案终止日期",
            "备案结束时间",
            "Valid to",
            "End",
        ),
    ),
    Heading(ACTIVITY, required=False, aliases=("活动", "Activity")),
    Heading(REASON, required=False, aliases=("理由", "申请理由", "Reason")),
)


def headings_with(mapping: Mapping[str, str]) -> tuple[Heading, ...]:
    """What to look for where the uploader has said which column is which: column of the file → heading of ours."""
    columns = {ours: column for column, ours in mapping.items()}
    said_last = sorted(HEADINGS, key=lambda heading: heading.name in columns)  # it outweighs the names we know
    return tuple(
        replace(heading, aliases=(*heading.aliases, columns[heading.name])) if heading.name in columns else heading
        for heading in said_last
    )

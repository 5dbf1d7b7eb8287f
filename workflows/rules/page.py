"""The public rule book as a page: every rule with its words, its legal basis and whether it is built."""

from __future__ import annotations

from collections import Counter
from typing import Final

from workflows.rules.book import BOOK, Book
from workflows.rules.rule import Outcome, Rule, Stage, Status
from workflows.text import Text

STAGES: Final = {
    Stage.JUDGE: Text(
        "由申报数据、国家注册信息和机构信息判断", "decided from the row, the register and the institution"
    ),
    Stage.SUBMIT: Text("同意、材料与外部来源", "consent, papers and outside sources"),
    Stage.REVIEW: Text("办理程序与人员", "process, routing and people"),
    Stage.DUTY: Text("批准之后", "after approval"),
    Stage.ONBOARD: Text("机构入驻", "when an institution joins"),
    Stage.PLATFORM: Text("平台自身", "the platform itself"),
}
OUTCOMES: Final = {
    Outcome.REJECT: Text("不予（由人员决定）", "reject (an officer decides)"),
    Outcome.RETURN: Text("退回补正", "return for correction"),
    Outcome.SENIOR: Text("转人工复核", "senior review"),
    Outcome.WARN: Text("提示", "warning"),
}
STATUSES: Final = {
    Status.BUILT: Text("已实现", "built"),
    Status.SOURCE_NOT_CONNECTED: Text("来源未接入", "source not connected"),
    Status.NOT_BUILT: Text("未实现", "not built"),
}
_CONFIDENCE: Final = """- A: 依据原文已核对 · the legal or standard basis was read, or the check was run
- B: 部分核对 · part-sourced
- C: 机关政策或尚未确定 · policy of the authority, or unsettled"""


def rule_book(book: Book = BOOK) -> str:
    """The page in Markdown, grouped by stage, Chinese before English."""
    counts = Counter(rule.status for rule in book)
    summary = "\n".join(f"- {text.zh} · {text.en}: {counts[status]}" for status, text in STATUSES.items())
    return (
        "\n\n".join((_HEAD.format(rules=len(book)), summary, _CONFIDENCE, *(_stage(book, stage) for stage in Stage)))
        + "\n"
    )


def _stage(book: Book, stage: Stage) -> str:
    title = STAGES[stage]
    head = f"## {stage}: {title.zh} · {title.en}\n\n| 规则 rule | 结果 outcome | 说明 message | 检查 check | 依据 basis | 状态 status |\n|---|---|---|---|---|---|"
    return "\n".join((head, *map(_line, book.of(stage))))


def _line(rule: Rule) -> str:
    outcome, status = OUTCOMES[rule.outcome], STATUSES[rule.status]
    off = "" if rule.default else "<br>默认关闭 off by default"
    cells = (
        rule.id,
        f"{outcome.zh}<br>{outcome.en}",
        f"{rule.text.zh}<br>{rule.text.en}",
        f"{rule.when}:<br>{rule.what}",
        f"{rule.basis} ({rule.confidence})",
        f"{status.zh}<br>{status.en}{off}",
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    """Angle brackets are comparisons here, a bar is `or`; the line breaks are ours."""
    lines = (
        line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
        for line in text.split("<br>")
    )
    return "<br>".join(lines)


_HEAD: Final = """# 规则手册 Rule book

本页由 `workflows/rules/` 生成（`python -m docs.generate`），请勿直接修改。共{rules}条规则。
Rendered from `workflows/rules/` by `python -m docs.generate`; change the rules, not this page. {rules} rules.

规则只提出意见，由人员作出决定（个人信息保护法 24）。取最严重的结果：reject > return > unchanged > senior > warn > ok。
A rule proposes, an officer decides. The worst outcome wins: reject > return > unchanged > senior > warn > ok.

查询国家注册信息的规则在 R022 通过后才有结论；来源未接入的规则显示为“未核验”，不影响结果；来源已接入但未答复的，转人工复核。
Rules over the national register are silent until R022 passes. A rule whose source is not connected is shown as not
evaluated, without weight; a connected source that is silent gives senior review, never a pass."""

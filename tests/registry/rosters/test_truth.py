"""Every row of a generated roster gets the outcome that is true of it, whatever the file's form."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from registry.cli import main
from registry.demo import generate, rosters
from tests.registry.rosters.conftest import HOSPITALS, NOW, ROWS, TARGET, Desk
from workflows.rules.rule import SEVERITY, Outcome


def write(desk: Desk, form: str) -> Path:
    if form == "xlsx":
        return rosters.write_xlsx(desk.folder / "roster.xlsx", desk.made.roster)
    return desk.csv(desk.made.roster, encoding=form)


@pytest.mark.parametrize("form", ["utf-8-sig", "utf-16", "gb18030", "xlsx"])
def test_outcomes_and_rules_are_those_of_the_truth(intake: Desk, form: str) -> None:
    roster = intake.judged(write(intake, form))
    verdicts = intake.verdicts(roster)
    wrong = [
        (truth, outcome, rules)
        for truth, (row, outcome, rules) in zip(intake.made.truth, verdicts, strict=True)
        if (truth.row, truth.outcome) != (row, outcome) or (truth.rule and truth.rule not in rules)
    ]
    assert wrong == []
    counts = intake.counts(roster).outcomes
    assert sum(counts.values()) == ROWS
    assert min(counts[name] for name in ("ok", "return", "reject", "senior")) > 0


def test_a_generated_roster_has_every_fault_and_is_the_same_for_the_same_seed() -> None:
    def made(seed: int) -> rosters.Made:
        return rosters.roster(HOSPITALS[:-2], TARGET, 600, NOW.date(), seed=seed, errors=0.5)

    assert made(1) == made(1) != made(2)
    assert {truth.note for truth in made(1).truth} >= {fault.note for fault in rosters.FAULTS}
    assert all(SEVERITY[Outcome(fault.outcome)] < SEVERITY[Outcome.OK] for fault in rosters.FAULTS)


class TestCheckCommand:
    @pytest.fixture
    def command(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
        for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
            monkeypatch.delenv(name)
        settings = desk.node.settings
        for name, value in {
            "ENV": "demo",
            "DATABASE_URL": desk.node.database.app_url,
            "KEY_DIR": str(settings.keys),
        }.items():
            monkeypatch.setenv(f"REGISTRY_{name}", value)
        monkeypatch.setenv("LANG", "C.UTF-8")
        monkeypatch.delenv("LC_ALL", raising=False)
        monkeypatch.chdir(desk.folder)
        return desk

    def check(self, desk: Desk, file: Path, *more: str) -> int:
        return main(["roster", "check", str(file), "--institution", desk.institution, "--on", f"{NOW:%Y-%m-%d}", *more])

    @pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
    def test_it_says_what_an_upload_would_say_and_writes_nothing(
        self, command: Desk, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = rosters.write_xlsx(command.folder / "roster.xlsx", command.made.roster[:700])
        assert self.check(command, file, "--out", name, "--json") == 1
        told = json.loads(capsys.readouterr().out)
        truth = command.made.truth[:700]
        assert told["rows"] == 700
        assert told["counts"]["return"] == sum(t.outcome == "return" for t in truth)
        assert told["rules"]["R080"]["rows"] == sum(t.rule == "R080" for t in truth)
        assert (command.folder / name).stat().st_size > 10_000
        assert command.read("select count(*) from roster") == [(0,)]

    def test_every_row_of_its_report_is_as_the_truth_has_it(self, command: Desk) -> None:
        self.check(command, command.csv(command.made.roster), "--out", "report.csv")
        with (command.folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [
            (row["序号"], row["结论 outcome"], not t.rule or t.rule in row["规则 rules"].split())
            for row, t in zip(rows, command.made.truth, strict=True)
        ] == [(str(t.row), t.outcome, True) for t in command.made.truth]

    def test_a_roster_without_fault_ends_with_0(self, command: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        good = [r for r, t in zip(command.made.roster, command.made.truth, strict=True) if t.outcome == "ok"]
        assert self.check(command, command.csv(good[:50])) == 0
        assert capsys.readouterr().out.startswith("rows 50: ok 50")

    def test_what_cannot_be_checked_is_one_line(self, command: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        file = generate.write_csv(command.folder / "other.csv", ["a"], [{"a": "1"}])
        assert self.check(command, file) == 1
        assert self.check(command, file, "--out", "report.pdf") == 2
        assert self.check(command, command.folder / "absent.csv") == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 3
        assert all(line.startswith("registry: ") for line in lines)

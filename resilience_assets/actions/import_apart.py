"""Import a file in a child process with limits on memory and time.

Belongs here: starting the child, its limits, reading its report, moving a dropped file to done/ or
refused/ with the report beside it. Does not belong here: the import itself (import_roster.py).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY_BYTES = 4 * 1024**3
"""Address space of the child: room for the largest roster that is imported (2 million cells) twice over."""
SECONDS = 900
DONE, REFUSED = "done", "refused"


@dataclass(frozen=True)
class ApartReport:
    """What the child said: its report as plain data, and whether the source was refused."""

    refused: bool
    report: dict[str, Any]

    @property
    def sentence(self) -> str:
        """One line for a log: outcome and the first reason."""
        reasons = [f"{finding['rule']}: {finding['reason']}" for finding in self.report.get("findings", [])]
        return self.report.get("outcome", "refused") + (f" ({reasons[0]})" if self.refused and reasons else "")


def import_apart(path: Path, *, program: str | None, by: str, options: list[str], environment: dict[str, str]) -> ApartReport:
    """Run `resilience import PATH --json` in a child; a child that dies or overruns counts as a refusal.

    `options` are further arguments of the command; `environment` is the child's whole environment.
    """
    command = [sys.executable, "-m", "resilience_assets.cli", "import", str(path), "--json", "--by", by, *options]
    if program:
        command += ["--program", program]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, env=environment, preexec_fn=_limit, check=False
        )
    except subprocess.TimeoutExpired:
        return _failed(path, "too_slow", f"reading it took more than {SECONDS} seconds; split the file")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        reason = "reading it took more memory than allowed; split the file" if "MemoryError" in done.stderr else done.stderr.strip()[-500:]
        return _failed(path, "reader_died", reason or f"the reader ended with code {done.returncode}")
    return ApartReport(done.returncode != 0, report)


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _failed(path: Path, rule: str, reason: str) -> ApartReport:
    finding = {"severity": "error", "rule": rule, "file": path.name, "row": None, "column": "", "value": "", "reason": reason}
    return ApartReport(True, {"source": path.name, "outcome": "refused", "findings": [finding]})


def put_away(path: Path, outcome: ApartReport, stamp: str) -> Path:
    """Move a dropped file beside its report into done/ or refused/; `stamp` keeps names apart. Returns where it went."""
    folder = path.parent / (REFUSED if outcome.refused else DONE)
    folder.mkdir(exist_ok=True)
    target = folder / f"{stamp}-{path.name}"
    coloured = path.with_name(path.stem + ".refused.xlsx")
    target.with_name(target.name + ".report.json").write_text(json.dumps(outcome.report, indent=2) + "\n", encoding="utf-8")
    shutil.move(path, target)
    if coloured.exists():
        shutil.move(coloured, folder / f"{stamp}-{coloured.name}")
    return target

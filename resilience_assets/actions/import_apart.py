"""Import a file in a child process with limits on memory and time.

Belongs here: starting the child, its limits, reading its report, moving a dropped file to done/ or
refused/ with the report beside it. Does not belong here: the import itself (import_roster.py).
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resilience_assets.domain.findings import Severity

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
        """One line for a log: outcome and the first reason. It repeats no cell, which may hold a name."""
        outcome: str = self.report.get("outcome", "refused")
        if not self.refused:
            return outcome
        found = self.report.get("findings", [])
        wrong = [one for one in found if one["severity"] in (Severity.ERROR, Severity.UNREADABLE)] or found
        against = self.report.get("contradictions", [])
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            return f"{outcome} ({_place_and_reason(wrong[0])}{more}; all of it is in the report)"
        return outcome + (f" ({len(against)} assignments contradict absences reported here)" if against else "")


def _place_and_reason(finding: dict[str, Any]) -> str:
    place = ", ".join(
        f"{word} {finding[key]}".strip()
        for word, key in (("", "file"), ("row", "row"), ("column", "column"))
        if finding[key]
    )
    value = str(finding["value"])
    reason = "" if value and value in finding["reason"] else f": {finding['reason']}"
    return f"{finding['rule']}{f' in {place}' if place else ''}{reason}"


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
        if "MemoryError" in done.stderr:
            return _failed(path, "too_large", "reading it took more memory than allowed; split the file")
        reason = f"the reader ended with code {done.returncode}; its last words are in the report"
        return _failed(path, "reader_died", reason, done.stderr.strip()[-2000:])
    return ApartReport(done.returncode != 0, report)


def _limit() -> None:
    # runs between fork and exec, where nothing may be imported
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _failed(path: Path, rule: str, reason: str, value: str = "") -> ApartReport:
    severity = str(Severity.ERROR)
    finding = {"severity": severity, "rule": rule, "file": path.name, "row": None, "column": "", "value": value, "reason": reason}
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

"""The demonstration of a retrieve from an external archive, with real commands in a lab of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import Any

from dcmcfg.dicom.status import MOVE_DESTINATION_UNKNOWN
from dcmcfg.lab import lifecycle
from dcmcfg.lab.lifecycle import PROFILE
from dcmcfg.lab.site import Site
from dcmcfg.lab.studies import get_standard_study

_UNDO = re.compile(r"^To revert it: dcmcfg undo ([0-9]+)$", re.MULTILINE)

SUMMARY = """\
  before the change   the retrieve fails: the external archive does not know the workstation (A801)
  after the change    the retrieve works: completed=20, failed=0, warning=0; dcmcfg verify shows the route
  after the undo      the configuration is the same as before, and the retrieve fails again
Next steps: dcmcfg lab up, then dcmcfg lab status"""

PrintLine = Callable[[str], None]


class DemoStepFailed(Exception):
    """A step of the demonstration had an unexpected result."""


class DemoRun:
    """The environment of the demonstration: its own folders, in which commands run as a user types them."""

    def __init__(self, folder: Path, print_line: PrintLine) -> None:
        self.folder = folder
        self.lab_folder = folder / "lab"
        self.print_line = print_line
        self.passed_checks = 0
        # The user's own settings must not influence the demonstration.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DCMCFG_")}
        self.environment = environment | {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "DCMCFG_LAB_FOLDER": str(self.lab_folder),
            "DCMCFG_LAB_WITH_PID": str(os.getpid()),
        }

    def print_heading(self, title: str) -> None:
        self.print_line(f"\n== {title}")

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """Run ``dcmcfg`` with *arguments*, print the command and all its output, and return the output.

        Raises :class:`DemoStepFailed` if the exit code is not *exit_code*.
        """
        self.print_line(f"\n$ {join(('dcmcfg', *arguments))}")
        lines = []
        with self._start(arguments, stderr=subprocess.STDOUT) as process:
            for line in process.stdout or ():
                lines.append(line)
                self.print_line(line.rstrip("\n"))
        self.check(f"exit code {exit_code}", process.returncode == exit_code, f"exit code {process.returncode}")
        return "".join(lines)

    def run_json(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        """Run ``dcmcfg`` with *arguments* and ``--json``, print only the command, and return its result.

        Raises :class:`DemoStepFailed` if the exit code is not *exit_code*, or if the output is not a JSON object.
        """
        self.print_line(f"\n$ {join(('dcmcfg', *arguments, '--json'))}")
        with self._start((*arguments, "--json"), stderr=subprocess.PIPE) as process:
            out, err = process.communicate()
        self.check(f"exit code {exit_code}", process.returncode == exit_code, f"{process.returncode}: {err}")
        try:
            result = json.loads(out)
        except ValueError as error:
            raise DemoStepFailed(f"the output is not JSON ({error}): {out}") from error
        if not isinstance(result, dict):
            raise DemoStepFailed(f"the output is not a JSON object: {out}")
        return result

    def check(self, expectation: str, holds: bool, actual: object = "") -> None:
        """Print *expectation* if it *holds*, otherwise raise :class:`DemoStepFailed` with the *actual* result."""
        if not holds:
            raise DemoStepFailed(f"{expectation}: failed" + (f", actual: {actual}" if actual != "" else ""))
        self.passed_checks += 1
        self.print_line(f"  [ok] {expectation}")

    def _start(self, arguments: tuple[str, ...], *, stderr: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            # -P keeps the current folder out of the module search path, as with an installed command.
            [sys.executable, "-P", "-m", "dcmcfg", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )


@dataclass(frozen=True)
class DemoResult:
    """The result of the demo: how many checks passed, in how many seconds, and the check that failed, if any."""

    check_count: int
    seconds: float
    failure: str = ""

    @property
    def passed(self) -> bool:
        return not self.failure


def run_demo(print_line: PrintLine) -> DemoResult:
    """Run the demonstration and print it line by line; return whether every step had the expected result.

    The lab is stopped and its folder removed when this function returns or raises, also after Ctrl-C.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dcmcfg-demo-") as folder:
        demo = DemoRun(Path(folder), print_line)
        try:
            _run_steps(demo)
            demo.run("lab", "down")
        except DemoStepFailed as failure:
            print_line(f"  [FAILED] {failure}")
            print_line(f"\nThe demonstration failed. {demo.passed_checks} checks passed before this failure.")
            return DemoResult(demo.passed_checks, time.monotonic() - started, str(failure))
        finally:
            lifecycle.down(demo.lab_folder)  # finds nothing if all steps succeeded
    result = DemoResult(demo.passed_checks, time.monotonic() - started)
    print_line(f"\nThe demonstration succeeded: {result.check_count} checks, {result.seconds:.0f} s.\n{SUMMARY}")
    return result


def _run_steps(demo: DemoRun) -> None:
    demo.print_heading("A site on this machine: directory, archive, external archive, storage SCP")
    demo.run("lab", "up")
    demo.environment["DCMCFG_PROFILE"] = PROFILE
    demo.print_line(f"\n$ export DCMCFG_PROFILE={PROFILE}")
    before = demo.folder / "before.ldif"
    _check_destination_unset(demo, before)
    _check_retrieve_fails(demo)
    number = _set_destination(demo)
    _check_retrieve_works(demo)
    _undo_change(demo, number, before)


def _check_destination_unset(demo: DemoRun, before: Path) -> None:
    demo.print_heading(
        "The archive has no destination for external retrieves: dcmExternalRetrieveAEDestination is not set"
    )
    demo.run("show", "dcm4chee-arc/DCM4CHEE")
    demo.run("export-ldif", "-o", str(before))
    exported = before.read_text("utf-8")
    demo.check(
        "the exported tree does not contain dcmExternalRetrieveAEDestination",
        "dcmExternalRetrieveAEDestination" not in exported,
    )


def _check_retrieve_fails(demo: DemoRun) -> None:
    demo.print_heading("So a workstation cannot retrieve a study that the archive has purged")
    demo.run(*_make_verify_arguments("three"), exit_code=1)
    _check_nothing_received(demo, "three")
    last = _read_external_moves(demo)[-1]
    demo.check(
        "the external archive received a C-MOVE to WORKSTATION and returned A801 (Move Destination unknown)",
        (last["destination"], last["status"]) == ("WORKSTATION", MOVE_DESTINATION_UNKNOWN),
        last,
    )


def _set_destination(demo: DemoRun) -> str:
    demo.print_heading("Route recalled studies through the archive")
    output = demo.run("set-external-retrieve", "DCM4CHEE", "--yes")
    match = _UNDO.search(output)
    demo.check("the output contains the undo command", match is not None)
    demo.check("the archive has reloaded", "The archive has reloaded" in output)
    repeated = demo.run_json("set-external-retrieve", "DCM4CHEE", "--yes")
    demo.check("a second run changes nothing", repeated["changed"] is False, repeated)
    return match[1] if match else ""


def _check_retrieve_works(demo: DemoRun) -> None:
    demo.print_heading("Now the workstation receives the study")
    demo.run(*_make_verify_arguments("three"))
    last = _read_external_moves(demo)[-1]
    demo.check(
        "the external archive received a C-MOVE to DCM4CHEE and completed 3 sub-operations",
        (last["destination"], last["status"], last["completed"]) == ("DCM4CHEE", 0, 3),
        last,
    )
    verdict = demo.run_json(*_make_verify_arguments("twenty"))
    counts = {name: verdict["reported"][name] for name in ("completed", "failed", "warning")}
    demo.check(
        "reported: completed=20, failed=0, warning=0", counts == {"completed": 20, "failed": 0, "warning": 0}, counts
    )
    demo.check("received: complete", verdict["received"]["finding"] == "complete", verdict["received"])
    demo.check("route: shown", verdict["route"]["finding"] == "shown", verdict["route"])


def _undo_change(demo: DemoRun, number: str, before: Path) -> None:
    demo.print_heading("Every change can be reverted")
    demo.run("undo", number, "--yes")
    after = demo.folder / "after.ldif"
    demo.run("export-ldif", "-o", str(after))
    demo.check("the tree is the same as before", after.read_bytes() == before.read_bytes())
    _check_nothing_received(demo, "one")


def _make_verify_arguments(name: str) -> tuple[str, ...]:
    return ("verify", "--study", get_standard_study(name).uid, "--dest", "WORKSTATION", "--receive")


def _check_nothing_received(demo: DemoRun, name: str) -> None:
    verdict = demo.run_json(*_make_verify_arguments(name), exit_code=1)
    found = (verdict["verified"], verdict["reported"]["status"], verdict["received"]["instance_count"])
    demo.check("not verified: status A801, nothing received", found == (False, MOVE_DESTINATION_UNKNOWN, 0), found)


def _read_external_moves(demo: DemoRun) -> list[Mapping[str, Any]]:
    """Return the external archive's log of C-MOVE requests, the oldest first."""
    lines = Site.load(demo.lab_folder).external_move_log.read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]

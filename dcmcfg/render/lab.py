"""Render the state of the lab, and the result of the demo, as text and as JSON."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dcmcfg.lab.demo import DemoResult
from dcmcfg.lab.lifecycle import PROFILE, Lab
from dcmcfg.lab.state import PartState
from dcmcfg.lab.studies import LabStudy, StudyLocation
from dcmcfg.render.terminal.console import make_stdout_console, print_command, print_line, print_prose
from dcmcfg.render.terminal.table import Column, print_table
from dcmcfg.timestamps import format_iso
from dcmcfg.verify.verdict import format_instance_count

_COLUMNS = (Column("Part"), Column("Process"), Column("Started"), Column("Address"))
_LOCATION_TEXTS = {
    StudyLocation.EXTERNAL: "purged, stored in the external archive",
    StudyLocation.LOCAL: "in the archive's own storage only",
    StudyLocation.UNKNOWN_TO_ARCHIVE: "in the external archive only, unknown to the archive",
}


def format_part_ready(part: PartState) -> str:
    """Return the progress line for a part that is ready."""
    pid = part.process.pid if part.process else "-"
    return f"  {part.name:<9} ready  {part.address} (process {pid})"


def lab_json(lab: Lab | None, studies: tuple[LabStudy, ...]) -> dict[str, Any]:
    """Return the object for ``lab status --json``; ``running`` is always present, times are in UTC (RFC 3339)."""
    if lab is None:
        return {"running": False, "reason": "there is no lab"}
    site = lab.site
    return {
        "running": lab.is_up,
        "reason": lab.reason,
        "folder": str(site.folder),
        "profile": PROFILE,
        "ldap_url": site.ldap_url,
        "archive_url": site.archive_url,
        "supervisor_pid": lab.state.supervisor.pid if lab.state else None,
        "parts": [
            {
                "name": part.name,
                "address": part.address,
                "pid": part.process.pid if part.process else None,
                "started_at": _iso(part.started_at),
                "ready": part.ready and lab.is_up,
            }
            for part in (lab.state.parts if lab.state else ())
        ],
        "studies": [
            {
                "name": study.name,
                "study_instance_uid": study.uid,
                "instance_count": len(study.instances),
                "location": study.location.name.lower(),
                "location_description": study.location.value,
            }
            for study in studies
        ],
    }


def demo_json(result: DemoResult) -> dict[str, Any]:
    """Return the result of the demo for ``--json``; ``failure`` is null if every check passed."""
    return {
        "passed": result.passed,
        "check_count": result.check_count,
        "failure": result.failure or None,
        "duration_seconds": round(result.seconds, 3),
    }


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else format_iso(datetime.fromtimestamp(seconds, UTC))


def print_lab(lab: Lab, studies: tuple[LabStudy, ...], default_folder: Path) -> None:
    """Print the parts with process, address and start, the studies with their UIDs, and example commands.

    For a lab that has ended, print the command that starts a new one; *default_folder* is where it starts by default.
    """
    console = make_stdout_console()
    if not lab.is_up:
        print_line(console, f"The lab in {lab.site.folder} is not up: {lab.reason}.")
        if lab.has_ended:
            folder_option = () if lab.site.folder == default_folder else ("--folder", str(lab.site.folder))
            command = shlex.join(("dcmcfg", "lab", "up", *folder_option))
            print_line(console, f"To start a new lab, and delete the configuration of this one: {command}")
        return
    supervisor = lab.state.supervisor.pid if lab.state else "-"
    print_prose(console, f"The lab is up: supervisor process {supervisor}, folder {lab.site.folder}")
    print_table(console, _COLUMNS, list(_build_part_rows(lab)))
    for line in _format_study_lines(studies):
        print_prose(console, line)
    print_line(console, "Try these commands:")
    for command in _suggest_commands(studies):
        print_command(console, command)


def _build_part_rows(lab: Lab) -> Iterator[tuple[str, ...]]:
    for part in lab.state.parts if lab.state else ():
        started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(part.started_at)) if part.started_at else "-"
        pid = str(part.process.pid) if part.process else "-"
        yield part.name, pid, started, part.address.replace(", ", "\n")


def _format_study_lines(studies: tuple[LabStudy, ...]) -> Iterator[str]:
    yield "Studies:"
    for study in studies:
        yield f"  {study.name}, {format_instance_count(len(study.instances))}: {_LOCATION_TEXTS[study.location]}"
        yield f"    {study.uid}"
    yield ""


def _suggest_commands(studies: tuple[LabStudy, ...]) -> Iterator[str]:
    yield f"dcmcfg show --profile {PROFILE}"
    yield f"dcmcfg verify --profile {PROFILE} --dest WORKSTATION --receive --study {studies[0].uid}"
    yield f"dcmcfg echo --profile {PROFILE} DCM4CHEE --tls"

"""The state file of a lab."""

from __future__ import annotations

import shutil
from pathlib import Path

from dcmcfg.lab.state import LabPhase, LabState, PartState, ProcessIdentity

RECORDED = Path(__file__).parents[1] / "fixtures" / "before_format" / "lab" / "state.json"


def test_a_saved_state_reads_as_it_was(tmp_path: Path) -> None:
    started = PartState("slapd", "ldap://127.0.0.1:1389", ProcessIdentity(12, 34.5), 67.8, ready=True)
    waiting = PartState("storage", "STORESCP@127.0.0.1:11117")
    state = LabState(
        ProcessIdentity(9, 30.5), LabPhase.ENDED, (started, waiting), reason="slapd ended", failed_part="slapd"
    )
    state.save(tmp_path)
    assert LabState.load(tmp_path) == state


def test_a_state_recorded_by_an_older_version_reads(tmp_path: Path) -> None:
    shutil.copy(RECORDED, tmp_path / "state.json")
    state = LabState.load(tmp_path)
    assert state is not None
    assert state.phase is LabPhase.UP
    assert [part.name for part in state.parts] == ["slapd", "storage", "external", "archive"]
    assert all(part.process and part.started_at for part in state.parts)

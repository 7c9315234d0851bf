"""The line that shows how a run over many studies goes."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from dcmcfg.bulk.events import StudyFinished
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome
from dcmcfg.render import bulk_progress as room


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_progress_line_has_room_for_a_control_c(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(width=width, file=shown, force_terminal=True, color_system=None)
    monkeypatch.setattr(room, "make_stderr_console", lambda: console)
    with room.show_bulk_progress(20) as hear:
        for number in range(12):
            hear(
                StudyFinished(
                    f"1.2.{number}", AttemptResult(VerificationOutcome.NOT_VERIFIED, f"NOT verified: {'x' * number}")
                )
            )
    *_, bar = re.findall("━+ .*", shown.getvalue())
    assert re.fullmatch(r"━+ +12/20 \S+/s \d:\d\d:\d\d left \S+:\d\d:?\S* 12 failed *", bar), "nothing is cut"
    assert len(bar) + len("^C") < width

"""The progress of ``verify``: count and time stay whole, the text is shortened."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from dcmcfg.render.verify import build_progress_columns

LONG = "requesting DCM4CHEE@archive.radiology.example.org:11112 to send it to WORKSTATION (C-MOVE)"


def shown(text: str, width: int) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    progress = Progress(*build_progress_columns(width), console=console)
    progress.add_task(text, total=10_000, completed=9_999)
    with console.capture() as captured:
        console.print(progress)
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 99, 100, 120])
def test_count_and_time_are_whole_and_the_text_is_shortened(width: int) -> None:
    (line,) = shown(LONG, width).splitlines()
    assert len(line) <= width
    assert " 9999/10000 " in line
    assert line.rstrip().endswith("0:00:00")
    assert "requesting DCM4" in line
    assert "…" in line


def test_a_short_text_is_whole() -> None:
    text = "verifying 12 kept files on disk"
    assert text in shown(text, 80)

"""Draw ``docs/picture.svg``: what a terminal shows of a real run on a lab. ``make picture`` runs it.

The commands are those of the tutorial. Lines that the picture leaves out are an ellipsis in it.
"""

from __future__ import annotations

import io
import os
import re
import runpy
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_DOCS = Path(__file__).parent
PICTURE = _DOCS / "picture.svg"
#: The study "three" of the lab.
_STUDY = "1.2.826.0.1.3680043.8.498.50824102693314334657142913597509160995"
_COLUMNS = 100
_QUESTION = "[y/N]: "
#: What shows the progress of a command, and removes it.
_ERASE_LINE = "\x1b[2K"
_CURSOR = re.compile(r"\x1b\[(\?\d+[hl]|\d*A)")
#: Fonts of the reader's machine: the picture loads none.
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
_THEME = TerminalTheme(
    (30, 34, 42),
    (220, 223, 228),
    [
        (40, 44, 52),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (220, 223, 228),
    ],
)


@dataclass(frozen=True)
class Scene:
    """A command, and an expression for the lines of its output that the picture shows."""

    command: str
    shown: str
    is_confirmed: bool = False


SCENES = (
    Scene(
        'dcmcfg verify --study "$STUDY" --dest WORKSTATION --receive',
        r"NOT verified|^nothing arrived|^Received|Next step The|archive does not know|dcmcfg set-external-retrieve",
    ),
    Scene(
        "dcmcfg set-external-retrieve DCM4CHEE",
        r"~ device|\+ dcmExternal|Apply these|Applied|To revert",
        is_confirmed=True,
    ),
    Scene(
        'dcmcfg verify --study "$STUDY" --dest WORKSTATION --receive',
        r"^verified|^Received|^Sent|^ +DCM4CHEE → WORK|record\)$|receiver\)$|^Route",
    ),
    Scene("dcmcfg undo", r"- dcmExternal|Apply these|Applied", is_confirmed=True),
)


def run(scene: Scene) -> str:
    """Return what a terminal with colours shows of a command, with the answer of the user."""
    at_terminal = runpy.run_path(str(_DOCS.parent / "tests" / "cli" / "at_terminal.py"))["at_terminal"]
    words = scene.command.replace('"$STUDY"', _STUDY).split()[1:]
    answers = [(_QUESTION, "y")] if scene.is_confirmed else []
    _, shown = at_terminal(words, answers, columns=_COLUMNS, term="xterm-256color")
    return str(shown)


def choose_lines(output: str, shown: str) -> list[Text]:
    """Return the lines of *output* that match *shown*, and an ellipsis for lines that are left out."""
    lines: list[Text] = []
    for line in output.rstrip().splitlines():
        text = Text.from_ansi(_CURSOR.sub("", line.rpartition(_ERASE_LINE)[2]))
        if re.search(shown, text.plain):
            lines.append(text)
        elif lines and lines[-1].plain == "…":
            continue
        elif text.plain.strip():
            lines.append(Text("…", "dim"))
    return lines


def draw(outputs: list[str]) -> str:
    """Return the SVG of the scenes with their *outputs*."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    for scene, output in zip(SCENES, outputs, strict=True):
        console.print(Text.assemble(("$ ", "dim"), (scene.command, "bold")))
        for line in choose_lines(output, scene.shown):
            console.print(line, no_wrap=True)
        console.print()
    svg = console.export_svg(title="dcmcfg", theme=_THEME, unique_id="dcmcfg")
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: [^;]+;", f"font-family: {_FONTS};", svg)


def main() -> None:
    """Run the scenes on a lab of their own, and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        for name in [name for name in os.environ if name.startswith(("DCMCFG_", "XDG_"))]:
            del os.environ[name]
        os.environ |= {"HOME": folder, "DCMCFG_PROFILE": "lab", "DCMCFG_LAB_WITH_PID": str(os.getpid())}
        lab = [sys.executable, "-m", "dcmcfg", "lab"]
        subprocess.run([*lab, "up"], check=True)
        try:
            outputs = [run(scene) for scene in SCENES]
        finally:
            subprocess.run([*lab, "down"], check=True)
    PICTURE.write_text(draw(outputs), "utf-8")


if __name__ == "__main__":
    main()

"""``docs/how-to/monitoring.md`` shows what the commands print on a lab, and systemd accepts the units beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from dcmcfg.cli.main import program
from dcmcfg.monitoring.parts import LIMITS, Part
from tests.cli.page_reader import Reader, reader, without_times  # noqa: F401 — a fixture
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.sampling import LONG

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "how-to" / "monitoring.md"
PROMETHEUS = DOCS / "how-to" / "prometheus.md"
REFERENCE = DOCS / "reference" / "monitoring.md"
UNITS = sorted((DOCS / "systemd").iterdir())
#: The commands of a short run: the start of the lab, and a check of it in order and with a fault.
SHORT_COUNT = 5
INSTALLED = "/usr/local/bin/dcmcfg"


def without_figures(lines: list[str]) -> list[str]:
    """Return *lines* without durations, and without the study that a recall selects."""
    text = "\n".join(without_times(lines))
    text = re.sub(r"'=\d+(\.\d+)?s", "'=N", text)
    text = re.sub(r"(?m)(_seconds\{.*\}) \d+(\.\d+)?$", r"\1 N", text)
    return re.sub(r"(study|the study) [0-9.]{20,}", r"\1 UID", text).splitlines()


@pytest.mark.real
def test_the_page_shows_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    for each in islice(shown_on(PAGE), None if LONG else SHORT_COUNT):
        printed = reader.run(each.command).splitlines()
        expected = Shown(each.section, each.command, tuple(without_figures(list(each.lines))))
        assert_shows(expected, without_figures(printed))


def test_the_page_has_the_default_limits() -> None:
    rows = {
        cells[0]: cells[3:]
        for line in REFERENCE.read_text("utf-8").splitlines()
        if (cells := [each.strip() for each in line.strip("|").split("|")]) and len(cells) == 5
    }

    def show(bound: float | None, word: str) -> str:
        return "`none`" if bound is None else f"{word} than {bound:g}"

    expected = {
        f"`{part.value}`": [
            show(bound, "less" if LIMITS[part].default.is_minimum else "more")
            for bound in (LIMITS[part].default.warning, LIMITS[part].default.critical)
        ]
        for part in LIMITS
    }
    assert {name: rows[name] for name in expected} == expected
    assert {f"`{part.value}`" for part in Part} == {name for name in rows if name.startswith("`")}


def list_monitor_commands() -> Iterator[str]:
    """Yield the options of each command of the page and of the units that is not run on the lab."""
    for path in (PAGE, PROMETHEUS, REFERENCE, *UNITS):
        for line in path.read_text("utf-8").splitlines():
            if (found := re.search(r"dcmcfg monitor( .*)", line)) and not line.lstrip().startswith("$"):
                yield from re.findall(r"--[a-z-]+", found[1])


def test_each_option_on_the_page_and_in_the_units_exists() -> None:
    command = program.get_command(None, "monitor")  # type: ignore[arg-type]
    assert command is not None
    known = {name for each in command.params for name in each.opts}
    assert set(list_monitor_commands()) <= known


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the units in docs/systemd are not checked")
    program_file = tmp_path / "dcmcfg"
    program_file.write_text(f"#!{sys.executable}\n")
    program_file.chmod(0o755)
    copies = []
    for unit in UNITS:
        text = unit.read_text("utf-8")
        assert unit.suffix != ".service" or text.count(f"ExecStart={INSTALLED} ") == 1
        copy = tmp_path / unit.name
        copy.write_text(text.replace(INSTALLED, str(program_file)))
        copies.append(copy)
    assert len(copies) == 4
    done = subprocess.run(["systemd-analyze", "verify", *map(str, copies)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The check must be able to fail.
    copies[0].write_text(copies[0].read_text().replace("Type=oneshot", "Type=none-such"))
    done = subprocess.run(["systemd-analyze", "verify", str(copies[0])], capture_output=True, text=True, check=False)
    assert "none-such" in done.stderr

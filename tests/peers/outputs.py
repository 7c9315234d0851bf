"""What ``verify`` says of each peer, whole, as files that can be read side by side.

``WRITE_ANSWERS=1 pytest tests/cli/test_verify_peers.py`` writes them anew: read the difference, then commit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import Result

from tests.dicom.dcmtk import LOOPBACK

ANSWERS = Path(__file__).parent / "answers"
_IMPLEMENTATION = re.compile(r"(?m)^Implementation: [A-Za-z]+.*$")
_LISTENED = re.compile(r"(?m)^( *Receiver: .*, listening since ).*$")
_WRITE = "WRITE_ANSWERS"


@dataclass(frozen=True)
class Output:
    """The first line of a file is ``exit N``; then what was printed, standard error last and marked."""

    text: str

    @property
    def exit_code(self) -> int:
        return int(self.text.partition("\n")[0].removeprefix("exit "))

    @property
    def headline(self) -> str:
        """The first line that is said, be it a verdict or an error."""
        return self.text.splitlines()[1].removeprefix("! ")


def make_output(result: Result, names: Mapping[int, str]) -> Output:
    """Return *result* with each port in *names* called by its name."""
    errors = "".join(f"! {line}\n" for line in result.stderr.splitlines())
    return named(f"exit {result.exit_code}\n{result.stdout}{errors}", names)


def named(text: str, names: Mapping[int, str]) -> Output:
    """Return *text* with each port in *names* called by its name, and without the peer's implementation."""
    for port, name in names.items():
        text = text.replace(f"{LOOPBACK}:{port}", f"HOST:{name}").replace(str(port), name)
    return Output(without_times(_IMPLEMENTATION.sub("Implementation: IMPLEMENTATION", text)))


def without_times(text: str) -> str:
    """Return *text* with the time from which the receiver listened called ``TIME``."""
    return _LISTENED.sub(r"\1TIME", text)


def read_expected_output(name: str) -> Output:
    """Return what the file *name* says."""
    return Output((ANSWERS / f"{name}.txt").read_text("utf-8"))


def expected(name: str, answer: Output) -> Output:
    """Return what *answer* must be; where the environment asks for it, that is written first."""
    if os.environ.get(_WRITE):
        ANSWERS.mkdir(exist_ok=True)
        (ANSWERS / f"{name}.txt").write_text(answer.text, "utf-8")
    return read_expected_output(name)

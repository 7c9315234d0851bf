"""What ``verify`` says at each recording, whole, as files that can be read side by side.

``WRITE_ANSWERS=1 pytest tests/recorded/test_outputs.py`` writes them anew, ``python -m tests.recorded.table`` the page
made from them: read the difference, then commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.peers.outputs import Output

ANSWERS = Path(__file__).parent / "answers"
_ROUTE = re.compile(r"^Route +(\S.*)$", re.MULTILINE)


def read_expected_output(name: str) -> Output:
    """Return what the file *name* says."""
    return Output((ANSWERS / f"{name}.txt").read_text("utf-8"))


def expected(name: str, answer: Output) -> Output:
    """Return what *answer* must be; where the environment asks for it, that is written first."""
    if os.environ.get("WRITE_ANSWERS"):
        ANSWERS.mkdir(exist_ok=True)
        (ANSWERS / f"{name}.txt").write_text(answer.text, "utf-8")
    return read_expected_output(name)


def route_of(answer: Output) -> str:
    """Return the finding on the route; empty for an error, which has none."""
    found = _ROUTE.search(answer.text)
    return found[1] if found else ""

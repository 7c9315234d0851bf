"""How the work of a function grows with its input, counted and not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(run: Callable[[], object]) -> int:
    """Return how many instructions of Python are run by *run*; what is done in C in one of them counts as one."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def growth(run: Callable[[int], Callable[[], object]], size: int) -> float:
    """Return the work at four times *size* to that at *size*: 4 where it is linear, 16 where it is quadratic.

    *run* prepares an input of a size, and returns what is counted.
    """
    run(size)()  # what is kept for the next time is made now
    return steps(run(4 * size)) / steps(run(size))

"""A program run at a terminal, answered as a person would."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
from collections.abc import Callable, Sequence

CTRL_C = "\x03"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_terminal(
    arguments: Sequence[str], answers: Sequence[tuple[str, str]], *, columns: int = 120, term: str = "dumb"
) -> tuple[int, str]:
    """Run ``dcmcfg`` with *arguments* at a terminal of that many *columns*; return its exit code and all it showed.

    Terminals whose type *term* is not ``dumb`` show colours.
    Each of *answers* is (the prompt's end, what is typed); ``\\x03`` is Ctrl-C.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"] = str(columns)
        os.environ["TERM"] = term
        os.environ.pop("COLORTERM", None)
        os.execv(sys.executable, [sys.executable, "-m", "dcmcfg", *arguments])
    seen = b""
    for prompt, typed in answers:
        seen += read_until(terminal, prompt.encode())
        os.write(terminal, typed.encode() if typed == CTRL_C else typed.encode() + b"\n")
    interrupted = bool(answers) and answers[-1][1] == CTRL_C
    seen += read_until(terminal, None, again=CTRL_C.encode() if interrupted else b"")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    # A repeated Ctrl-C can arrive when the interpreter is about to end: it then ends by the signal, 130 in a shell.
    code = os.waitstatus_to_exitcode(status)
    return 128 + signal.SIGINT if code == -signal.SIGINT else code, seen.decode().replace("\r\n", "\n")


def interrupted_at_terminal(arguments: Sequence[str], *when: Callable[[], object]) -> tuple[int, str]:
    """Run ``dcmcfg`` with *arguments* at a terminal, where Ctrl-C is typed after each of *when* has returned.

    Return its exit code and all it showed, without what moves the cursor and colours.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"] = "120"
        os.execv(sys.executable, [sys.executable, "-m", "dcmcfg", *arguments])
    for wait in when:
        wait()
        os.write(terminal, CTRL_C.encode())
    seen = read_until(terminal, None)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), _CONTROL.sub("", seen.decode()).replace("\r\n", "\n")


def read_until(terminal: int, prompt: bytes | None, *, again: bytes = b"", silence: float = 10.0) -> bytes:
    """Return what the program writes until *prompt*, or until it ends.

    After seconds of *silence*, *again* is typed: CPython misses a Ctrl-C that comes between its prompt and its wait.
    """
    seen = b""
    while prompt is None or not seen.endswith(prompt):
        if again and not select.select([terminal], [], [], silence)[0]:
            os.write(terminal, again)
            continue
        try:
            some = os.read(terminal, 1024)
        except OSError:  # Linux: the other end was closed
            some = b""
        if not some:
            assert prompt is None, seen
            break
        seen += some
    return seen

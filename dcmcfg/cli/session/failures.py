"""How a run ends when it cannot do its job: what is printed, with which exit code."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, asdict, dataclass
from typing import Any, NoReturn

import click

from dcmcfg.cli.invocation import Invocation
from dcmcfg.cli.printing import tell
from dcmcfg.errors import ChangedButNotFinished, DcmcfgError

INTERRUPTED = 130
#: What a shell reports for a program that SIGPIPE ended: the reader of our output went away.
READER_GONE = 141
#: What writing to a full disk, or to a terminal that is gone, ends in.
_OUTPUT_FAILED = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
#: In the environment: show the traceback of an internal error.
DEBUG = "DCMCFG_DEBUG"
OUT_OF_MEMORY = "this machine has not enough memory for it, or its limit (ulimit -v) is too low"
_MORE_MEMORY = "give it less at once: a smaller file, fewer studies"
_MAYBE_CHANGED = "; something may have been changed"


class ReaderGone(Exception):
    """Whoever read our standard output has closed it."""


@dataclass(frozen=True)
class _Failure:
    """What ``--json`` says of a failure."""

    what: str
    exit_code: int
    _: KW_ONLY
    on: str = ""
    next_step: str = ""


def problem_lines(error: DcmcfgError) -> Iterator[str]:
    """Yield the lines that tell *error*, without its next step."""
    yield f"dcmcfg: {error.on}: {error.what}" if error.on else f"dcmcfg: {error.what}"
    yield from (f"  {detail}" for detail in error.details)


def exit_from(run: Callable[[], object], invocation: Invocation) -> NoReturn:
    """Call *run*, tell its failure on stderr in one line, and exit.

    With ``--json`` the failure is told on stdout as well, in the object that the command would have printed, as far
    as it is known. The exit code is the int that *run* returns (None is 0), else the error's.
    """
    code = _code_of(run, invocation)
    try:
        sys.stdout.flush()
    except OSError:
        # What is still buffered has nowhere to go, and the interpreter would make its own exit code of that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _code_of(run: Callable[[], object], invocation: Invocation) -> int:
    try:
        outcome = run()
    except ReaderGone:
        if not invocation.writing:
            return READER_GONE
        _tell(_Failure("the reader of the output went away" + _MAYBE_CHANGED, ChangedButNotFinished.exit_code))
        return ChangedButNotFinished.exit_code
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        tell(*said.getvalue().rstrip("\n").split("\n"))
        failure = _misused(error)
    except (click.Abort, KeyboardInterrupt):
        unwritten = ", nothing was changed" if invocation.changes_directory else ""
        failure = _Failure("interrupted" + (_MAYBE_CHANGED if invocation.writing else unwritten), INTERRUPTED)
        _tell(failure)
    except DcmcfgError as error:
        failure = _Failure(error.whole, error.exit_code, on=error.on, next_step=invocation.spoken(error.next_step))
        tell(*problem_lines(error), *_next_line(failure))
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        failure = _unforeseen(error, invocation)
        _tell(failure)
    else:
        return outcome if isinstance(outcome, int) else 0
    if invocation.wants_json and not invocation.answered:
        with suppress(OSError):  # stderr has it, and the exit code counts
            click.echo(json.dumps(_answer(failure, invocation), indent=2))
    return failure.exit_code


def _misused(error: click.ClickException) -> _Failure:
    asked = error.ctx if isinstance(error, click.UsageError) else None
    return _Failure(error.format_message(), error.exit_code, next_step=f"{asked.command_path} --help" if asked else "")


def _unforeseen(error: Exception, invocation: Invocation) -> _Failure:
    code = ChangedButNotFinished.exit_code if invocation.writing else DcmcfgError.exit_code
    if isinstance(error, OSError) and error.errno in _OUTPUT_FAILED:
        changed = _MAYBE_CHANGED if invocation.writing else ""
        return _Failure(f"the output cannot be written ({error.strerror}){changed}", code)
    if isinstance(error, MemoryError):
        changed = _MAYBE_CHANGED if invocation.writing else ""
        return _Failure(f"{OUT_OF_MEMORY}{changed}", code, next_step=_MORE_MEMORY)
    told = f"internal error ({type(error).__name__}: {error})"
    return _Failure(told, code, next_step=f"{DEBUG}=1 shows where; please report it")


def _answer(failure: _Failure, invocation: Invocation) -> dict[str, Any]:
    """Return the object for ``--json``: ``error``, beside what the command knew when it failed."""
    known = {} if invocation.so_far is None else invocation.so_far()
    return known | {"error": asdict(failure)}


def _tell(failure: _Failure) -> None:
    tell(f"dcmcfg: {failure.what}", *_next_line(failure))


def _next_line(failure: _Failure) -> Iterator[str]:
    if failure.next_step:
        yield f"  next: {failure.next_step}"

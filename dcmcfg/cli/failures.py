"""How a run ends when it cannot do its job: what is printed, with which exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from dcmcfg.cli.invocation import Invocation
from dcmcfg.errors import ChangedButNotFinished, DcmcfgError

INTERRUPTED = 130
#: What a shell reports for a program that SIGPIPE ended: the reader of our output went away.
READER_GONE = 141
#: What writing to a full disk, or to a terminal that is gone, ends in.
_OUTPUT_FAILED = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
#: In the environment: show the traceback of an internal error.
DEBUG = "DCMCFG_DEBUG"


class ReaderGone(Exception):
    """Whoever read our standard output has closed it."""


def exit_from(run: Callable[[], object], invocation: Invocation) -> NoReturn:
    """Call *run*, tell its failure on stderr in one line, and exit.

    The exit code is the int that *run* returns (None is 0), else the error's.
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
        _tell("the reader of the output went away; something may have been changed")
        return ChangedButNotFinished.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted" + ("; something may have been changed" if invocation.writing else ""))
        return INTERRUPTED
    except DcmcfgError as error:
        _tell(f"{error.on}: {error.what}" if error.on else error.what, invocation.spoken(error.next_step))
        return error.exit_code
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError) and error.errno in _OUTPUT_FAILED:
            changed = "; something may have been changed" if invocation.writing else ""
            _tell(f"the output cannot be written ({error.strerror}){changed}")
        else:
            _tell(f"internal error ({type(error).__name__}: {error})", f"{DEBUG}=1 shows where; please report it")
        return ChangedButNotFinished.exit_code if invocation.writing else DcmcfgError.exit_code
    return outcome if isinstance(outcome, int) else 0


def _tell(problem: str, next_step: str = "") -> None:
    """Print *problem* on stderr, the next step on a line of its own."""
    text = f"dcmcfg: {problem}" + (f"\n  next: {next_step}" if next_step else "")
    # Peers and files had a hand in the text: their control characters must not reach the terminal.
    click.echo("".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text), err=True)

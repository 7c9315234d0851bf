"""Report failures of a run: the message on stderr, the JSON error, and the exit code."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, asdict, dataclass, replace
from typing import Any, NoReturn

import click

from dcmcfg.cli.invocation import Invocation
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.usage_errors import reword_usage_error
from dcmcfg.errors import DcmcfgError, IncompleteChange

INTERRUPTED_EXIT_CODE = 130
#: The exit code that a shell reports after SIGPIPE (128 + 13): the reader of standard output has closed it.
OUTPUT_CLOSED_EXIT_CODE = 141
#: Errors of writes to a full disk, or to a terminal that was closed.
_OUTPUT_ERRNOS = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
#: Environment variable that shows the traceback of an internal error.
DEBUG_VARIABLE = "DCMCFG_DEBUG"
OUT_OF_MEMORY_MESSAGE = "out of memory: this machine has too little memory, or its memory limit (ulimit -v) is too low"
_MEMORY_HINT = "process less data in one run, for example a smaller file or fewer studies"
_MAY_HAVE_CHANGED_NOTE = "; some changes might have been made"
#: Only of a command that changes the directory: other commands are not in the history.
_HISTORY_HINT = "to see which changes were made: dcmcfg history"


class OutputClosed(Exception):
    """The reader of standard output has closed it."""


@dataclass(frozen=True)
class _Failure:
    """The fields of ``error`` in the JSON of a failed run."""

    message: str
    exit_code: int
    _: KW_ONLY
    subject: str = ""
    next_step: str = ""


def format_problem(error: DcmcfgError) -> Iterator[str]:
    """Yield the lines of *error*, without its next step."""
    yield f"dcmcfg: {error.subject}: {error.message}" if error.subject else f"dcmcfg: {error.message}"
    yield from (f"  {detail}" for detail in error.details)


def run_and_exit(run: Callable[[], object], invocation: Invocation) -> NoReturn:
    """Call *run*, print its failure on stderr, and exit.

    With ``--json`` the failure is also printed on stdout, in the object that the command would have printed, as far as
    its fields are known. The exit code is the int that *run* returns (None is 0), else that of the error.
    """
    code = _run_to_exit_code(run, invocation)
    try:
        sys.stdout.flush()
    except OSError:
        # Discard the buffered output: otherwise the interpreter fails to flush it and replaces our exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run_to_exit_code(run: Callable[[], object], invocation: Invocation) -> int:
    try:
        outcome = run()
    except OutputClosed:
        if not invocation.may_have_changed:
            return OUTPUT_CLOSED_EXIT_CODE
        failure = _Failure(
            "the program that was reading the output has ended" + _MAY_HAVE_CHANGED_NOTE, IncompleteChange.exit_code
        )
        print_message(*_format_failure(failure))
        return failure.exit_code
    except click.ClickException as error:
        error = reword_usage_error(error)
        usage_text = io.StringIO()
        error.show(usage_text)
        failure = _describe_usage_error(error)
        lines = tuple(usage_text.getvalue().rstrip("\n").split("\n"))
    except (click.Abort, KeyboardInterrupt):
        unchanged_note = "; nothing was changed" if invocation.changes_directory else ""
        failure = _Failure(
            "interrupted" + (_MAY_HAVE_CHANGED_NOTE if invocation.may_have_changed else unchanged_note),
            INTERRUPTED_EXIT_CODE,
            next_step=invocation.insert_site_options(_HISTORY_HINT)
            if invocation.may_have_changed and invocation.changes_directory
            else "",
        )
        lines = _format_failure(failure)
    except DcmcfgError as error:
        failure = _Failure(
            error.full_message,
            error.exit_code,
            subject=error.subject,
            next_step=invocation.insert_site_options(error.next_step),
        )
        lines = (*format_problem(error), *_format_next_step(failure))
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        failure = _describe_internal_error(error, invocation)
        lines = _format_failure(failure)
    else:
        return outcome if isinstance(outcome, int) else 0
    return _report(failure, lines, invocation)


def _report(failure: _Failure, lines: tuple[str, ...], invocation: Invocation) -> int:
    """Print *failure* and return the exit code; *lines* are those for standard error."""
    if invocation.runs_plugin:
        # For a monitoring system, the exit codes of other commands would be states of the site.
        failure = replace(failure, exit_code=DcmcfgError.exit_code)
        if not invocation.json_requested:
            from dcmcfg.render.monitoring.nagios import format_plugin_failure

            subject = f"{failure.subject}: " if failure.subject else ""
            details = [line for line in lines if failure.message not in line]
            with suppress(OSError):
                print_output(*format_plugin_failure(f"{subject}{failure.message}", details).splitlines())
            return failure.exit_code
    print_message(*lines)
    if invocation.json_requested and not invocation.json_printed:
        with suppress(OSError):  # the message on stderr and the exit code are enough
            click.echo(json.dumps(_make_json_result(failure, invocation), indent=2))
    return failure.exit_code


def _describe_usage_error(error: click.ClickException) -> _Failure:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return _Failure(
        error.format_message(), error.exit_code, next_step=f"{context.command_path} --help" if context else ""
    )


def _describe_internal_error(error: Exception, invocation: Invocation) -> _Failure:
    code = IncompleteChange.exit_code if invocation.may_have_changed else DcmcfgError.exit_code
    if isinstance(error, OSError) and error.errno in _OUTPUT_ERRNOS:
        changed_note = _MAY_HAVE_CHANGED_NOTE if invocation.may_have_changed else ""
        return _Failure(f"the output cannot be written ({error.strerror}){changed_note}", code)
    if isinstance(error, MemoryError):
        changed_note = _MAY_HAVE_CHANGED_NOTE if invocation.may_have_changed else ""
        return _Failure(f"{OUT_OF_MEMORY_MESSAGE}{changed_note}", code, next_step=_MEMORY_HINT)
    message = f"internal error ({type(error).__name__}: {error})"
    return _Failure(
        message, code, next_step=f"please report this error, with the traceback that {DEBUG_VARIABLE}=1 prints"
    )


def _make_json_result(failure: _Failure, invocation: Invocation) -> dict[str, Any]:
    """Return the object for ``--json``: ``error``, and the fields that were known at the failure."""
    partial_result = {} if invocation.partial_result is None else invocation.partial_result()
    return partial_result | {"error": asdict(failure)}


def _format_failure(failure: _Failure) -> tuple[str, ...]:
    return (f"dcmcfg: {failure.message}", *_format_next_step(failure))


def _format_next_step(failure: _Failure) -> Iterator[str]:
    if failure.next_step:
        yield f"  next: {failure.next_step}"

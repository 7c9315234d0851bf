"""The output options, the same for every command: ``-o``, ``--format``, ``--json`` and ``--details``.

:func:`json_option` adds ``--json`` to a command, :func:`format_option` adds ``--format`` and ``--json``, and
:func:`output_option` adds ``-o/--output``. ``--json`` is also accepted before the command.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.session.output import redirect_output

F = TypeVar("F", bound=Callable[..., object])
R = TypeVar("R")

TEXT, JSON, MARKDOWN, HTML = "text", "json", "markdown", "html"
#: Formats of a report for people.
REPORT_FORMS = (MARKDOWN, HTML)
_OUTPUT_TEXT = "Write the output to FILE, and replace an existing FILE. Default: standard output ('-')."


def json_option(command: F) -> F:
    """Return *command* with ``--json``, called with ``as_json: bool``; also true for ``--json`` before the command."""
    return click.option(
        "--json", "as_json", is_flag=True, callback=_add_json_before_command, help="Print the result as JSON."
    )(command)


def format_option(
    *names: str, flags: Sequence[str] = (), suffixes: Mapping[str, str] = MappingProxyType({})
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return a decorator that adds ``--format`` with *names*, and ``--json``; the command is called with ``form: str``.

    The first name is the default. Each of *flags* is a name that also has a hidden option of its own, such as
    ``--csv``. Two options for different formats are a usage error. With *suffixes* (``.html`` → ``html``), the name of
    the file of ``--output`` determines the default; add :func:`output_option` below this decorator.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_format(*, form: str | None, form_flag: str | None, **parameters: object) -> R:
            requested = _resolve_format(form, form_flag) or _find_format_of_file(parameters.get("output"), suffixes)
            return command(form=requested or names[0], **parameters)

        by_file = f". Default: by the ending of the file name, or else {names[0]}." if suffixes else ""
        options = [
            click.option(
                "--format",
                "form",
                type=click.Choice(names),
                help=f"Output format{by_file}" if by_file else f"Output format; {names[0]} by default.",
            ),
            click.option("--json", "form_flag", flag_value=JSON, help="Same as --format json."),
            *(click.option(f"--{name}", "form_flag", flag_value=name, hidden=True) for name in flags),
        ]
        for option in reversed(options):
            with_format = option(with_format)
        return with_format

    return add


def output_option(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with ``-o/--output FILE``, which redirects standard output to FILE, whole or not at all.

    An existing FILE is replaced. If the command raises an error, FILE is unchanged.
    """
    return _redirecting(command, _is_public)


def private_output_option(
    is_private: Callable[[Mapping[str, Any]], bool],
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return the decorator :func:`output_option` for output that may contain secrets or studies of patients.

    If *is_private* returns true for the command's parameters, a new FILE is readable by its owner only.
    """
    return lambda command: _redirecting(command, is_private)


def file_option(
    metavar: str, help_text: str, kind: click.ParamType[Any] | None = None
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return a decorator that adds ``-o/--output`` to a command that writes the file itself; called with ``output``.

    The parameter is the value converted by *kind* (a string by default), or None.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        hidden = click.option("--out", "output", type=kind, hidden=True)(command)
        return click.option("-o", "--output", "output", metavar=metavar, type=kind, help=help_text)(hidden)

    return add


def details_option(command: F) -> F:
    """Return *command* with ``--details``, called with ``details: bool``."""
    return click.option("--details", is_flag=True, help="Show all details of the report.")(command)


def require_details_form(form: str, *, details: bool) -> None:
    """Raise :class:`click.UsageError` for ``--details`` with a *form* other than text: those have all details."""
    if details and form != TEXT:
        raise click.UsageError(f"--details is for the text report. --format {form} always has all details")


def _redirecting(command: Callable[..., R], is_private: Callable[[Mapping[str, Any]], bool]) -> Callable[..., R]:
    @functools.wraps(command)
    def with_output(*, output: str | None, **parameters: Any) -> R:
        if output is None:
            return command(**parameters)
        with redirect_output(output, private=is_private(parameters)):
            return command(**parameters)

    return file_option("FILE", _OUTPUT_TEXT)(with_output)


def _is_public(_: Mapping[str, Any]) -> bool:
    return False


def _resolve_format(form: str | None, form_flag: str | None) -> str | None:
    """Return the format that the options specify, or None; raises :class:`click.UsageError` for two formats."""
    # Keyed by format, because two spellings of the same format do not contradict each other.
    spellings = {
        **({form: f"--format {form}"} if form is not None else {}),
        **({form_flag: f"--{form_flag}"} if form_flag is not None else {}),
    }
    if invocation.current().json_before_command:
        spellings[JSON] = "--json"
    if len(spellings) > 1:
        first, second, *_ = sorted(spellings.values())
        raise click.UsageError(f"{first} and {second} cannot be used together")
    return next(iter(spellings), None)


def _find_format_of_file(target: object, suffixes: Mapping[str, str]) -> str | None:
    """Return the format of the file *target*, None without a file or ending; raises a usage error for other endings."""
    suffix = Path(target).suffix.lower() if isinstance(target, str) and suffixes else ""
    if suffix and suffix not in suffixes:
        known = ", ".join(suffixes)
        raise click.UsageError(
            f"unknown ending of the file name {target}; the known endings are {known}. Specify the format with --format"
        )
    return suffixes.get(suffix)


def _add_json_before_command(ctx: click.Context, param: click.Parameter, value: bool) -> bool:  # noqa: ARG001 — click's signature
    return value or ctx.ensure_object(invocation.Invocation).json_before_command

"""``ATTR=VALUE`` on the command line, ``ATTR=@FILE`` and ``ATTR=@-`` where a value is long or a secret."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.terminal import ask_hidden
from dcmcfg.edits.attribute_values import Values
from dcmcfg.errors import DcmcfgError
from dcmcfg.schema.definitions import bundled
from dcmcfg.secret_values import is_secret

R = TypeVar("R")
_FROM, _STDIN = "@", "-"
#: Syntaxes whose values are taken from a file to the octet; a text's last line end is the file's.
_OCTETS = ("Binary", "Certificate")


def value_arguments(
    shell_complete: Callable[[click.Context, click.Parameter, str], list[CompletionItem]],
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return what adds the arguments ``ATTR=VALUE…`` to a command, to be called with ``values=tuple[Values, ...]``."""

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_values(*, values: tuple[str, ...], **rest: object) -> R:
            return command(values=_read(values), **rest)

        argument = click.argument(
            "values", nargs=-1, required=True, metavar="ATTR=VALUE...", shell_complete=shell_complete
        )
        return argument(with_values)

    return add


def _read(arguments: tuple[str, ...]) -> tuple[Values, ...]:
    """Return what *arguments* say, the values of one attribute together, in their order.

    Raises a usage error for one that says nothing, and for a secret that stands there for everybody to read.
    """
    if sum(argument.partition("=")[2] == _FROM + _STDIN for argument in arguments) > 1:
        raise click.UsageError("standard input can be one value only")
    found: dict[str, tuple[str, list[bytes]]] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{argument!r} is not ATTR=VALUE")
        found.setdefault(name.lower(), (name, []))[1].append(_value(name, text))
    return tuple(Values(name, tuple(values)) for name, values in found.values())


def _value(name: str, text: str) -> bytes:
    if not text:
        raise click.UsageError(f"{name}= says no value; dcmcfg unset takes the attribute away")
    if text.startswith(_FROM * 2):
        return _spoken(name, text[1:])
    if not text.startswith(_FROM):
        return _spoken(name, text)
    source = text[1:]
    octets = _from_stdin(name) if source == _STDIN else _from_file(source)
    known = bundled().attribute(name)
    if known is not None and known.syntax in _OCTETS:
        return octets
    return octets.removesuffix(b"\n").removesuffix(b"\r")


def _spoken(name: str, text: str) -> bytes:
    value = text.encode("utf-8", "surrogateescape")
    if is_secret(name, value):
        raise click.UsageError(
            f"{name}: a secret does not belong on the command line, which the shell's history keeps; "
            f"{name}=@FILE reads it from a file, {name}=@- from standard input (at a terminal it is asked for)"
        )
    return value


def _from_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DcmcfgError(f"the file cannot be read ({error.strerror})", on=path) from error


def _from_stdin(name: str) -> bytes:
    if sys.stdin.isatty():
        return ask_hidden(name, twice=True).encode()
    return sys.stdin.buffer.read()

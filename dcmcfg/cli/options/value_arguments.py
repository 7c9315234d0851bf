"""The arguments ``ATTR=VALUE``, ``ATTR+=VALUE`` and ``ATTR-=VALUE``.

A long value or a secret is read from a file (``ATTR=@FILE``) or from standard input (``ATTR=@-``).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.changes import Operation
from dcmcfg.cli.options.assignment import split_assignment
from dcmcfg.cli.terminal import prompt_hidden
from dcmcfg.edits.attribute_values import AttributeValues
from dcmcfg.errors import DcmcfgError
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.secret_values import is_secret

R = TypeVar("R")
_FILE_PREFIX, _STDIN = "@", "-"
#: Syntaxes whose values are read from a file unchanged. From a text, the final line end is removed.
_BINARY_SYNTAXES = ("Binary", "Certificate")


#: Value of the hidden option ``--equals`` → the meaning of ``ATTR=VALUE``.
_OPERATIONS = {"=": Operation.REPLACE, "+=": Operation.ADD, "-=": Operation.DELETE}


def value_arguments(
    shell_complete: Callable[[click.Context, click.Parameter, str], list[CompletionItem]],
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return a decorator that adds the arguments ``ATTR=VALUE…``, as ``values: tuple[AttributeValues, ...]``.

    The hidden option ``--equals`` changes what ``ATTR=VALUE`` means. It exists for the aliases ``add-value`` and
    ``remove-value``, which are ``set`` with another meaning of ``=``.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_values(*, values: tuple[str, ...], equals: str, **rest: object) -> R:
            return command(values=_parse_assignments(values, _OPERATIONS[equals]), **rest)

        argument = click.argument(
            "values", nargs=-1, required=True, metavar="ATTR[+|-]=VALUE...", shell_complete=shell_complete
        )
        option = click.option("--equals", type=click.Choice(list(_OPERATIONS)), default="=", hidden=True)
        return argument(option(with_values))

    return add


def _parse_assignments(arguments: tuple[str, ...], default: Operation) -> tuple[AttributeValues, ...]:
    """Return the values in *arguments* by attribute and operation, in their order; ``=`` stands for *default*.

    Raises a usage error for an argument without a value, and for a secret, which others can read on a command line.
    """
    if sum(argument.partition("=")[2] == _FILE_PREFIX + _STDIN for argument in arguments) > 1:
        raise click.UsageError("only one value can be read from standard input")
    values_by_name: dict[tuple[str, Operation], tuple[str, list[bytes]]] = {}
    for argument in arguments:
        name, operator, text = split_assignment(argument)
        if not operator or not name:
            raise click.UsageError(f"{argument!r} does not have the form ATTR=VALUE, ATTR+=VALUE or ATTR-=VALUE")
        if not text:
            raise click.UsageError(f"{name}{operator} has no value. To remove the attribute: dcmcfg unset")
        operation = default if operator == "=" else _OPERATIONS[operator]
        _, values = values_by_name.setdefault((name.lower(), operation), (name, []))
        values.append(_read_value(name, text))
    return tuple(
        AttributeValues(name, tuple(values), operation) for (_, operation), (name, values) in values_by_name.items()
    )


def _read_value(name: str, text: str) -> bytes:
    if text.startswith(_FILE_PREFIX * 2):
        return _encode_value(name, text[1:])
    if not text.startswith(_FILE_PREFIX):
        return _encode_value(name, text)
    source = text[1:]
    octets = _read_stdin(name) if source == _STDIN else _read_file(source)
    definition = load_bundled_schema().attribute(name)
    if definition is not None and definition.syntax in _BINARY_SYNTAXES:
        return octets
    return octets.removesuffix(b"\n").removesuffix(b"\r")


def _encode_value(name: str, text: str) -> bytes:
    value = text.encode("utf-8", "surrogateescape")  # restores octets that are not valid UTF-8
    if is_secret(name, value):
        raise click.UsageError(
            f"{name}: the value is a secret. Do not write a secret on the command line, because the shell's history "
            f"keeps the secret. To read the secret from a file: {name}=@FILE. To read the secret from standard input "
            f"or a prompt: {name}=@-"
        )
    return value


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DcmcfgError(f"the file cannot be read ({error.strerror})", subject=path) from error


def _read_stdin(name: str) -> bytes:
    if sys.stdin.isatty():
        return prompt_hidden(name, repeat=True).encode()
    return sys.stdin.buffer.read()

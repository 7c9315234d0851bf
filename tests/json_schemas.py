"""Check the JSON that commands print against the schemas that ``dcmcfg help --json-schema`` prints."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from dcmcfg.cli.commands import expand_alias
from dcmcfg.cli.invocation import Invocation
from dcmcfg.cli.session import failures
from dcmcfg.render.json_schemas.catalogue import OBJECTS_BY_COMMAND, Schema, make_command_schema


@functools.cache
def make_validator(command: str) -> Draft202012Validator:
    """Return the validator of the output of *command*."""
    return Draft202012Validator(make_command_schema(command))


def find_problems(schema_or_command: Schema | str, content: object) -> list[str]:
    """Return the differences of *content* from a schema, or from the schema of a command: ``["$.findings[0]: …"]``.

    If a command has several objects, the differences are those from the nearest one.
    """
    if isinstance(schema_or_command, str):
        validator = make_validator(schema_or_command)
    else:
        validator = Draft202012Validator(schema_or_command)
    found = list(validator.iter_errors(content))
    if len(found) == 1 and found[0].validator == "anyOf" and not found[0].path:
        alternatives: dict[object, list[Any]] = {}
        for each in found[0].context or ():
            alternatives.setdefault(each.schema_path[0], []).append(each)
        found = min(alternatives.values(), key=len)
    return [f"{each.json_path}: {each.message}" for each in found]


def require_schema(command: str, content: object) -> None:
    """Raise :class:`AssertionError` if *content* is not what *command* may print."""
    if problems := find_problems(command, content):
        raise AssertionError(f"dcmcfg help --json-schema {command}: {'; '.join(problems)}")


def check_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold each object that a command prints in this process to its schema."""
    make_failed_result = failures._make_json_result

    def dump(content: object, *, indent: int | None = None) -> str:
        require_schema(_find_running_command(), content)
        return json.dumps(content, indent=indent)

    def make_checked_result(failure: Any, invocation: Invocation) -> dict[str, Any]:
        content = make_failed_result(failure, invocation)
        command = _find_named_command(invocation.arguments)
        # A usage error may have no command.
        require_schema(command or "help", content)
        return content

    monkeypatch.setattr("dcmcfg.cli.session.output.json", SimpleNamespace(dumps=dump))
    monkeypatch.setattr(failures, "_make_json_result", make_checked_result)


def _find_running_command() -> str:
    words = click.get_current_context().command_path.split()[1:]
    return " ".join(words) or "--version"


def _find_named_command(arguments: Sequence[str]) -> str:
    for index in range(len(arguments)):
        words = expand_alias(arguments[index:])
        for command in (" ".join(words[:2]), words[0]):
            if command in OBJECTS_BY_COMMAND:
                return command
    return ""

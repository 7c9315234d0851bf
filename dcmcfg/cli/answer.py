"""The one JSON object that a command prints with ``--json``."""

from __future__ import annotations

import json

import click

from dcmcfg.cli import invocation


def print_json(result: object, *, indent: int | None = 2) -> None:
    """Print *result* as JSON on standard output; a failure after this is told on standard error only."""
    invocation.current().answered = True
    click.echo(json.dumps(result, indent=indent))

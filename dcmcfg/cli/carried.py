"""Options of this run in the commands that it tells the user to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.given import given_options

_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'";)])+(?<![,:])"""


@dataclass(frozen=True)
class _Proposed:
    """A command as next steps write it, with the options of ``verify`` that mean the same there."""

    line: re.Pattern[str]
    options: tuple[str, ...]

    def with_options(self, text: str, options: str) -> str:
        """Return *text* with *options* behind each such command."""
        return self.line.sub(lambda line: line[0] + options, text)


_PROPOSED = (
    _Proposed(
        re.compile(rf"\bdcmcfg verify --recall (?:--dest {_WORD}|--temporary-dest)"),
        (
            *("--ae", "--calling", "--connect", "--level", "--model", "--priority"),
            *("--receive", "--keep", "--temporary-address", "--require-witness", "--require-route"),
            *("--external-log", "--no-qido", "--timeout-s"),
            *("--tls", "--tls-ca", "--tls-cert", "--tls-key", "--tls-key-passphrase-file", "--tls-any-host"),
        ),
    ),
    _Proposed(re.compile(rf"\bdcmcfg route --dest {_WORD}"), ("--ae", "--calling")),
    _Proposed(re.compile(rf"\bdcmcfg work-order --external {_WORD}"), ("--ae", "--calling")),
)


def carried(context: click.Context, text: str) -> str:
    """Return *text* with what was given to the command of *context* in each line that needs it as much.

    What comes from a profile or a default is there again when the line is typed.
    """
    given = given_options(context)
    for each in _PROPOSED:
        kept = "".join(f" {_typed(option, given[option])}" for option in each.options if option in given)
        text = each.with_options(text, kept)
    return text


def proposed(text: str) -> str:
    """Return *text*, said by the command that runs, with what its command lines need of this run: options and site."""
    return proposing()(text)


def proposing() -> Callable[[str], str]:
    """Return :func:`proposed` for the command that runs, to be called in any thread."""
    context, run = click.get_current_context(), invocation.current()
    return lambda text: run.spoken(carried(context, text))


def _typed(option: str, value: object) -> str:
    if isinstance(value, bool):
        return option
    return f"{option} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}"

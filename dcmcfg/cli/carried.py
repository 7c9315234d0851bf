"""Options of this run in the commands that it tells the user to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.given import given_options

_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'";)])+(?<![,:])"""
#: The options that follow in a command, each with its value, if it has one.
_OPTIONS = re.compile(rf"(?: --[a-z-]+(?: (?!--){_WORD})?)*")


@dataclass(frozen=True)
class _Proposed:
    """A command as next steps write it, with the options of ``verify`` that mean the same there."""

    line: re.Pattern[str]
    options: tuple[str, ...]

    def with_options(self, text: str, given: Mapping[str, object]) -> str:
        """Return *text* with what was *given* of ``options`` in each such command, unless it has the option."""

        def completed(line: re.Match[str]) -> str:
            follow = _OPTIONS.match(text, line.end())
            has = (line[0] + (follow[0] if follow else "")).split()
            kept = (each for each in self.options if each in given and each not in has)
            return line[0] + "".join(f" {_typed(each, given[each])}" for each in kept)

        return self.line.sub(completed, text)


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
        text = each.with_options(text, given)
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

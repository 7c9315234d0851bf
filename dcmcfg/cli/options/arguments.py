"""Arguments and options that are checked before a server is contacted, such as the number of a change."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.edits.cipher_suites import parse_cipher_suite
from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.change_reference import ChangeReference, parse_reference
from dcmcfg.rollout.history import History
from dcmcfg.settings.folders import get_state_folder

F = TypeVar("F", bound=Callable[..., object])
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def _parse_cipher_suites(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001 — click's signature
    return tuple(dict.fromkeys(map(parse_cipher_suite, values)))


def _parse_name_pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return ``OLD=NEW`` values as a mapping; raises a usage error for another form, or an OLD given twice."""
    new_names: dict[str, str] = {}
    for value in values:
        old, equals, new = value.rpartition("=")  # at the last one, so that OLD may contain `=`
        if not equals or not old or not new:
            raise click.BadParameter(f"{value!r} does not have the form OLD=NEW", ctx, param)
        if old in new_names:
            raise click.BadParameter(f"{old} is given twice", ctx, param)
        new_names[old] = new
    return new_names


def cipher_suite_option(function: F) -> F:
    """Return *function* with ``--cipher-suite``, whose parameter ``cipher_suites`` is a tuple of JSSE names."""
    return click.option(
        "--cipher-suite",
        "cipher_suites",
        multiple=True,
        metavar="NAME",
        callback=_parse_cipher_suites,
        help="Use TLS with this cipher suite. NAME is the Java name, such as TLS_RSA_WITH_AES_128_CBC_SHA. Can be "
        "repeated.",
    )(function)


def new_name_option(name: str, help_text: str) -> Callable[[F], F]:
    """Return the decorator of a repeatable option ``OLD=NEW``; its parameter is a dict."""
    options: dict[str, Any] = {"multiple": True, "metavar": "OLD=NEW", "callback": _parse_name_pairs, "help": help_text}
    return click.option(name, **options)


class ChangeName(click.ParamType[int | ChangeReference]):
    """The number of a change of this account, from 1 on, or ``ACCOUNT-N`` for a change by another account."""

    name = "change"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | ChangeReference:
        if isinstance(value, int | ChangeReference):
            return value
        if _NUMBER.fullmatch(value):
            return int(value)
        if (reference := parse_reference(value)) is None:
            self.fail(f"{value!r} is not the number of a change. To list the changes: dcmcfg history", param, ctx)
        return reference

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 — click's signature
        """Return the numbers of roll-outs that begin with *incomplete*, the newest first, each with its command."""
        try:
            return [
                CompletionItem(str(record.number), help=record.header.command)
                for record in History(get_state_folder()).records
                if str(record.number).startswith(incomplete)
            ]
        except DcmcfgError:  # an error message would break the command line that the user is typing
            return []

"""The option ``--max``, which changes a limit on data from peers; accepted before and after the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from dcmcfg.cli.options.topic_option import topic_option
from dcmcfg.cli.topics import LIMITS
from dcmcfg.limits import override_limits, parse_limit

F = TypeVar("F", bound=Callable[..., object])


class _Limit(click.ParamType[Any]):
    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        try:
            return parse_limit(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def limit_option(function: F, *, hidden: bool = False) -> F:
    """Return *function* with the option ``--max``, which applies until the command ends."""
    return topic_option(LIMITS)(
        "--max",
        metavar="NAME=NUMBER",
        type=_Limit(),
        multiple=True,
        expose_value=False,
        hidden=hidden,
        callback=_raise_limits,
        help="Raise a limit for data from other systems. Example: ldap-entries=2000000. Can be repeated.",
    )(function)


def _raise_limits(ctx: click.Context, param: click.Parameter, value: tuple[tuple[str, int], ...]) -> None:  # noqa: ARG001 — click's signature
    if value:
        ctx.with_resource(override_limits(dict(value)))

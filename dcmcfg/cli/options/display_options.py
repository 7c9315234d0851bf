"""Options for the appearance of output: ``--color``, ``--wide``.

Kept apart: every command accepts ``--color``, before and after it; the option is defined once, here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from dcmcfg.render.terminal.styles import ColorMode, override_color_mode, show_all_columns

F = TypeVar("F", bound=Callable[..., object])


def _set_color_mode(ctx: click.Context, param: click.Parameter, value: str | None) -> None:  # noqa: ARG001 — click's signature
    if value is not None:
        ctx.with_resource(override_color_mode(ColorMode(value)))


def make_color_option(*, hidden: bool) -> click.Option:
    """Return the option ``--color``, which applies until the command ends."""
    return click.Option(
        ["--color"],
        type=click.Choice([mode.value for mode in ColorMode]),
        expose_value=False,
        hidden=hidden,
        callback=_set_color_mode,
        help="Colour the output; auto: only at a terminal.",
    )


def wide_option(function: F) -> F:
    """Return *function* with the option ``--wide`` for lists; the option applies until the command ends."""
    return click.option(
        "--wide",
        is_flag=True,
        expose_value=False,
        callback=_show_all_columns,
        help="Show all columns, even if the terminal is too narrow for all columns.",
    )(function)


def _show_all_columns(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001 — click's signature
    if value:
        ctx.with_resource(show_all_columns())

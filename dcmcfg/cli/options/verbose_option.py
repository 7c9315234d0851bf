"""The option ``-v/--verbose`` of every command; also accepted before the command.

Kept apart: ``dcmcfg --help`` loads it, but not the other output options.
"""

from __future__ import annotations

import click

from dcmcfg.cli.printing import print_output
from dcmcfg.protocol_log import enable_protocol_log


def make_verbose_option(*, hidden: bool) -> click.Option:
    """Return the option; ``-v`` before and after the command add up."""
    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        hidden=hidden,
        callback=_enable_log,
        help="Print LDAP, DICOM and HTTP requests. -vv prints more details.",
    )


def _enable_log(ctx: click.Context, param: click.Parameter, value: int) -> None:  # noqa: ARG001 — click's signature
    if value:
        ctx.with_resource(enable_protocol_log(value, _print_line))


def _print_line(line: str) -> None:
    print_output(line, on_stderr=True)

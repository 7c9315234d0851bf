"""Commands that refuse a repeated option: click would silently use the last value.

Kept apart: ``dcmcfg --help`` loads it, but not the options of the site.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from dcmcfg.cli.options.display_options import make_color_option
from dcmcfg.cli.options.help_page import HelpPage
from dcmcfg.cli.options.verbose_option import make_verbose_option

_HIDDEN_OPTIONS = (make_color_option(hidden=True), make_verbose_option(hidden=True))
_LISTED_OPTIONS = (make_color_option(hidden=False), make_verbose_option(hidden=False))


class UniqueOptionsCommand(HelpPage):
    """A command whose options can be given only once, unless they accept several values.

    It has ``--color`` and ``-v``, which only the help of the program lists.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's parameters, and the options that every command has."""
        params = super().get_params(ctx)
        return [*params, *(_LISTED_OPTIONS if ctx.parent is None else _HIDDEN_OPTIONS)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does; raises :class:`click.UsageError` for an option that contradicts an earlier one."""
        # Parse once more, because click keeps only the last value. Completion parses unfinished lines: no errors there.
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            _refuse_repeated(ctx, given)
        return super().parse_args(ctx, args)


def _refuse_repeated(ctx: click.Context, given: Sequence[click.Parameter]) -> None:
    first_by_name: dict[str, click.Option] = {}
    for option in given:
        if not isinstance(option, click.Option) or option.multiple or option.count:
            continue
        first = first_by_name.setdefault(option.name or "", option)
        if first is not option:
            raise click.UsageError(f"{first.opts[0]} and {option.opts[0]} cannot be used together", ctx)
        count = sum(each is option for each in given)
        # A repeated flag has no other effect, unless it has an opposite, such as --no-qido.
        if count > 1 and (not option.is_flag or option.secondary_opts):
            names = "/".join((*option.opts, *option.secondary_opts))
            raise click.UsageError(f"{names} is given {count} times, but can be given only once", ctx)

"""The site options of a command, its ``--help`` in sections, and helpers for options.

A command takes :func:`site_options` and gets ``settings``. :func:`option_group` hands several options to a command as
one value. :func:`get_given_options` returns the options on the command line.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from dcmcfg.cli import invocation
from dcmcfg.cli.options.limit_option import limit_option
from dcmcfg.cli.options.site_settings import SITE_SETTINGS, add_site_options
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.settings import Settings, resolve_settings

R = TypeVar("R")
_OWN, _RISKS, _SITE = "Options", "Safety overrides", "Site"


class ForceOption(click.Option):
    """An option that takes a risk by its name."""


class SectionOption(click.Option):
    """An option that ``--help`` lists under a heading of its own."""

    def __init__(self, *names: Any, section: str, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.section = section


def section_option(section: str) -> Callable[..., Callable[[Callable[..., R]], Callable[..., R]]]:
    """Return what ``click.option`` is, for options of the *section* of ``--help``."""
    return functools.partial(click.option, cls=SectionOption, section=section)


class SiteCommand(UniqueOptionsCommand):
    """A command whose help has sections: its own options, those with a heading, risks, where the site is."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections."""
        sections: dict[str, list[tuple[str, str]]] = {_OWN: []}
        last_sections: dict[str, list[tuple[str, str]]] = {_RISKS: [], _SITE: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                title = _get_section(parameter)
                (last_sections if title in last_sections else sections).setdefault(title, []).append(record)
        for title, records in (sections | last_sections).items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _get_section(parameter: click.Parameter) -> str:
    if isinstance(parameter, ForceOption):
        return _RISKS
    if isinstance(parameter, SectionOption):
        return parameter.section
    return _SITE if parameter.name in SITE_SETTINGS else _OWN


def site_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the site options added, to be called with ``settings=Settings``.

    An option after the command wins over the same one before it. The settings are resolved when the command runs,
    so ``--help`` works whatever the environment and the profiles hold; what is wrong with them is raised then.
    """
    return _with_settings(command)


def site_options_without_device(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* as :func:`site_options` does for one whose own ``--device`` means another device.

    The archive's device can be said before the command then.
    """
    return _with_settings(command, except_setting="device")


def _with_settings(command: Callable[..., R], *, except_setting: str | None = None) -> Callable[..., R]:
    @functools.wraps(command)
    def with_settings(**parameters: object) -> R:
        site_parameters = {name: parameters.pop(name) for name in SITE_SETTINGS if name != except_setting}
        options = invocation.current().site_options
        options.update({name: str(value) for name, value in site_parameters.items() if value is not None})
        settings: Settings = resolve_settings(options, os.environ)
        return command(settings=settings, **parameters)

    return add_site_options(limit_option(with_settings, hidden=True), except_setting=except_setting)


def get_given_options(context: click.Context) -> dict[str, Any]:
    """Return the value of each option that was given, but those of the site and of limits, by its first long name."""
    return {
        _find_long_name(parameter, context.params[parameter.name or ""]): context.params[parameter.name or ""]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.expose_value
        and parameter.name not in SITE_SETTINGS
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    }


def _find_long_name(option: click.Option, value: Any) -> str:
    is_negated = option.secondary_opts and not value
    return next(each for each in (option.secondary_opts if is_negated else option.opts) if each.startswith("--"))


def option_group(
    name: str, kind: type[Any], options: Sequence[Callable[[Callable[..., R]], Callable[..., R]]]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return what adds *options* to a command, which then is called with ``name=kind(…)``.

    The fields of the frozen dataclass *kind* are the parameters of the options.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_group(**parameters: object) -> R:
            group_parameters = {field.name: parameters.pop(field.name) for field in fields(kind)}
            return command(**{name: kind(**group_parameters)}, **parameters)

        for option in reversed(options):
            with_group = option(with_group)
        return with_group

    return add

"""The site options of a command, its ``--help`` in sections, and helpers for options.

A command that is decorated with :func:`site_options` gets ``settings``. :func:`option_group` passes several options to
a command as one value. :func:`get_given_options` returns the options on the command line.
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
from dcmcfg.cli.options.help_page import SAFETY_OVERRIDES_HEADING
from dcmcfg.cli.options.limit_option import limit_option
from dcmcfg.cli.options.site_settings import SITE_SETTINGS, add_site_options
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.settings import Settings, resolve_settings

R = TypeVar("R")


class ForceOption(click.Option):
    """An option that accepts a risk of one command; those of all changing commands are in a help topic."""

    section = SAFETY_OVERRIDES_HEADING


class SectionOption(click.Option):
    """An option that ``--help`` lists under a heading of its own."""

    def __init__(self, *names: Any, section: str, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.section = section


def section_option(section: str) -> Callable[..., Callable[[Callable[..., R]], Callable[..., R]]]:
    """Return ``click.option`` for options in the *section* of ``--help``."""
    return functools.partial(click.option, cls=SectionOption, section=section)


class SiteCommand(UniqueOptionsCommand):
    """A command that uses the site: it has the site options."""


def site_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the site options, called with ``settings=Settings``.

    An option after the command overrides the same option before it. The settings are resolved when the command runs,
    so ``--help`` works even if the environment or a profile has errors; these errors are raised at that time.
    """
    return _with_settings(command)


def site_options_without_device(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the site options except ``--device``, because in this command it means another device.

    The archive's device can be specified before the command.
    """
    return _with_settings(command, except_setting="device")


def unresolved_site_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the site options, which are only noted: for a command that contacts no server.

    Settings with errors do not stop such a command.
    """

    @functools.wraps(command)
    def with_options(**parameters: object) -> R:
        site_parameters = {name: parameters.pop(name) for name in SITE_SETTINGS}
        options = invocation.current().site_options
        options.update({name: str(value) for name, value in site_parameters.items() if value is not None})
        return command(**parameters)

    return add_site_options(with_options)


def _with_settings(command: Callable[..., R], *, except_setting: str | None = None) -> Callable[..., R]:
    @functools.wraps(command)
    def with_settings(**parameters: object) -> R:
        site_parameters = {name: parameters.pop(name) for name in SITE_SETTINGS if name != except_setting}
        # These are the options before the command; the options after it override them.
        options = invocation.current().site_options
        options.update({name: str(value) for name, value in site_parameters.items() if value is not None})
        settings: Settings = resolve_settings(options, os.environ)
        return command(settings=settings, **parameters)

    # --max is hidden here, because the help topic `limits` describes it.
    return add_site_options(limit_option(with_settings, hidden=True), except_setting=except_setting)


def get_given_options(context: click.Context) -> dict[str, Any]:
    """Return the values of the given options by first long name, without those of the site and of limits."""
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
    """Return a decorator that adds *options* to a command, as the parameter ``name`` of type ``kind``.

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

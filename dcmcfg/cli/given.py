"""Which options the command that runs was given on its command line."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from dcmcfg.cli.options.of_site import SITE_SETTINGS


def given_options(context: click.Context) -> dict[str, Any]:
    """Return the value of each option that was given, but those of the site and of limits, by its first long name."""
    return {
        _spelt(parameter, context.params[parameter.name or ""]): context.params[parameter.name or ""]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.expose_value
        and parameter.name not in SITE_SETTINGS
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    }


def _spelt(option: click.Option, value: Any) -> str:
    negated = option.secondary_opts and not value
    return next(each for each in (option.secondary_opts if negated else option.opts) if each.startswith("--"))

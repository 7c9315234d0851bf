"""The site that a command works on."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TypeVar

from dcmcfg.cli import invocation
from dcmcfg.cli.options import SITE_SETTINGS, add_site_options
from dcmcfg.settings import Settings, resolve

R = TypeVar("R")


def site_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the site options added, to be called with ``settings=Settings``.

    An option after the command wins over the same one before it. The settings are resolved when the command runs,
    so ``--help`` works whatever the environment and the profiles hold; what is wrong with them is raised then.
    """

    @functools.wraps(command)
    def with_settings(**parameters: object) -> R:
        own = {name: parameters.pop(name) for name in SITE_SETTINGS}
        before = invocation.current().site
        options = before | {name: str(value) for name, value in own.items() if value is not None}
        settings: Settings = resolve(options, os.environ)
        return command(settings=settings, **parameters)

    return add_site_options(with_settings)

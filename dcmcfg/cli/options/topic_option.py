"""Options that a help topic describes, so that the help of a command has one line for all of them.

Kept apart: ``dcmcfg --help`` loads it, so it must not load other modules.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


class TopicOption(click.Option):
    """An option that the help topic ``topic`` describes instead of the command's help; completion offers the option."""

    def __init__(self, *names: Any, topic: str, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.topic = topic


def topic_option(topic: str) -> Callable[..., Callable[[F], F]]:
    """Return ``click.option`` for options that the help topic *topic* describes."""
    return functools.partial(click.option, cls=TopicOption, topic=topic)

"""Options that a help topic describes, so that the help of each command needs one line for all of them.

Kept apart: ``dcmcfg --help`` loads it, and it loads nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


class TopicOption(click.Option):
    """An option that help leaves to the topic ``topic``; completion offers it like any other."""

    def __init__(self, *names: Any, topic: str, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.topic = topic


def topic_option(topic: str) -> Callable[..., Callable[[F], F]]:
    """Return what ``click.option`` is, for options that the help topic *topic* describes."""
    return functools.partial(click.option, cls=TopicOption, topic=topic)

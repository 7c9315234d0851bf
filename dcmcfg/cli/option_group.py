"""Options that belong together, handed to a command as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

R = TypeVar("R")


def option_group(
    name: str, kind: type[Any], options: Sequence[Callable[[Callable[..., R]], Callable[..., R]]]
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return what adds *options* to a command, which then is called with ``name=kind(…)``.

    The fields of the frozen dataclass *kind* are the parameters of the options.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_group(**parameters: object) -> R:
            own = {field.name: parameters.pop(field.name) for field in fields(kind)}
            return command(**{name: kind(**own)}, **parameters)

        for option in reversed(options):
            with_group = option(with_group)
        return with_group

    return add

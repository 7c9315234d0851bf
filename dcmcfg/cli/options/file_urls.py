"""The options for values that are read from other files (``attr:< file:NAME``).

Kept apart: ``apply``, ``check`` and ``diff`` use it and do not load one another.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

R = TypeVar("R")


def file_urls_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the options, as the parameter ``file_urls``.

    ``file_urls`` is the folder of such files, True for the folder of the LDIF file, or False to read none.
    """

    @functools.wraps(command)
    def with_file_urls(*, allow_file_urls: bool, file_urls_from: Path | None, **rest: Any) -> R:
        return command(file_urls=file_urls_from or allow_file_urls, **rest)

    allow_option = click.option(
        "--allow-file-urls",
        is_flag=True,
        help="Read values of the form 'attr:< file:NAME' from files in the folder of the LDIF file.",
    )
    folder_option = click.option(
        "--file-urls-from",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Read values of the form 'attr:< file:NAME' from files in the folder DIR.",
    )
    return allow_option(folder_option(with_file_urls))

"""Options that the commands of ``dcmcfg upgrade`` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])
FOLDER = click.Path(path_type=Path)


def release_options(command: F) -> F:
    """Add ``--to``, ``--updates``, ``--tree`` and ``--archive``."""
    for option in reversed(
        (
            click.option(
                "--to", "target_folder", metavar="FOLDER", type=FOLDER, required=True, help="Release to upgrade to."
            ),
            click.option(
                "--updates",
                "update_folders",
                metavar="FOLDER",
                type=FOLDER,
                multiple=True,
                help="More update files, in a folder for each release; can be repeated.",
            ),
            click.option(
                "--tree",
                "tree_file",
                metavar="FILE",
                type=FOLDER,
                help="Read the configuration from this LDIF file or snapshot, not from the directory server.",
            ),
            click.option("--archive", metavar="NAME", default="", help="Device of the archive, if there are several."),
        )
    ):
        command = option(command)
    return command


def releases_option(command: F) -> F:
    """Add ``--release``, called with ``release_folders``."""
    return click.option(
        "--release",
        "--releases",
        "release_folders",
        metavar="FOLDER",
        type=FOLDER,
        multiple=True,
        help="Another release, to recognise its schema in the server; can be repeated.",
    )(command)

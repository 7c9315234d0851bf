"""Options that the commands of ``dcmcfg upgrade`` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from dcmcfg.cli.session.output import STDOUT
from dcmcfg.upgrade.options import ALL_KINDS, GAP_KINDS

F = TypeVar("F", bound=Callable[..., object])
FOLDER = click.Path(path_type=Path)


class _PlanFile(click.Path):
    """The new file of a plan; not standard output, which the report needs."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if str(value) == STDOUT:
            self.fail(
                "the plan cannot be written to standard output, because the report is printed there; specify a new "
                "file",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


PLAN_FILE = _PlanFile(dir_okay=False, allow_dash=False, path_type=Path)


def release_options(*, target_required: bool = True) -> Callable[[F], F]:
    """Return a decorator that adds ``--to``, ``--updates``, ``--tree`` and ``--archive``."""
    options = (
        click.option(
            "--to",
            "target_folder",
            metavar="FOLDER",
            type=FOLDER,
            required=target_required,
            help="Release to upgrade to.",
        ),
        click.option(
            "--updates",
            "update_folders",
            metavar="FOLDER",
            type=FOLDER,
            multiple=True,
            help="Folder with more update files. It has a subfolder for each release. Can be repeated.",
        ),
        click.option(
            "--tree",
            "tree_file",
            metavar="FILE",
            type=FOLDER,
            help="Read the configuration from this LDIF file or snapshot, not from the directory server.",
        ),
        click.option(
            "--archive",
            metavar="NAME",
            default="",
            help="Device of the archive. Required only if there are several archive devices.",
        ),
    )

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def upgrade_options(source_help: str) -> Callable[[F], F]:
    """Return a decorator that adds the releases of an upgrade (``--from`` with *source_help*) and the site's parts."""

    def add(command: F) -> F:
        command = _add_role_options(command)
        command = click.option(
            "--installed",
            "installed_folder",
            metavar="FOLDER",
            type=FOLDER,
            help="First release that was installed at the site. Default: the release of --from.",
        )(command)
        command = release_options()(command)
        return click.option("--from", "source_folder", metavar="FOLDER", type=FOLDER, help=source_help)(command)

    return add


def _add_role_options(command: F) -> F:
    """Add ``--role`` and ``--without``."""
    command = click.option("--without", metavar="DEVICE", multiple=True, help="Do not add this device of the release.")(
        command
    )
    return click.option(
        "--role",
        "roles",
        metavar="ROLE=NAME",
        multiple=True,
        callback=_parse_roles,
        help=(
            "ROLE is an AE, device or web application, with its name in the default configuration. "
            "NAME is its name at the site, or '-' if the site has removed it. If ROLE is new in the "
            "release, the plan adds it with the name NAME. Can be repeated."
        ),
    )(command)


def gap_option(help_text: str) -> Callable[[F], F]:
    """Return a decorator that adds ``--gap`` with *help_text*."""
    return click.option("--gap", metavar="KIND,…", multiple=True, callback=_parse_gap, help=help_text)


def _parse_roles(ctx: click.Context, param: click.Parameter, answers: tuple[str, ...]) -> dict[str, str]:
    parsed: dict[str, str] = {}
    for answer in answers:
        role, separator, name = answer.partition("=")
        if not (role and separator and name):
            raise click.BadParameter(f"{answer!r} does not have the form ROLE=NAME", ctx, param)
        if role in parsed:
            raise click.BadParameter(f"{role} is given twice: {parsed[role]} and {name}", ctx, param)
        parsed[role] = name
    return parsed


def parse_names(ctx: click.Context, param: click.Parameter, lists: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG001 — click's signature
    """Return the names in *lists*, each separated by commas: a callback of click."""
    return tuple(name for each in lists for name in each.split(",") if name)


def _parse_gap(ctx: click.Context, param: click.Parameter, lists: Sequence[str]) -> frozenset[str]:
    kinds = frozenset(parse_names(ctx, param, lists))
    if unknown := sorted(kinds - {*GAP_KINDS, ALL_KINDS}):
        raise click.BadParameter(
            f"unknown kind {', '.join(unknown)}. The kinds are {', '.join(GAP_KINDS)} and {ALL_KINDS}", ctx, param
        )
    return kinds


def releases_option(command: F) -> F:
    """Add ``--release``, called with ``release_folders``."""
    return click.option(
        "--release",
        "--releases",
        "release_folders",
        metavar="FOLDER",
        type=FOLDER,
        multiple=True,
        help="Older release: the one that was installed first at the site, or the one of the server's schema. If you "
        "do not know the release, repeat the option for each possible release.",
    )(command)

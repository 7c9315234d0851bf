"""``dcmcfg lab``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from dcmcfg.cli.options.unique_options import GivenOnce
from dcmcfg.cli.printing import say
from dcmcfg.cli.session.output import print_json
from dcmcfg.errors import LabError
from dcmcfg.lab import demo, lifecycle
from dcmcfg.lab.site import Secured
from dcmcfg.lab.state import PartState
from dcmcfg.lab.studies import make_studies
from dcmcfg.render.lab import lab_json, part_line, print_lab
from dcmcfg.settings.folders import folder_in_state

F = TypeVar("F", bound=Callable[..., object])

_MOST_STUDIES = 100_000
_LIFE = click.IntRange(min=1)
_POLL = 0.2


def _new_folder() -> Path:
    return folder_in_state("lab")


def _known_folder() -> Path:
    return lifecycle.known_folder(_new_folder())


def _folder_option(default: Callable[[], Path], told: str) -> Callable[[F], F]:
    return click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="DCMCFG_LAB_FOLDER",
        default=default,
        show_default=told,
        help="Folder of the lab.",
    )


_folder_of_new = _folder_option(_new_folder, "in the user's state folder")
_folder_of_known = _folder_option(_known_folder, "in the user's state folder, else that of the profile lab")


@click.group("lab", short_help="Run a whole site on this machine, to try things on.")
def lab_group() -> None:
    """Run a whole site on this machine, to try things on.

    A directory server (slapd), a stand-in for the archive, an external archive and a storage SCP, all on loopback.
    The profile "lab" describes it: dcmcfg show --profile lab.
    """


@lab_group.command("up", cls=GivenOnce)
@_folder_of_new
@click.option("--foreground", is_flag=True, help="Stay until Ctrl-C, then take the lab down.")
@click.option("--with-pid", type=_LIFE, envvar="DCMCFG_LAB_WITH_PID", help="End the lab when this process ends.")
@click.option("--secured-by", metavar="ISSUER", help="Have the archive want tokens of this OpenID Connect issuer.")
@click.option(
    "--studies",
    type=click.IntRange(0, _MOST_STUDIES),
    default=0,
    metavar="N",
    help="Put N more studies into it, of one image each; every tenth is purged and held externally.",
)
def up(folder: Path, with_pid: int | None, secured_by: str | None, studies: int, *, foreground: bool) -> None:
    """Start the lab, on free ports; returns when every part is ready.

    Exit code 3: a part could not be started, and nothing is running.
    """
    secured = Secured(secured_by.rstrip("/")) if secured_by else None
    pid = os.getpid() if foreground else with_pid
    lab, started = lifecycle.up(folder, _tell, with_pid=pid, secured=secured, more_studies=studies)
    said = "The lab is up" if started else "The lab is already up"
    lines = [f"{said}: profile {lifecycle.PROFILE}, folder {lab.site.folder}"]
    if lab.site.more_studies:
        lines.append(f"{lab.site.more_studies} more studies: {lab.site.study_list}")
    if foreground:
        _stay(lab, lines)
    else:
        say(*lines)


@lab_group.command("down", cls=GivenOnce)
@_folder_of_known
def down(folder: Path) -> None:
    """End the lab, and remove its folder and its profile."""
    match lifecycle.down(folder):
        case lifecycle.Down.ENDED_NOW:
            say("The lab is down.")
        case lifecycle.Down.ENDED_BEFORE:
            say("The lab had ended before; what it left is removed.")
        case lifecycle.Down.GONE:
            say(f"The lab in {folder} is gone; its profile is removed.")
        case lifecycle.Down.NO_LAB:
            say("No lab is up.")


@lab_group.command("status", cls=GivenOnce)
@_folder_of_known
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(folder: Path, *, as_json: bool) -> int:
    """Show the parts of the lab, and the studies in it.

    Exit code 1: the lab is not up.
    """
    lab = lifecycle.find(folder.absolute())
    if as_json:
        print_json(lab_json(lab, make_studies()))
    elif lab is None and lifecycle.is_gone(folder.absolute()):
        gone = f"The lab in {folder}, which the profile {lifecycle.PROFILE} describes, is gone"
        say(f"{gone}. To remove the profile: dcmcfg lab down. To start a new lab: dcmcfg lab up")
    elif lab is None:
        say("No lab is up. To start one: dcmcfg lab up")
    else:
        print_lab(lab, make_studies())
    return 0 if lab and lab.is_up else 1


@lab_group.command("demo", cls=GivenOnce, short_help="Tell the story of an external retrieve, on a lab of its own.")
def demo_command() -> int:
    """Tell the story of a retrieve from an external archive, on a lab of its own.

    A retrieve fails; the setting it needs is made; it works; the setting is undone. Each step is a real command,
    and checked. Exit code 0: every step did what the story says. 1: one did not.
    """
    return 0 if demo.play(lambda text: say(*text.split("\n"))) else 1


def _tell(part: PartState) -> None:
    say(part_line(part), on_stderr=True)


def _stay(lab: lifecycle.Lab, lines: Sequence[str]) -> None:
    """Print *lines*, wait until Ctrl-C, and take *lab* down; raises :class:`LabError` when it ends by itself."""
    folder = lab.site.folder
    try:
        say(*lines)
        say("Ctrl-C ends it.", on_stderr=True)
        while (found := lifecycle.find(folder)) and found.is_up:
            time.sleep(_POLL)
    finally:
        lifecycle.down(folder)
    raise LabError(f"the lab ended: {found.reason if found else 'another dcmcfg took it down'}", on=str(folder))

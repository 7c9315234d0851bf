"""``dcmcfg lab``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.output import print_json
from dcmcfg.errors import DcmcfgError, LabError
from dcmcfg.lab import demo, lifecycle
from dcmcfg.lab.config_slapd import CONFIG_DN
from dcmcfg.lab.site import TokenRequirements
from dcmcfg.lab.state import PartState
from dcmcfg.lab.studies import make_standard_studies
from dcmcfg.render.lab import demo_json, format_part_ready, lab_json, print_lab
from dcmcfg.settings import get_profile_path
from dcmcfg.settings.folders import get_state_subfolder
from dcmcfg.settings.profiles import read_selected_profile
from dcmcfg.settings.sources import find_profile_to_use

F = TypeVar("F", bound=Callable[..., object])

_MAX_STUDIES = 100_000
_MAX_NODES = 8
_MAX_LAG_S = 86_400
_PROCESS_ID = click.IntRange(min=1)
_POLL_INTERVAL_S = 0.2


def _get_new_folder() -> Path:
    return get_state_subfolder("lab")


def _get_known_folder() -> Path:
    return lifecycle.resolve_folder(_get_new_folder())


def _make_folder_option(default: Callable[[], Path], default_text: str) -> Callable[[F], F]:
    return click.option(
        "--folder",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="DCMCFG_LAB_FOLDER",
        default=default,
        show_default=default_text,
        help="Folder of the lab.",
    )


_new_folder_option = _make_folder_option(_get_new_folder, "in the user's state folder")
_known_folder_option = _make_folder_option(
    _get_known_folder,
    "the lab in the user's state folder; if this folder has no lab, the folder that the profile 'lab' specifies",
)


@click.group("lab", cls=CommandGroup, short_help="Run a complete site on this machine for trials.")
def lab_group() -> None:
    """Run a complete site on this machine for trials.

    The lab has a directory server (slapd), a program that imitates dcm4chee-arc, an external archive and a storage SCP.
    All of these use loopback addresses. The profile 'lab' describes the lab. To see the configuration of the lab, run
    'dcmcfg show --profile lab'.
    """


@lab_group.command("up", cls=UniqueOptionsCommand)
@_new_folder_option
@click.option("--foreground", is_flag=True, help="Wait for Ctrl-C, then stop the lab.")
@click.option(
    "--with-pid", type=_PROCESS_ID, envvar="DCMCFG_LAB_WITH_PID", help="End the lab when the process with this ID ends."
)
@click.option("--token-issuer", metavar="ISSUER", help="Make the archive require tokens of this OpenID Connect issuer.")
@click.option(
    "--studies",
    type=click.IntRange(0, _MAX_STUDIES),
    default=0,
    metavar="N",
    help="Add N studies with one image each. Every tenth study is purged: only the external archive has its image.",
)
@click.option(
    "--nodes",
    type=click.IntRange(1, _MAX_NODES),
    default=1,
    metavar="N",
    help="Give the archive N nodes, on 127.0.0.1, 127.0.0.2 and so on.",
)
@click.option(
    "--replica-lag",
    type=click.IntRange(0, _MAX_LAG_S),
    metavar="S",
    help="Let each node read a replica of the directory. The first replica receives each change immediately. The "
    "other replicas ask for changes every S seconds.",
)
@click.option(
    "--release",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Install the directory with the schema and the default configuration of this release: a folder or a zip file.",
)
@json_option
def up_command(
    folder: Path,
    with_pid: int | None,
    token_issuer: str | None,
    studies: int,
    *,
    nodes: int,
    replica_lag: int | None,
    release: Path | None,
    foreground: bool,
    as_json: bool,
) -> None:
    """Start the lab on free ports.

    The command returns when every part is ready. Exit codes: 0 started, 3 a part did not start, so no part of the lab
    runs.
    """
    token_requirements = TokenRequirements(token_issuer.rstrip("/")) if token_issuer else None
    pid = os.getpid() if foreground else with_pid  # in the foreground, the lab also ends if this process is killed
    replaces_ended_lab = lifecycle.contains_ended_lab(folder)
    lab, started = lifecycle.up(
        folder,
        _print_part,
        owner_pid=pid,
        token_requirements=token_requirements,
        extra_study_count=studies,
        node_count=nodes,
        replica_lag_s=replica_lag,
        release=release,
    )
    if started and replaces_ended_lab:
        print_output("The earlier lab in this folder had ended. Its configuration is deleted.", on_stderr=True)
    with _stop_at_end(lab) if foreground else nullcontext():
        if as_json:
            _print_up_json(lab, started=started)
        else:
            _print_up(lab, started=started)
        if foreground:
            _wait_for_end(lab)


def _print_up_json(lab: lifecycle.Lab, *, started: bool) -> None:
    extra_studies = {
        "extra_study_count": lab.site.extra_study_count,
        "study_list_file": str(lab.site.study_list_file) if lab.site.extra_study_count else None,
    }
    config_user = {
        "config_bind_dn": CONFIG_DN if lab.site.release is not None else None,
        "config_password_file": str(lab.site.config_password_file) if lab.site.release is not None else None,
    }
    print_json(lab_json(lab, make_standard_studies()) | extra_studies | config_user | {"started": started})


def _print_up(lab: lifecycle.Lab, *, started: bool) -> None:
    status_text = "The lab is up" if started else "The lab is already up"
    lines = [f"{status_text}: profile {lifecycle.PROFILE}, folder {lab.site.folder}"]
    if lab.site.extra_study_count:
        lines.append(f"{lab.site.extra_study_count} more studies: {lab.site.study_list_file}")
    if lab.site.release is not None:
        lines.append(f"{CONFIG_DN} can change the schema; its password: {lab.site.config_password_file}")
    print_output(*lines)


@lab_group.command("down", cls=UniqueOptionsCommand)
@_known_folder_option
@json_option
def down_command(folder: Path, *, as_json: bool) -> None:
    """Stop the lab, and remove its folder and its profile.

    If 'dcmcfg config use' has selected the profile, no profile is selected afterwards.
    """
    was_selected = _is_selected()
    result = lifecycle.down(folder)
    if as_json:
        print_json({"folder": str(folder), "result": result.name.lower()})
    else:
        _print_down(result, folder)
    _report_deselection(on_stderr=as_json, was_selected=was_selected)


def _print_down(result: lifecycle.DownResult, folder: Path) -> None:
    match result:
        case lifecycle.DownResult.STOPPED:
            print_output("The lab is down.")
        case lifecycle.DownResult.ALREADY_ENDED:
            print_output("The lab had already ended; its remaining files are removed.")
        case lifecycle.DownResult.FOLDER_GONE:
            print_output(f"The folder {folder} of the lab no longer exists; the profile is removed.")
        case lifecycle.DownResult.NO_LAB:
            print_output("No lab is up.")


def _is_selected() -> bool:
    """Return whether ``dcmcfg config use`` has selected the lab's profile; False if this cannot be read."""
    with suppress(DcmcfgError):
        return read_selected_profile() == lifecycle.PROFILE
    return False


def _report_deselection(*, was_selected: bool, on_stderr: bool) -> None:
    """Print which profile the next commands use, if the profile of the lab *was_selected* and is removed."""
    if not was_selected or get_profile_path(lifecycle.PROFILE).exists():
        return
    used_profile, _ = find_profile_to_use({}, os.environ)
    now = f"commands use the profile {used_profile} now" if used_profile else "no profile is selected now"
    print_output(f"The profile {lifecycle.PROFILE} was selected; {now}.", on_stderr=on_stderr)


@lab_group.command("status", cls=UniqueOptionsCommand)
@_known_folder_option
@json_option
def status_command(folder: Path, *, as_json: bool) -> int:
    """Show the parts and the studies of the lab.

    Exit codes: 0 the lab runs, 1 the lab does not run.
    """
    lab = lifecycle.find_lab(folder.absolute())
    if as_json:
        print_json(lab_json(lab, make_standard_studies()))
    elif lab is None and lifecycle.is_folder_gone(folder.absolute()):
        message = f"The profile {lifecycle.PROFILE} contains the lab folder {folder}, which no longer exists"
        print_output(f"{message}. To remove the profile: dcmcfg lab down. To start a new lab: dcmcfg lab up")
    elif lab is None:
        print_output("No lab is up. To start a lab: dcmcfg lab up")
    else:
        print_lab(lab, make_standard_studies(), _get_new_folder())
    return 0 if lab and lab.is_up else 1


@lab_group.command("demo", cls=UniqueOptionsCommand, short_help="Demonstrate an external retrieve on a separate lab.")
@json_option
def demo_command(*, as_json: bool) -> int:
    """Demonstrate a retrieve from an external archive on a separate lab.

    First, a retrieve fails because a setting is missing. Then dcmcfg makes the setting, and the retrieve succeeds. At
    the end, dcmcfg reverts the setting. Each step is a real command, and its result is checked. Exit codes: 0 all steps
    succeeded, 1 a step failed.
    """
    result = demo.run_demo(lambda text: print_output(*text.split("\n"), on_stderr=as_json))
    if as_json:
        print_json(demo_json(result))
    return 0 if result.passed else 1


def _print_part(part: PartState) -> None:
    print_output(format_part_ready(part), on_stderr=True)


@contextmanager
def _stop_at_end(lab: lifecycle.Lab) -> Iterator[None]:
    """Stop *lab* at the end of the block, also after Ctrl-C."""
    was_selected = _is_selected()
    try:
        yield
    finally:
        lifecycle.down(lab.site.folder)
        _report_deselection(on_stderr=True, was_selected=was_selected)


def _wait_for_end(lab: lifecycle.Lab) -> NoReturn:
    """Wait until Ctrl-C; raises :class:`LabError` if *lab* ends by itself."""
    folder = lab.site.folder
    print_output("Press Ctrl-C to stop the lab.", on_stderr=True)
    while (found_lab := lifecycle.find_lab(folder)) and found_lab.is_up:
        time.sleep(_POLL_INTERVAL_S)
    raise LabError(
        f"the lab ended: {found_lab.reason if found_lab else 'another dcmcfg process stopped the lab'}",
        subject=str(folder),
    )

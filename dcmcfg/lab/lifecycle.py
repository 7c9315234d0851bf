"""Start, find and stop a lab."""

from __future__ import annotations

import functools
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import psutil

from dcmcfg.errors import LabError, MalformedInput, NotFound
from dcmcfg.lab import folder as folders
from dcmcfg.lab.certificates import make_certificates
from dcmcfg.lab.parts import prepare_parts
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Ports, Site, TokenRequirements
from dcmcfg.lab.state import LabPhase, LabState, PartState
from dcmcfg.lab.studies import list_extra_study_uids
from dcmcfg.lab.supervisor import LOG_FOLDER, get_log_file, save_parts
from dcmcfg.private_folders import create_private_folder
from dcmcfg.settings import get_profile_path, remove_profile, write_profile
from dcmcfg.settings.profiles import read_profile

#: The profile that describes the lab to the other commands.
PROFILE = "lab"
#: Seconds that a supervisor has to end after SIGTERM: each of its parts may take a few seconds.
STOP_TIMEOUT = 40.0
_LOG_LINES = 8
_POLL = 0.05

OnPartReady = Callable[[PartState], None]


@dataclass(frozen=True)
class Lab:
    """A lab as described by its folder; ``state`` is None if its supervisor has not written one yet."""

    site: Site
    state: LabState | None

    @property
    def is_up(self) -> bool:
        return self.state is not None and self.state.is_up()

    @property
    def has_ended(self) -> bool:
        """Whether the lab does not run any more; False also while it starts or stops."""
        return self.state is None or self.state.has_ended

    @property
    def reason(self) -> str:
        """The reason why the lab is not running; empty if it is running."""
        match self.state:
            case None:
                return "its last start did not complete"
            case LabState(phase=LabPhase.ENDED, reason=reason):
                return reason
            case state if state.supervisor.find_process() is None:
                return f"the supervisor, process {state.supervisor.pid}, was killed"
            case LabState(phase=LabPhase.STARTING):
                return "it is starting"
            case LabState(phase=LabPhase.ENDING, reason=reason):
                return f"it is stopping: {reason}"
            case _:
                return ""


class DownResult(Enum):
    """The state that ``lab down`` found."""

    NO_LAB = "no lab"
    FOLDER_GONE = "the profile of a lab whose folder is missing"
    ALREADY_ENDED = "a stopped lab"
    STOPPED = "a running lab"


def find_lab(folder: Path) -> Lab | None:
    """Return the lab in *folder*, or None if there is none; raises :class:`LabError` if it cannot be read."""
    return Lab(Site.load(folder), LabState.load(folder)) if folders.is_lab(folder) else None


def contains_ended_lab(folder: Path) -> bool:
    """Return whether *folder* has the configuration of a lab that has ended: ``lab up`` deletes it."""
    state = LabState.load(folder)
    return state is not None and state.has_ended


def resolve_folder(default: Path) -> Path:
    """Return *default* if it contains a lab, else the folder of the lab in the profile ``lab``, else *default*."""
    profile_folder = None if folders.is_lab(default) else _get_profile_folder()
    return profile_folder or default


def is_folder_gone(folder: Path) -> bool:
    """Return whether the profile ``lab`` describes a lab in *folder* that does not exist any more."""
    return _get_profile_folder() == folder and not folders.is_lab(folder)


def up(
    folder: Path,
    on_part_ready: OnPartReady,
    *,
    owner_pid: int | None = None,
    token_requirements: TokenRequirements | None = None,
    extra_study_count: int = 0,
    node_count: int = 1,
    replica_lag_s: int | None = None,
    release: Path | None = None,
) -> tuple[Lab, bool]:
    """Start a lab in *folder*; return the lab and whether this call started it (False: it was already running).

    *on_part_ready* is called for each part that is ready. With *owner_pid*, the lab ends with that process. With
    *token_requirements*, its archive requires tokens. *extra_study_count* studies are added. The archive has
    *node_count* nodes; with *replica_lag_s*, each reads a replica of the directory (:class:`Site`). With *release*, the
    directory has the schema and the default configuration of this release. The profile ``lab`` is written. Raises
    :class:`LabError` with the failed part and the last lines of its log; then nothing is running.
    """
    folder = folder.absolute()
    _refuse_foreign_profile()
    with folders.hold_lock(folder, create=True):
        state = LabState.load(folder)
        if state and state.phase in (LabPhase.STARTING, LabPhase.UP) and state.supervisor.find_process():
            lab = _wait_until_up(
                folder, lambda: True, on_part_ready
            )  # it may still be starting if its `lab up` was killed
            _require_same_tokens(lab.site, token_requirements)
            _require_same_studies(lab.site, extra_study_count)
            _require_same_nodes(lab.site, node_count, replica_lag_s)
            _require_same_release(lab.site, release)
            return lab, False
        # An earlier lab in this folder may still be ending.
        _end_processes(state)
        site = _create_site(
            folder,
            functools.partial(
                Site,
                token_requirements=token_requirements,
                extra_study_count=extra_study_count,
                node_count=node_count,
                replica_lag_s=replica_lag_s,
                release=release.absolute() if release is not None else None,
            ),
        )
        return _start(site, on_part_ready, owner_pid), True


def down(folder: Path) -> DownResult:
    """Stop the lab in *folder*, remove the folder and its profile; return the state that was found.

    Only processes of this lab are ended: the supervisor, identified by number and start time, ends its parts. Raises
    :class:`LabError` if a process cannot be ended or a file cannot be removed.
    """
    folder = folder.absolute()
    with folders.hold_lock(folder, create=False) as exists:
        if is_folder_gone(folder):
            remove_profile(PROFILE)
            return DownResult.FOLDER_GONE
        if not exists or not folders.is_lab(folder):
            return DownResult.NO_LAB
        was_up = _end_processes(LabState.load(folder))
        if _get_profile_folder() == folder:
            remove_profile(PROFILE)
        folders.remove(folder)
    return DownResult.STOPPED if was_up else DownResult.ALREADY_ENDED


def _create_site(folder: Path, make_site: Callable[[Path, Ports], Site]) -> Site:
    """Empty the folder of a new lab and write its initial files; return the site."""
    try:
        folders.prepare_for_new_lab(folder)
        site = make_site(folder, choose_ports())
        site.save()
        if site.extra_study_count:
            site.study_list_file.write_text(
                "".join(f"{uid}\n" for uid in list_extra_study_uids(site.extra_study_count)), "utf-8"
            )
        create_private_folder(folder / LOG_FOLDER)
        password = _write_password(site.password_file)
        config_password = _write_password(site.config_password_file) if site.release is not None else ""
        make_certificates(site)
        save_parts(prepare_parts(site, password, config_password), folder)
    except OSError as error:
        raise LabError(
            f"cannot write the lab's files ({error.strerror})", subject=str(error.filename or folder)
        ) from error
    return site


def _write_password(file: Path) -> str:
    """Write a new password to *file*, and return it."""
    password = secrets.token_urlsafe(24)
    # The file gets its mode before it holds the password.
    file.touch(mode=0o600)
    file.write_text(password + "\n", "utf-8")
    return password


def _require_same_tokens(site: Site, token_requirements: TokenRequirements | None) -> None:
    """Raise :class:`LabError` if the running lab accepts other tokens than *token_requirements*."""
    if token_requirements is not None and site.token_requirements != token_requirements:
        raise LabError(
            f"a lab is already running, and its archive does not accept tokens of {token_requirements.issuer}",
            subject=str(site.folder),
            next_step="run dcmcfg lab down, then dcmcfg lab up again",
        )


def _require_same_studies(site: Site, extra_study_count: int) -> None:
    """Raise :class:`LabError` if the running lab has another number of extra studies."""
    if extra_study_count not in (0, site.extra_study_count):
        raise LabError(
            f"a lab with {site.extra_study_count} extra studies is already running",
            subject=str(site.folder),
            next_step="run dcmcfg lab down, then dcmcfg lab up again",
        )


def _require_same_nodes(site: Site, node_count: int, replica_lag_s: int | None) -> None:
    """Raise :class:`LabError` if the running lab has other nodes or replicas than requested."""
    if node_count not in (1, site.node_count) or replica_lag_s not in (None, site.replica_lag_s):
        raise LabError(
            "a lab with a different number of nodes or a different replica lag is already running",
            subject=str(site.folder),
            next_step="run dcmcfg lab down, then dcmcfg lab up again",
        )


def _require_same_release(site: Site, release: Path | None) -> None:
    """Raise :class:`LabError` if the running lab was not installed with the requested release."""
    if release is not None and site.release != release.absolute():
        raise LabError(
            "a lab with a different release is already running",
            subject=str(site.folder),
            next_step="run dcmcfg lab down, then dcmcfg lab up again",
        )


def _start(site: Site, on_part_ready: OnPartReady, owner_pid: int | None) -> Lab:
    """Start the supervisor, detached, wait until all parts are ready, and write the profile.

    After a failure nothing is running.
    """
    folder = site.folder
    command = [sys.executable, "-P", "-m", "dcmcfg.lab.supervisor", str(folder)]
    with get_log_file(folder, "supervisor").open("wb") as log:
        supervisor = subprocess.Popen(
            [*command, *([str(owner_pid)] if owner_pid else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",  # the lab does not keep the user's folder in use
            start_new_session=True,  # neither Ctrl-C in the terminal nor a logout ends the lab
        )
    try:
        lab = _wait_until_up(folder, lambda: supervisor.poll() is None, on_part_ready)
        write_profile(PROFILE, _make_profile(site))
    # Ctrl-C must not leave a lab that is only partly started.
    except BaseException:
        supervisor.terminate()
        supervisor.wait(STOP_TIMEOUT)
        raise
    return lab


def _wait_until_up(folder: Path, is_running: Callable[[], bool], on_part_ready: OnPartReady) -> Lab:
    """Wait until the lab is up; raises :class:`LabError` if it ends instead. The supervisor limits the time."""
    reported: set[str] = set()
    while True:
        running = is_running()  # checked before reading the state, so that the last state is not missed
        state = LabState.load(folder)
        for part in state.parts if state else ():
            if part.ready and part.name not in reported:
                reported.add(part.name)
                on_part_ready(part)
        if state and state.is_up():
            return Lab(Site.load(folder), state)
        if not running or (state and (state.phase is LabPhase.ENDED or state.supervisor.find_process() is None)):
            raise _make_start_error(folder, state)
        time.sleep(_POLL)


def _make_start_error(folder: Path, state: LabState | None) -> LabError:
    failed_part = state.failed_part if state and state.failed_part else "supervisor"
    log = get_log_file(folder, failed_part)
    lines = log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:] if log.exists() else []
    log_note = "" if lines else " (the log is empty)"
    reason = state.reason if state and state.reason else "the supervisor ended"
    return LabError(
        f"the lab did not start: {reason}{log_note}",
        subject=str(log),
        next_step="fix the problem, then run dcmcfg lab up",
        details=[f"  {line}" for line in lines],
    )


def _end_processes(state: LabState | None) -> bool:
    """End the running processes of a lab, the supervisor first; return whether there were any."""
    ended = False
    for identity in state.processes() if state else ():  # usually the parts have ended with the supervisor
        process = identity.find_process()
        if process is None:
            continue
        ended = True
        try:
            process.terminate()
            process.wait(STOP_TIMEOUT)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT)
        except psutil.AccessDenied as error:
            raise LabError("the lab belongs to another user", subject=f"process {identity.pid}") from error
    return ended


def _make_profile(site: Site) -> dict[str, Any]:
    nodes = {
        each.node_name: {"archive_url": each.archive_url}
        | ({"ldap_url": each.node_ldap_url} if site.replica_lag_s is not None else {})
        for each in site.nodes
    }
    return ({"nodes": nodes} if site.node_count > 1 or site.replica_lag_s is not None else {}) | {
        "ldap_url": site.ldap_url,
        "base_dn": site.base_dn,
        "bind_dn": site.bind_dn,
        "bind_password_file": str(site.password_file),
        "device": site.device,
        "archive_url": site.archive_url,
        "external_move_log": str(site.external_move_log),
        "tls_ca": str(site.ca_certificate),
        "tls_cert": str(site.client_certificate),
        "tls_key": str(site.client_key),
    }


def _read_lab_profile() -> dict[str, str]:
    """Return the profile ``lab`` if a lab wrote it (recognised by ``external_move_log``), else an empty dict."""
    try:
        profile = read_profile(PROFILE)
    except (NotFound, MalformedInput):
        return {}
    return profile if "external_move_log" in profile else {}


def _get_profile_folder() -> Path | None:
    """Return the folder of the lab in the profile ``lab``, or None without such a profile."""
    password_file = _read_lab_profile().get("bind_password_file")
    return Path(password_file).parent if password_file else None


def _refuse_foreign_profile() -> None:
    path = get_profile_path(PROFILE)
    # A profile that the user wrote must not be overwritten.
    if path.exists() and not _read_lab_profile():
        raise LabError("another profile already has this name", subject=str(path), next_step="rename the profile")

"""The life of a lab: up, found, down."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil

from dcmcfg.errors import LabError, MalformedInput, NotFound
from dcmcfg.lab import folder as folders
from dcmcfg.lab.certificates import make_certificates
from dcmcfg.lab.parts import prepare
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Secured, Site
from dcmcfg.lab.state import LabState, PartState, Phase
from dcmcfg.lab.studies import more_uids
from dcmcfg.lab.supervisor import LOG_FOLDER, log_file, save_parts
from dcmcfg.private_folders import make_private
from dcmcfg.settings import profile_path, remove_profile, write_profile
from dcmcfg.settings.profiles import read_profile

#: The profile that describes the lab to the other commands.
PROFILE = "lab"
#: Seconds for a supervisor to end after SIGTERM: each of its parts may take a few.
STOP_TIMEOUT = 40.0
_LOG_LINES = 8
_POLL = 0.05

Tell = Callable[[PartState], None]


@dataclass(frozen=True)
class Lab:
    """A lab as its folder tells; ``state`` is None when its supervisor never got to say a word."""

    site: Site
    state: LabState | None

    @property
    def is_up(self) -> bool:
        return self.state is not None and self.state.is_up()

    @property
    def reason(self) -> str:
        """Why the lab is not up; empty when it is."""
        match self.state:
            case None:
                return "it was never started"
            case LabState(phase=Phase.ENDED, reason=reason):
                return reason
            case state if state.supervisor.alive() is None:
                return f"its supervisor, process {state.supervisor.pid}, was killed"
            case LabState(phase=Phase.STARTING):
                return "it is starting"
            case LabState(phase=Phase.ENDING, reason=reason):
                return f"it is ending: {reason}"
            case _:
                return ""


class Down(Enum):
    """What ``lab down`` found."""

    NO_LAB = "no lab"
    GONE = "the profile of a lab whose folder is gone"
    ENDED_BEFORE = "a lab that had ended"
    ENDED_NOW = "a lab that was up"


def find(folder: Path) -> Lab | None:
    """Return the lab in *folder*, None when there is none; raises :class:`LabError` when it cannot be read."""
    return Lab(Site.load(folder), LabState.load(folder)) if folders.is_lab(folder) else None


def known_folder(default: Path) -> Path:
    """Return *default* if a lab is in it, else the folder of the lab that the profile ``lab`` describes, if any."""
    named = None if folders.is_lab(default) else _profiled_folder()
    return named or default


def is_gone(folder: Path) -> bool:
    """Return whether the profile ``lab`` describes a lab in *folder* that is no longer there."""
    return _profiled_folder() == folder and not folders.is_lab(folder)


def up(
    folder: Path,
    tell: Tell,
    *,
    with_pid: int | None = None,
    secured: Secured | None = None,
    more_studies: int = 0,
) -> tuple[Lab, bool]:
    """Start a lab in *folder*, and return it with whether it was started by this call; an older one may be up.

    *tell* is called for each part that is ready. With *with_pid* the lab ends when that process does; with *secured*
    its archive wants tokens; *more_studies* are put into it. The profile ``lab`` describes it. Raises
    :class:`LabError`, naming the part at fault with the last lines of its log; then nothing is running.
    """
    folder = folder.absolute()
    _refuse_a_profile_of_another_kind()
    with folders.locked(folder, create=True):
        state = LabState.load(folder)
        if state and state.phase in (Phase.STARTING, Phase.UP) and state.supervisor.alive():
            lab = _ready(folder, lambda: True, tell)  # it may be starting, when its `lab up` was killed
            _require_secured_alike(lab.site, secured)
            _require_as_many(lab.site, more_studies)
            return lab, False
        _end_processes(state)
        site = _fill(folder, secured, more_studies)
        lab = _start(folder, tell, with_pid)
        write_profile(PROFILE, _profile(site))
        return lab, True


def down(folder: Path) -> Down:
    """End the lab in *folder*, remove the folder and the profile that describes it; return what was found.

    Only processes of this lab are ended: the supervisor named by number and start time, the parts by it. Raises
    :class:`LabError` when one cannot be ended or a file cannot be removed.
    """
    folder = folder.absolute()
    with folders.locked(folder, create=False) as there:
        if is_gone(folder):
            remove_profile(PROFILE)
            return Down.GONE
        if not there or not folders.is_lab(folder):
            return Down.NO_LAB
        was_up = _end_processes(LabState.load(folder))
        if _profiled_folder() == folder:
            remove_profile(PROFILE)
        folders.remove(folder)
    return Down.ENDED_NOW if was_up else Down.ENDED_BEFORE


def _fill(folder: Path, secured: Secured | None, more_studies: int) -> Site:
    """Write what a new lab begins with into its folder, emptied before; return the site."""
    try:
        folders.claim(folder)
        site = Site(folder, choose_ports(), secured, more_studies)
        site.save()
        if more_studies:
            site.study_list.write_text("".join(f"{uid}\n" for uid in more_uids(more_studies)), "utf-8")
        make_private(folder / LOG_FOLDER)
        password = secrets.token_urlsafe(24)
        site.password_file.touch(mode=0o600)
        site.password_file.write_text(password + "\n", "utf-8")
        make_certificates(site)
        save_parts(prepare(site, password), folder)
    except OSError as error:
        raise LabError(
            f"the lab's files cannot be written ({error.strerror})", on=str(error.filename or folder)
        ) from error
    return site


def _require_secured_alike(site: Site, secured: Secured | None) -> None:
    """Raise :class:`LabError` when the lab that is up takes tokens otherwise than was asked for."""
    if secured is not None and site.secured != secured:
        raise LabError(
            f"a lab is up already, and its archive does not take tokens of {secured.issuer}",
            on=str(site.folder),
            next_step="dcmcfg lab down, then up again",
        )


def _require_as_many(site: Site, more_studies: int) -> None:
    """Raise :class:`LabError` when the lab that is up has not so many studies."""
    if more_studies not in (0, site.more_studies):
        raise LabError(
            f"a lab is up already, with {site.more_studies} more studies",
            on=str(site.folder),
            next_step="dcmcfg lab down, then up again",
        )


def _start(folder: Path, tell: Tell, with_pid: int | None) -> Lab:
    """Start the supervisor, detached, and wait until all is ready; when that fails nothing is left running."""
    command = [sys.executable, "-P", "-m", "dcmcfg.lab.supervisor", str(folder)]
    with log_file(folder, "supervisor").open("wb") as log:
        supervisor = subprocess.Popen(
            [*command, *([str(with_pid)] if with_pid else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,  # no terminal's Ctrl-C and no logout ends it
        )
    try:
        return _ready(folder, lambda: supervisor.poll() is None, tell)
    except BaseException:
        supervisor.terminate()
        supervisor.wait(STOP_TIMEOUT)
        raise


def _ready(folder: Path, is_running: Callable[[], bool], tell: Tell) -> Lab:
    """Wait until the lab is up; raises :class:`LabError` when it ends instead. The supervisor bounds the time."""
    told: set[str] = set()
    while True:
        running = is_running()  # asked before the state is read, so that its last words are not missed
        state = LabState.load(folder)
        for part in state.parts if state else ():
            if part.ready and part.name not in told:
                told.add(part.name)
                tell(part)
        if state and state.is_up():
            return Lab(Site.load(folder), state)
        if not running or (state and (state.phase is Phase.ENDED or state.supervisor.alive() is None)):
            raise _failure(folder, state)
        time.sleep(_POLL)


def _failure(folder: Path, state: LabState | None) -> LabError:
    at_fault = state.failed if state and state.failed else "supervisor"
    log = log_file(folder, at_fault)
    lines = log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:] if log.exists() else []
    empty = "" if lines else " (its log is empty)"
    reason = state.reason if state and state.reason else "its supervisor ended"
    return LabError(
        f"the lab did not start: {reason}{empty}",
        on=str(log),
        next_step="mend that, then dcmcfg lab up",
        details=[f"  {line}" for line in lines],
    )


def _end_processes(state: LabState | None) -> bool:
    """End the processes of a lab that are alive, the supervisor first; return whether there was one."""
    ended = False
    for identity in state.processes() if state else ():  # the parts go with the supervisor, so this finds them gone
        process = identity.alive()
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
            raise LabError("the lab is another user's", on=f"process {identity.pid}") from error
    return ended


def _profile(site: Site) -> dict[str, str]:
    return {
        "ldap_url": site.ldap_url,
        "base_dn": site.base_dn,
        "bind_dn": site.bind_dn,
        "bind_password_file": str(site.password_file),
        "device": site.device,
        "archive_url": site.archive_url,
        "external_move_log": str(site.external_move_log),
        "tls_ca": str(site.authority),
        "tls_cert": str(site.client_certificate),
        "tls_key": str(site.client_key),
    }


def _our_profile() -> dict[str, str]:
    """Return the profile ``lab`` if a lab wrote it, which the key ``external_move_log`` tells; else nothing."""
    try:
        profile = read_profile(PROFILE)
    except (NotFound, MalformedInput):
        return {}
    return profile if "external_move_log" in profile else {}


def _profiled_folder() -> Path | None:
    """Return the folder of the lab that the profile ``lab`` describes, None without such a profile."""
    password_file = _our_profile().get("bind_password_file")
    return Path(password_file).parent if password_file else None


def _refuse_a_profile_of_another_kind() -> None:
    path = profile_path(PROFILE)
    if path.exists() and not _our_profile():
        raise LabError(
            "a profile of this name is there, and no lab wrote it", on=str(path), next_step="give it another name"
        )

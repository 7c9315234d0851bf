"""What an archive whose own device is renamed asks for: a restart by the new name, and a profile that has it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcmcfg.errors import ChangedButNotFinished, DcmcfgError
from dcmcfg.plan.renamed_archives import PROPERTY, RenamedArchive
from dcmcfg.references.kinds import Kind
from dcmcfg.settings import Settings, set_in_profile

_DEFAULT = "default"


def restart_line(renamed: Sequence[RenamedArchive]) -> str:
    """Return how an archive comes to find its device again, which no reload does."""
    each = " and ".join(f"{one.old} with -D{PROPERTY}={one.new}" for one in renamed)
    return (
        f"no reload: restart the archive that runs as {each} (in the container image, ARCHIVE_DEVICE_NAME); "
        "until then it goes on with what it has loaded"
    )


def follow_in_profile(settings: Settings, renamed: Sequence[RenamedArchive]) -> Path | None:
    """Have the profile that names a device of *renamed* name it newly; return its file, None when none does.

    Raises :class:`ChangedButNotFinished` when it cannot be written.
    """
    new = _new_name(settings, renamed)
    if new is None or settings.origins.get("device") != f"profile {settings.profile}":
        return None
    try:
        return set_in_profile(settings.profile, "device", new)
    except DcmcfgError as error:
        raise ChangedButNotFinished(
            f"the directory was changed, but {error.what}", on=error.on, next_step=f'write device = "{new}" into it'
        ) from error


def device_setting_line(settings: Settings, renamed: Sequence[RenamedArchive]) -> str:
    """Return what else than a profile tells dcmcfg the old name, and how to tell it the new one; empty when nothing."""
    new = _new_name(settings, renamed)
    origin = settings.origins.get("device", _DEFAULT)
    if new is None or origin.startswith("profile "):
        return ""
    if origin == _DEFAULT:
        return f"dcmcfg takes {settings.device} for the archive's device unless told: DCMCFG_DEVICE={new} tells it"
    return f"{origin} names the device {settings.device}: from now on it is {new}"


def _new_name(settings: Settings, renamed: Sequence[RenamedArchive]) -> str | None:
    return next((each.new for each in renamed if Kind.DEVICE.same(each.old, settings.device)), None)

"""The route request: the caller, the archive's AE, the destination and the state of the study."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.schema_names import DICOM_AE_TITLE, WEB_APP_OBJECT_CLASS, WEB_SERVICE_CLASS

#: The external AE of a study without a recorded one, as the archive's database spells it.
NO_EXTERNAL_ARCHIVE = "*"


class StudyState(StrEnum):
    """Where the objects of a study are according to the archive's database; the configuration does not show it."""

    LOCAL = "local"  # files on storages of this archive
    PURGED = "purged"  # known, the files deleted
    PARTIAL = "partial"  # some local, some purged
    INCOMPLETE = "incomplete"  # marked as not received completely
    UNCONFIGURED_STORAGE = "unconfigured-storage"  # files on a storage that is not configured here
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RouteRequest:
    """A C-MOVE request: ``archive_ae`` is the archive's AE, ``external_ae_title`` the AE recorded for purged objects.

    ``external_ae_title`` is :data:`NO_EXTERNAL_ARCHIVE` if the archive's database records no AE, and None if this is
    unknown: then each AE that the configuration lets the archive record is considered. ``sop_classes`` are those of the
    study; None if they are unknown.
    """

    archive_ae: NetworkAE
    destination_ae_title: str
    calling_ae_title: str
    external_ae_title: str | None = None
    _: KW_ONLY
    sop_classes: frozenset[str] | None = None


def get_default_ae(device: Device, option: str = "--ae") -> NetworkAE:
    """Return the AE of *device* to call by default: the only storage SCP, otherwise the only AE.

    On a stock archive this is DCM4CHEE, or the title that it was renamed to. Raises :class:`MalformedInput` if there is
    not exactly one candidate; the error names *option* as the way to specify it.
    """
    titles = [ae.title for ae in device.network_aes]
    for candidates in ([ae for ae in device.network_aes if ae.is_storage_scp], device.network_aes):
        if len(candidates) == 1:
            return candidates[0]
    raise MalformedInput(
        f"the device {device.name} has no default AE",
        next_step=f"specify an AE with {option}: {', '.join(titles) or 'the device has no AE'}",
    )


def find_qido_ae(device: Device) -> str:
    """Return the title of the AE of *device* for HTTP searches of the archive's database (QIDO-RS).

    AEs with a QIDO-RS web application come first, then storage SCPs. Empty if no AE is installed.
    """
    qido_titles = {app.text(DICOM_AE_TITLE) for app in device.children(WEB_APP_OBJECT_CLASS) if _has_qido_rs(app)}
    installed_aes = [ae for ae in device.network_aes if ae.installed]
    installed_aes.sort(key=lambda ae: (ae.title not in qido_titles, not ae.is_storage_scp))
    return next((ae.title for ae in installed_aes), "")


def _has_qido_rs(app: Entry) -> bool:
    return "QIDO_RS" in app.texts(WEB_SERVICE_CLASS)


def get_archive_ae(device: Device, ae_title: str | None) -> NetworkAE:
    """Return the AE of *device* to call: that of *ae_title*, otherwise the default (:func:`get_default_ae`).

    Raises :class:`~dcmcfg.errors.NotFound` if no AE of the device has the title, and :class:`MalformedInput` if a title
    must be specified.
    """
    return device.get_network_ae(ae_title) if ae_title is not None else get_default_ae(device)

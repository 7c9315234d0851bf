"""What is asked: who has which AE of the archive send a study where, and where the study is."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.schema_names import DICOM_AE_TITLE, WEB_APP_OBJECT_CLASS, WEB_SERVICE_CLASS

#: The external AE of a study for which none is recorded, as the archive's database spells it.
NO_EXTERNAL_ARCHIVE = "*"


class StudyState(StrEnum):
    """Where the objects of a study are, as the archive's database has it; no configuration tells."""

    LOCAL = "local"  # files on storages of this archive
    PURGED = "purged"  # known, the files deleted
    PARTIAL = "partial"  # some local, some purged
    INCOMPLETE = "incomplete"  # marked as not received completely
    UNCONFIGURED_STORAGE = "unconfigured-storage"  # files on a storage that is not configured here
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RouteRequest:
    """A C-MOVE request: ``archive_ae`` is the archive's AE, ``external_ae_title`` the AE recorded for purged objects.

    ``external_ae_title`` is :data:`NO_EXTERNAL_ARCHIVE` where the archive's database records no AE, and None where that
    is not known: then each AE that the configuration lets the archive record is considered. ``sop_classes`` are those
    of the study, None where they are not known.
    """

    archive_ae: NetworkAE
    destination_ae_title: str
    calling_ae_title: str
    external_ae_title: str | None = None
    _: KW_ONLY
    sop_classes: frozenset[str] | None = None


def get_default_ae(device: Device, option: str = "--ae") -> NetworkAE:
    """Return the AE of *device* that is asked where none is named: the only one that takes storage, or the only one.

    On a stock archive that is DCM4CHEE, whatever it was renamed to. Raises :class:`MalformedInput` where several or
    none come into question, saying that *option* names it.
    """
    titles = [ae.title for ae in device.network_aes]
    for candidates in ([ae for ae in device.network_aes if ae.is_storage_scp], device.network_aes):
        if len(candidates) == 1:
            return candidates[0]
    raise MalformedInput(
        f"which AE of the device {device.name} is to be asked?",
        next_step=f"{option} names one of: {', '.join(titles) or 'none, the device has no AE'}",
    )


def find_qido_ae(device: Device) -> str:
    """Return the title of the AE of *device* through which the archive's database is searched by HTTP (QIDO-RS).

    One that has such a web application, before the others; of them, one that takes storage. Empty without an AE.
    """
    qido_titles = {app.text(DICOM_AE_TITLE) for app in device.children(WEB_APP_OBJECT_CLASS) if _has_qido_rs(app)}
    installed_aes = [ae for ae in device.network_aes if ae.installed]
    installed_aes.sort(key=lambda ae: (ae.title not in qido_titles, not ae.is_storage_scp))
    return next((ae.title for ae in installed_aes), "")


def _has_qido_rs(app: Entry) -> bool:
    return "QIDO_RS" in app.texts(WEB_SERVICE_CLASS)


def get_archive_ae(device: Device, ae_title: str | None) -> NetworkAE:
    """Return the AE of *device* that is asked.

    The one of *ae_title*, without one the usual one (:func:`get_default_ae`). Raises :class:`~dcmcfg.errors.NotFound`
    for a title that no AE of the device has, and :class:`MalformedInput` where it must be named.
    """
    return device.get_network_ae(ae_title) if ae_title is not None else get_default_ae(device)

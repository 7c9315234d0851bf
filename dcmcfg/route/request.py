"""What is asked: who has which AE of the archive send a study where, and where the study is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import Device, NetworkAE

#: The external AE of a study for which none is recorded, as the archive's database spells it.
NOBODY = "*"


class StudyState(StrEnum):
    """Where the objects of a study are, as the archive's database has it; no configuration tells."""

    LOCAL = "local"  # files on storages of this archive
    PURGED = "purged"  # known, the files deleted
    PARTIAL = "partial"  # some local, some purged
    INCOMPLETE = "incomplete"  # marked as not received completely
    ELSEWHERE = "elsewhere"  # files on a storage that is not configured here
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Question:
    """A C-MOVE request: ``asked`` is the archive's AE, ``external`` the AE recorded for purged objects.

    ``external`` is :data:`NOBODY` where the archive's database records no AE, and None where that is not known: then
    each AE that the configuration lets the archive record is considered. ``sop_classes`` are those of the study, None
    where they are not known.
    """

    asked: NetworkAE
    destination: str
    calling: str
    external: str | None = None
    sop_classes: frozenset[str] | None = None


def usual_ae(device: Device, option: str = "--ae") -> NetworkAE:
    """Return the AE of *device* that is asked where none is named: the only one that takes storage, or the only one.

    On a stock archive that is DCM4CHEE, whatever it was renamed to. Raises :class:`MalformedInput` where several or
    none come into question, saying that *option* names it.
    """
    titles = [ae.title for ae in device.network_aes]
    for likely in ([ae for ae in device.network_aes if ae.takes_storage], device.network_aes):
        if len(likely) == 1:
            return likely[0]
    raise MalformedInput(
        f"which AE of the device {device.name} is to be asked?",
        next_step=f"{option} names one of: {', '.join(titles) or 'none, the device has no AE'}",
    )


def searched_ae(device: Device) -> str:
    """Return the title of the AE of *device* through which the archive's database is searched by HTTP (QIDO-RS).

    One that has such a web application, before the others; of them, one that takes storage. Empty without an AE.
    """
    serving = {app.text("dicomAETitle") for app in device.children("dcmWebApp") if _searches(app)}
    usable = [ae for ae in device.network_aes if ae.installed]
    usable.sort(key=lambda ae: (ae.title not in serving, not ae.takes_storage))
    return next((ae.title for ae in usable), "")


def _searches(app: Entry) -> bool:
    return "QIDO_RS" in app.texts("dcmWebServiceClass")


def asked_ae(device: Device, title: str | None) -> NetworkAE:
    """Return the AE of *device* that is asked: the one of *title*, without one the usual one (:func:`usual_ae`).

    Raises :class:`~dcmcfg.errors.NotFound` for a title that no AE of the device has, and :class:`MalformedInput` where
    it must be named.
    """
    return device.network_ae(title) if title is not None else usual_ae(device)

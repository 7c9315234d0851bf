"""Where a study is, as the archive's answers to C-FIND show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dcmcfg.devices import Device
from dcmcfg.dicom.query import Instance
from dcmcfg.route.question import StudyState
from dcmcfg.verify.evidence import NOT_ONLINE

_AVAILABILITY = "dcmExternalRetrieveInstanceAvailability"
_RETURNED = "dcmReturnRetrieveAET"


@dataclass(frozen=True)
class Whereabouts:
    """What the archive lists of a study, and the states that fit it: more than one where it does not tell.

    ``external`` is the AE that the answers name beside the archive's own, None where there is none or several.
    """

    study_uid: str
    number: int
    availabilities: tuple[str, ...]
    sop_classes: frozenset[str]
    states: tuple[StudyState, ...]
    external: str | None
    notes: tuple[str, ...] = ()


def whereabouts(study_uid: str, instances: Sequence[Instance], device: Device) -> Whereabouts:
    """Return where the study *study_uid* is, of which the archive *device* lists *instances*.

    ONLINE is said of purged objects too, as long as a storage that purges has no
    dcmExternalRetrieveInstanceAvailability. A dcmReturnRetrieveAET is told in place of all AE titles.
    """
    away = sum(each.availability in NOT_ONLINE for each in instances)
    told = {title for each in instances for title in each.retrieve_ae_titles}
    instead = told & _titles(device, _RETURNED)
    names = told - instead - _own_titles(device)
    notes = [f"who holds it is not told: {', '.join(sorted(instead))} stands in place ({_RETURNED})"] if instead else []
    match (len(instances), away):
        case (0, _):
            states: tuple[StudyState, ...] = (StudyState.UNKNOWN,)
        case (number, purged) if number == purged:
            states = (StudyState.PURGED,)
        case (_, purged) if purged:
            states = (StudyState.PARTIAL,)
        case _ if (names or instead) and purges_unseen(device):
            states = (StudyState.LOCAL, StudyState.PURGED)
            notes.append(f"ONLINE is said of purged objects too: a storage that purges has no {_AVAILABILITY}")
        case _:
            states = (StudyState.LOCAL,)
    if len(names) > 1:
        notes.append(f"several other archives are named: {', '.join(sorted(names))}")
    return Whereabouts(
        study_uid,
        len(instances),
        tuple(sorted({each.availability or "not given" for each in instances})),
        frozenset(each.sop_class_uid for each in instances),
        states,
        next(iter(names)) if len(names) == 1 else None,
        tuple(notes),
    )


def _own_titles(device: Device) -> set[str]:
    """Return the titles that the archive names itself by."""
    return _titles(device, "dcmRetrieveAET") | {ae.title for ae in device.network_aes}


def _titles(device: Device, attribute: str) -> set[str]:
    entries = (device.entry, *(ae.entry for ae in device.network_aes))
    return {title for entry in entries for title in entry.texts(attribute)}


def purges_unseen(device: Device) -> bool:
    """Tell whether the archive says ONLINE of what it purges, as far as its configuration goes."""
    storages = [each for each in device.tree.children(device.entry.dn) if each.is_a("dcmStorage")]
    return any("dcmExternalRetrieveAET" in each and _AVAILABILITY not in each for each in storages)

"""A study that proves something when it is recalled: one that the archive has really purged, the smallest found.

Where a study is: according to the archive's database, else as far as its answers to C-FIND suggest.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dcmcfg.archive.database import Database
from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.query import Instance, Study, find_studies
from dcmcfg.dicom.retrieval import InformationModel
from dcmcfg.errors import ArchiveError, NotFound
from dcmcfg.model.devices import Device
from dcmcfg.route.request import NO_EXTERNAL_ARCHIVE, StudyState
from dcmcfg.schema_names import (
    EXTERNAL_RETRIEVE_AET,
    EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY,
    RETRIEVE_AET,
    RETURN_RETRIEVE_AET,
    STORAGE_OBJECT_CLASS,
)
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import NOT_ONLINE
from dcmcfg.verify.run import get_query_timeouts


@dataclass(frozen=True, kw_only=True)
class LocatedStudy:
    """What the archive has of a study, and the states that fit it: several where the state is not known for certain.

    ``external_ae_title`` is the AE title recorded for the instances without a file, ``*`` where the database has none;
    None where it is not known, or there are several. ``is_from_database`` says whether the archive's database answered.
    """

    study_uid: str
    instance_count: int
    availabilities: tuple[str, ...]
    sop_classes: frozenset[str]
    states: tuple[StudyState, ...]
    external_ae_title: str | None
    notes: tuple[str, ...] = ()
    is_from_database: bool = False


def locate_study(
    study_uid: str,
    instances: Sequence[Instance],
    *,
    device: Device,
    stored: StoredStudy | None = None,
    database_error: str = "",
) -> LocatedStudy:
    """Return where the study *study_uid* is, of which the archive *device* lists *instances* by C-FIND.

    *stored* is the study in the archive's database; without it the states are those that Instance Availability leaves
    open, and *database_error* says why the database did not answer.
    """
    decides = stored is not None and _covers(stored, instances)
    if stored is not None and decides:
        states, external, notes = _find_states_by_database(_restrict_to_listed(stored, instances), device)
    else:
        states, external, notes = _find_states_by_availability(instances, device)
        if stored is not None:
            notes.append("the archive's database lacks instances that C-FIND lists: the state is not certain")
        elif instances:
            reason = f" ({database_error})" if database_error else ""
            notes.append(f"the archive's database was not asked{reason}, so the state is not certain")
    return LocatedStudy(
        study_uid=study_uid,
        instance_count=len(instances),
        availabilities=tuple(sorted({each.availability or "not given" for each in instances})),
        sop_classes=frozenset(each.sop_class_uid for each in instances),
        states=states,
        external_ae_title=external,
        notes=tuple(notes),
        is_from_database=decides,
    )


def _covers(stored: StoredStudy, listed: Sequence[Instance]) -> bool:
    """Return whether the database has every instance that the archive lists by C-FIND."""
    held = {each.sop_instance_uid for each in stored.instances or ()}
    return {each.sop_instance_uid for each in listed} <= held and (not stored.is_known or stored.instances is not None)


def _restrict_to_listed(stored: StoredStudy, listed: Sequence[Instance]) -> StoredStudy:
    """Return *stored* with the listed instances only: a C-MOVE sends no others (query/retrieve view)."""
    uids = {each.sop_instance_uid for each in listed}
    held = tuple(each for each in stored.instances or () if not uids or each.sop_instance_uid in uids)
    return replace(stored, instances=held)


_State = tuple[tuple[StudyState, ...], str | None, list[str]]


def _find_states_by_database(stored: StoredStudy, device: Device) -> _State:
    """Return the states, the external archive recorded for instances without a file, and notes."""
    if not stored.is_known:
        return (StudyState.UNKNOWN,), None, []
    configured = device.storage_ids
    held = stored.instances or ()
    away = [each for each in held if not each.storage_ids]
    elsewhere = [each for each in held if each.storage_ids and configured.isdisjoint(each.storage_ids)]
    states = tuple(_states(len(held), len(away), len(elsewhere)))
    if stored.completeness:
        states = (StudyState.INCOMPLETE, *(each for each in states if each is not StudyState.LOCAL))
    titles = sorted({each.external_ae_title for each in away})
    notes = []
    if len(titles) > 1:
        named = ", ".join(title or "none" for title in titles)
        notes.append(f"the database has several external archives for its instances: {named}")
    if elsewhere:
        storages = ", ".join(sorted({storage for each in elsewhere for storage in each.storage_ids}))
        notes.append(f"files on the storage {storages}, which the tree does not configure")
    return states, (titles[0] or NO_EXTERNAL_ARCHIVE) if len(titles) == 1 else None, notes


def _states(number: int, away: int, elsewhere: int) -> Iterator[StudyState]:
    here = number - away - elsewhere
    if away:
        yield StudyState.PARTIAL if here else StudyState.PURGED
    elif here:
        yield StudyState.LOCAL
    if elsewhere:
        yield StudyState.UNCONFIGURED_STORAGE


def _find_states_by_availability(instances: Sequence[Instance], device: Device) -> _State:
    """Return the states that Instance Availability leaves open.

    The archive says ONLINE of purged instances unless a storage has dcmExternalRetrieveInstanceAvailability, and
    NEARLINE also of instances that it has recalled. A dcmReturnRetrieveAET is returned instead of all AE titles.
    """
    not_online = sum(each.availability in NOT_ONLINE for each in instances)
    returned = {title for each in instances for title in each.retrieve_ae_titles}
    instead = returned & _titles(device, RETURN_RETRIEVE_AET)
    names = returned - instead - _own_titles(device)
    notes = []
    if instead:
        notes.append(
            f"the archive returns {', '.join(sorted(instead))} instead of the AE that holds it ({RETURN_RETRIEVE_AET})"
        )
    match (len(instances), not_online):
        case (0, _):
            states: tuple[StudyState, ...] = (StudyState.UNKNOWN,)
        case (number, count) if count or hides_purges(device):
            partial = (StudyState.PARTIAL,) if number > 1 else ()
            states = (StudyState.LOCAL, StudyState.PURGED, *partial, StudyState.UNCONFIGURED_STORAGE)
            if not count:
                notes.append(
                    "the archive says ONLINE of purged instances too "
                    f"({EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY} is not set)"
                )
        case _:
            states = (StudyState.LOCAL, StudyState.UNCONFIGURED_STORAGE)
    if len(names) > 1:
        notes.append(f"several other archives are named: {', '.join(sorted(names))}")
    return states, next(iter(names)) if len(names) == 1 else None, notes


def _own_titles(device: Device) -> set[str]:
    """Return the titles that the archive names itself by."""
    return _titles(device, RETRIEVE_AET) | {ae.title for ae in device.network_aes}


def _titles(device: Device, attribute: str) -> set[str]:
    entries = (device.entry, *(ae.entry for ae in device.network_aes))
    return {title for entry in entries for title in entry.texts(attribute)}


def hides_purges(device: Device) -> bool:
    """Return whether the archive says ONLINE of what it purges, as far as its configuration goes."""
    return any(
        EXTERNAL_RETRIEVE_AET in each and EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY not in each
        for each in device.children(STORAGE_OBJECT_CLASS)
    )


#: Purged studies that are enough to take the smallest of, and studies that are looked at.
ENOUGH_STUDIES, MAX_STUDIES = 50, 1000
_UNKNOWN = 1 << 31  # instances: what does not say how many it has comes last


@dataclass(frozen=True, kw_only=True)
class RecallSearch:
    """Where a purged study is looked for, and by which keys (``PatientID`` …); with none, among all."""

    device: Device
    addresses: Addresses
    calling: str
    keys: Mapping[str, str]
    database: Database | None = None
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class ChosenStudy:
    """The study that was chosen, and why, in words."""

    study_uid: str
    reason: str


def find_purged_study(search: RecallSearch, on_progress: Callable[[str], None]) -> ChosenStudy:
    """Return the smallest purged study that is found, according to the archive's database.

    Without the database, C-FIND names candidates that are not ONLINE: whether they are purged is not known.
    *on_progress* reports progress, and what could not be asked. Raises :class:`NotFound` where no study is found, and
    :class:`~dcmcfg.errors.DicomError` when the query fails.
    """
    if search.database is not None:
        on_progress(f"asking the archive's database for purged studies ({search.database.url})")
        try:
            return _choose_by_database(
                search,
                search.database.find_purged_studies(
                    _to_qido_keys(search.keys), max_results=ENOUGH_STUDIES, max_examined=MAX_STUDIES
                ),
            )
        except ArchiveError as error:
            on_progress(f"the archive's database gave no answer ({error.subject}: {error.message})")
    on_progress(f"asking {search.addresses.archive} for studies that are not ONLINE (C-FIND)")
    archive, timeouts = search.addresses.archive, get_query_timeouts(search.addresses)
    with open_association(
        archive, search.calling, [InformationModel.STUDY.find_sop_class], timeouts, tls=search.tls
    ) as opened:
        return _choose_by_availability(search, find_studies(opened, search.keys, max_studies=MAX_STUDIES))


def _choose_by_database(recall: RecallSearch, found: Sequence[StoredStudy]) -> ChosenStudy:
    if not found:
        raise _create_not_found(recall, "in the archive's database has an external archive and no file here")
    titles = recall.addresses.route.ae_titles  # an external archive that the tree does not know cannot be asked
    chosen = min(
        found, key=lambda each: (each.external_ae_title not in titles, each.instance_count or _UNKNOWN, each.study_uid)
    )
    why = f"the archive's database has no file of it, and records {chosen.external_ae_title} as its external archive"
    return ChosenStudy(chosen.study_uid, _describe_choice(chosen.instance_count, why, len(found)))


def _choose_by_availability(recall: RecallSearch, found: Sequence[Study]) -> ChosenStudy:
    away = [each for each in found if each.availability in NOT_ONLINE]
    if not away and hides_purges(recall.device):
        raise NotFound(
            "every study is ONLINE, but this archive says ONLINE of purged studies too: a storage that purges has no "
            "dcmExternalRetrieveInstanceAvailability",
            next_step="let dcmcfg ask the archive's database (--archive-url, see dcmcfg status), or name a study with "
            "--study",
        )
    if not away:
        raise _create_not_found(recall, f"of the {len(found)} that C-FIND lists is NEARLINE, OFFLINE or UNAVAILABLE")
    own = recall.addresses.route.archive_ae_titles  # one that names no other archive can be asked of nobody

    def rank(each: Study) -> tuple[bool, int, str]:
        return own.issuperset(each.retrieve_ae_titles), each.instance_count or _UNKNOWN, each.study_uid

    chosen = min(away, key=rank)
    why = f"its Instance Availability is {chosen.availability}, which does not prove that it was purged"
    return ChosenStudy(chosen.study_uid, _describe_choice(chosen.instance_count, why, len(away)))


def _describe_choice(number: int | None, why: str, found: int) -> str:
    size = "an unknown number of instances" if not number else "1 instance" if number == 1 else f"{number} instances"
    others = "the only one found" if found == 1 else f"the smallest of {found} found"
    return f"{size}; {why}; {others}"


def _create_not_found(recall: RecallSearch, why: str) -> NotFound:
    among = (
        f" that matches {', '.join(f'{name}={value}' for name, value in recall.keys.items())}" if recall.keys else ""
    )
    return NotFound(
        f"no purged study was found: none{among} {why}",
        subject=str(recall.addresses.archive),
        next_step="let the archive purge one (dcmcfg lint tells what keeps it from that), look for others with "
        "--query, or name one with --study",
    )


def _to_qido_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """Return *keys* as a search by HTTP takes them: several values are separated by commas (PS3.18 §8.3.4.1)."""
    return {name: value.replace("\\", ",") for name, value in keys.items()}

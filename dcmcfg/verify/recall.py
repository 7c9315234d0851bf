"""Find a study for a meaningful recall: the smallest one that the archive has really purged.

The location of a study comes from the archive's database, otherwise from C-FIND responses.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace

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
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import NOT_ONLINE
from dcmcfg.verify.run import get_query_timeouts


@dataclass(frozen=True, kw_only=True)
class LocatedStudy:
    """The location of a study, and the possible states: several if the state is uncertain.

    ``external_ae_title`` is the AE title recorded for the instances without a file, ``*`` if the database has none. It
    is None if it is unknown, or if there are several. ``is_from_database`` is True if the archive's database answered.
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
    """Return the location of the study *study_uid*: the archive *device* lists its *instances* by C-FIND.

    *stored* is the study in the archive's database. Without it, the states are those compatible with Instance
    Availability, and *database_error* is the reason why the database did not answer.
    """
    is_covered = stored is not None and _is_covered(stored, instances)
    if stored is not None and is_covered:
        states, external, notes = _find_states_by_database(_restrict_to_listed(stored, instances), device)
    else:
        states, external, notes = _find_states_by_availability(instances, device)
        if stored is not None:
            notes.append(
                "some instances that the archive lists by C-FIND are missing in the archive's database, so the "
                "state of the study is not certain"
            )
        elif instances:
            reason = f" ({database_error})" if database_error else ""
            notes.append(f"the archive's database was not queried{reason}, so the state of the study is not certain")
    return LocatedStudy(
        study_uid=study_uid,
        instance_count=len(instances),
        availabilities=tuple(sorted({each.availability or "not given" for each in instances})),
        sop_classes=frozenset(each.sop_class_uid for each in instances),
        states=states,
        external_ae_title=external,
        notes=tuple(notes),
        is_from_database=is_covered,
    )


def _is_covered(stored: StoredStudy, listed: Sequence[Instance]) -> bool:
    """Return whether the database has every instance that the archive lists by C-FIND."""
    stored_uids = {each.sop_instance_uid for each in stored.instances or ()}
    return {each.sop_instance_uid for each in listed} <= stored_uids and (
        not stored.is_known or stored.instances is not None
    )


def _restrict_to_listed(stored: StoredStudy, listed: Sequence[Instance]) -> StoredStudy:
    """Return *stored* with the listed instances only: a C-MOVE sends no others (query/retrieve view)."""
    uids = {each.sop_instance_uid for each in listed}
    instances = tuple(each for each in stored.instances or () if not uids or each.sop_instance_uid in uids)
    return replace(stored, instances=instances)


_State = tuple[tuple[StudyState, ...], str | None, list[str]]


def _find_states_by_database(stored: StoredStudy, device: Device) -> _State:
    """Return the states, the external archive recorded for instances without a file, and notes."""
    if not stored.is_known:
        return (StudyState.UNKNOWN,), None, []
    configured = device.storage_ids
    instances = stored.instances or ()
    without_file = [each for each in instances if not each.storage_ids]
    on_unconfigured = [each for each in instances if each.storage_ids and configured.isdisjoint(each.storage_ids)]
    states = tuple(_list_states(len(instances), len(without_file), len(on_unconfigured)))
    if stored.completeness:
        # The archive may request an incomplete study from its fallback archive, even if all known files are local.
        states = (StudyState.INCOMPLETE, *(each for each in states if each is not StudyState.LOCAL))
    titles = sorted({each.external_ae_title for each in without_file})
    notes = []
    if len(titles) > 1:
        title_list = ", ".join(title or "none" for title in titles)
        notes.append(f"the database has several external archives for the instances: {title_list}")
    if on_unconfigured:
        storages = ", ".join(sorted({storage for each in on_unconfigured for storage in each.storage_ids}))
        notes.append(f"files are on the storage {storages}, which is not in the LDAP configuration")
    return states, (titles[0] or NO_EXTERNAL_ARCHIVE) if len(titles) == 1 else None, notes


def _list_states(total: int, without_file: int, on_unconfigured: int) -> Iterator[StudyState]:
    local = total - without_file - on_unconfigured
    if without_file:
        yield StudyState.PARTIAL if local else StudyState.PURGED
    elif local:
        yield StudyState.LOCAL
    if on_unconfigured:
        yield StudyState.UNCONFIGURED_STORAGE


def _find_states_by_availability(instances: Sequence[Instance], device: Device) -> _State:
    """Return the states compatible with Instance Availability.

    The archive reports ONLINE for purged instances unless a storage has dcmExternalRetrieveInstanceAvailability, and
    NEARLINE also for instances that it has recalled. It returns dcmReturnRetrieveAET instead of all AE titles.
    """
    not_online = sum(each.availability in NOT_ONLINE for each in instances)
    titles = {title for each in instances for title in each.retrieve_ae_titles}
    substitutes = titles & _collect_titles(device, RETURN_RETRIEVE_AET)
    external_titles = titles - substitutes - _collect_own_titles(device)
    notes = []
    if substitutes:
        notes.append(
            f"the archive returns {', '.join(sorted(substitutes))} as the Retrieve AE Title, not the AE that has the "
            f"study ({RETURN_RETRIEVE_AET})"
        )
    match (len(instances), not_online):
        case (0, _):
            states: tuple[StudyState, ...] = (StudyState.UNKNOWN,)
        case (number, count) if count or hides_purges(device):
            # A single instance cannot be partly local.
            partial_states = (StudyState.PARTIAL,) if number > 1 else ()
            states = (StudyState.LOCAL, StudyState.PURGED, *partial_states, StudyState.UNCONFIGURED_STORAGE)
            if not count:
                notes.append(
                    f"the archive also reports ONLINE for purged instances ({EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY} "
                    "is not set)"
                )
        case _:
            states = (StudyState.LOCAL, StudyState.UNCONFIGURED_STORAGE)
    if len(external_titles) > 1:
        notes.append(f"the archive lists several other archives: {', '.join(sorted(external_titles))}")
    return states, next(iter(external_titles)) if len(external_titles) == 1 else None, notes


def _collect_own_titles(device: Device) -> set[str]:
    """Return the AE titles that the archive uses for itself."""
    return _collect_titles(device, RETRIEVE_AET) | {ae.title for ae in device.network_aes}


def _collect_titles(device: Device, attribute: str) -> set[str]:
    entries = (device.entry, *(ae.entry for ae in device.network_aes))
    return {title for entry in entries for title in entry.texts(attribute)}


def hides_purges(device: Device) -> bool:
    """Return whether the archive reports ONLINE for purged instances, according to its configuration."""
    return any(
        # A storage with dcmExternalRetrieveAET deletes files of studies that an external archive holds.
        EXTERNAL_RETRIEVE_AET in each and EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY not in each
        for each in device.children(STORAGE_OBJECT_CLASS)
    )


#: Number of purged studies from which the smallest is chosen, and limit of examined studies.
ENOUGH_STUDIES, MAX_STUDIES = 50, 1000
_UNKNOWN_COUNT = 1 << 31  # instances; a study of unknown size comes last


@dataclass(frozen=True, kw_only=True)
class RecallSearch:
    """Search for a purged study with keys (``PatientID`` …); without keys, all studies match."""

    device: Device
    addresses: VerificationAddresses
    calling_ae_title: str
    keys: Mapping[str, str]
    database: Database | None = None
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class ChosenStudy:
    """The chosen study, with the reason in words.

    ``database_problem`` is the reason why the archive's database did not choose it, in words; "" if it did.
    """

    study_uid: str
    reason: str
    _: KW_ONLY
    database_problem: str = ""


def find_purged_study(search: RecallSearch, on_progress: Callable[[str], None]) -> ChosenStudy:
    """Return the smallest purged study according to the archive's database.

    Without the database, C-FIND lists candidates that are not ONLINE, but they may not be purged. *on_progress* reports
    progress and failed queries. Raises :class:`NotFound` if no study is found, and :class:`~dcmcfg.errors.DicomError`
    if the query fails.
    """
    problem = "the archive's database was not queried"
    if search.database is not None:
        on_progress(f"querying the archive's database for purged studies ({search.database.url})")
        try:
            return _choose_by_database(
                search,
                search.database.find_purged_studies(
                    _to_qido_keys(search.keys), max_results=ENOUGH_STUDIES, max_examined=MAX_STUDIES
                ),
            )
        except ArchiveError as error:
            problem = "the archive's database did not answer"
            on_progress(f"no answer from the archive's database ({error.subject}: {error.message})")
    on_progress(f"querying {search.addresses.archive} for studies that are not ONLINE (C-FIND)")
    archive, timeouts = search.addresses.archive, get_query_timeouts(search.addresses)
    with open_association(
        archive, search.calling_ae_title, [InformationModel.STUDY.find_sop_class], timeouts, tls=search.tls
    ) as association:
        studies = find_studies(association, search.keys, max_studies=MAX_STUDIES)
    return replace(_choose_by_availability(search, studies), database_problem=problem)


def _choose_by_database(search: RecallSearch, studies: Sequence[StoredStudy]) -> ChosenStudy:
    if not studies:
        subject = "none of the matching studies has" if search.keys else "no study has"
        raise _create_not_found(
            search,
            f"according to the archive's database, {subject} an external archive and no local files (dcmcfg examines "
            f"at most {MAX_STUDIES:,} studies)",
        )
    known_titles = search.addresses.route.ae_titles  # The archive cannot call an external archive outside of the tree.
    chosen = min(
        studies,
        key=lambda each: (
            each.external_ae_title not in known_titles,
            each.instance_count or _UNKNOWN_COUNT,
            each.study_uid,
        ),
    )
    reason = (
        "the archive's database has no local file for this study. The external archive of the study is "
        f"{chosen.external_ae_title}"
    )
    return ChosenStudy(chosen.study_uid, _describe_choice(chosen, studies, reason, "found {} purged studies"))


def _choose_by_availability(search: RecallSearch, studies: Sequence[Study]) -> ChosenStudy:
    not_online = [study for study in studies if study.availability in NOT_ONLINE]
    if search.keys and not studies:
        raise _create_not_found(search, "C-FIND lists no matching study")
    if not not_online and hides_purges(search.device):
        raise NotFound(
            f"every {'matching ' if search.keys else ''}study is ONLINE, but this archive also reports ONLINE for "
            "purged studies: on a storage that purges studies, dcmExternalRetrieveInstanceAvailability is not set",
            next_step=(
                "to query the archive's database, set the archive's URL (--archive-url, see dcmcfg status); or specify "
                "a study with --study"
            ),
        )
    if not not_online:
        raise _create_not_found(
            search,
            f"no {'matching ' if search.keys else ''}study is NEARLINE, OFFLINE or UNAVAILABLE (studies that C-FIND "
            f"lists: {len(studies)})",
        )
    own_titles = search.addresses.route.archive_ae_titles  # A study without another archive cannot be recalled.

    def rank(study: Study) -> tuple[bool, int, str]:
        return own_titles.issuperset(study.retrieve_ae_titles), study.instance_count or _UNKNOWN_COUNT, study.study_uid

    chosen = min(not_online, key=rank)
    reason = (
        f"the Instance Availability of the study is {chosen.availability}, but this value does not prove that the "
        "study was purged"
    )
    return ChosenStudy(
        chosen.study_uid, _describe_choice(chosen, not_online, reason, "found {} studies that are not ONLINE")
    )


def _describe_choice(
    chosen: StoredStudy | Study, studies: Sequence[StoredStudy] | Sequence[Study], reason: str, found: str
) -> str:
    """Return the size of the *chosen* study, why it qualifies, and its rank among *studies*, counted by *found*."""
    count = chosen.instance_count
    size = "an unknown number of instances" if not count else "1 instance" if count == 1 else f"{count} instances"
    if len(studies) == 1:
        return f"{size}; {reason}; the only study found"
    # A smaller study may be at an archive from which it cannot be recalled.
    is_smallest = count and all(count <= (each.instance_count or _UNKNOWN_COUNT) for each in studies)
    rank = "; the chosen study has the fewest instances" if is_smallest else ""
    return f"{size}; {reason}; {found.format(len(studies))}{rank}"


def _create_not_found(search: RecallSearch, reason: str) -> NotFound:
    criteria = (
        f" that matches {', '.join(f'{name}={value}' for name, value in search.keys.items())}" if search.keys else ""
    )
    next_step = (
        # Studies that do not match may be purged.
        "specify other keys with --query, omit --query to search all studies, or specify a study with --study"
        if search.keys
        else "let the archive purge a study, or specify a study with --study. To find problems that prevent a purge: "
        "dcmcfg check"
    )
    return NotFound(
        f"no purged study{criteria} found: {reason}",
        subject=str(search.addresses.archive),
        next_step=next_step,
    )


def _to_qido_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """Return *keys* for a search by HTTP: several values are separated by commas (PS3.18 §8.3.4.1)."""
    return {name: value.replace("\\", ",") for name, value in keys.items()}

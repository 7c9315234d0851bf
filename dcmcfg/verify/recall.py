"""A study that proves something when it is recalled: one that the archive has really purged, the smallest found."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dcmcfg.archive.database import Database
from dcmcfg.archive.stored import StoredStudy
from dcmcfg.dicom.associate import associated
from dcmcfg.dicom.query import Study, find_studies
from dcmcfg.dicom.retrieval import Model
from dcmcfg.errors import ArchiveError, NotFound
from dcmcfg.model.devices import Device
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import NOT_ONLINE
from dcmcfg.verify.run import query_timeouts
from dcmcfg.verify.study_state import purges_unseen

#: Purged studies that are enough to take the smallest of, and studies that are looked at.
ENOUGH, MOST = 50, 1000
_UNKNOWN = 1 << 31  # instances: what does not say how many it has comes last


@dataclass(frozen=True)
class Recall:
    """Where a purged study is looked for, and by which keys (``PatientID`` …); with none, among all."""

    device: Device
    addresses: Addresses
    calling: str
    keys: Mapping[str, str]
    database: Database | None = None
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Choice:
    """The study that was chosen, and why, in words."""

    study_uid: str
    why: str


def purged_study(recall: Recall, tell: Callable[[str], None]) -> Choice:
    """Return the smallest purged study that is found, according to the archive's database.

    Without the database, C-FIND names candidates that are not ONLINE: whether they are purged is not known. *tell*
    reports progress, and what could not be asked. Raises :class:`NotFound` where no study is found, and
    :class:`~dcmcfg.errors.DicomError` when the query fails.
    """
    if recall.database is not None:
        tell(f"asking the archive's database for purged studies ({recall.database.url})")
        try:
            return _by_database(recall, recall.database.purged(_for_web(recall.keys), enough=ENOUGH, most=MOST))
        except ArchiveError as error:
            tell(f"the archive's database gave no answer ({error.on}: {error.what})")
    tell(f"asking {recall.addresses.archive} for studies that are not ONLINE (C-FIND)")
    archive, timeouts = recall.addresses.archive, query_timeouts(recall.addresses)
    with associated(archive, recall.calling, [Model.STUDY.find], timeouts, recall.tls) as opened:
        return _by_availability(recall, find_studies(opened, recall.keys, most=MOST))


def _by_database(recall: Recall, found: Sequence[StoredStudy]) -> Choice:
    if not found:
        raise _none(recall, "in the archive's database has an external archive and no file here")
    titles = recall.addresses.route.titles  # an external archive that the tree does not know cannot be asked
    chosen = min(found, key=lambda each: (each.external not in titles, each.number or _UNKNOWN, each.study_uid))
    why = f"the archive's database has no file of it, and records {chosen.external} as its external archive"
    return Choice(chosen.study_uid, _words(chosen.number, why, len(found)))


def _by_availability(recall: Recall, found: Sequence[Study]) -> Choice:
    away = [each for each in found if each.availability in NOT_ONLINE]
    if not away and purges_unseen(recall.device):
        raise NotFound(
            "every study is ONLINE, but this archive says ONLINE of purged studies too: a storage that purges has no "
            "dcmExternalRetrieveInstanceAvailability",
            next_step="let dcmcfg ask the archive's database (--archive-url, see dcmcfg status), or name a study with "
            "--study",
        )
    if not away:
        raise _none(recall, f"of the {len(found)} that C-FIND lists is NEARLINE, OFFLINE or UNAVAILABLE")
    own = recall.addresses.route.archive_titles  # one that names no other archive can be asked of nobody

    def rank(each: Study) -> tuple[bool, int, str]:
        return own.issuperset(each.retrieve_ae_titles), each.instances or _UNKNOWN, each.study_uid

    chosen = min(away, key=rank)
    why = f"its Instance Availability is {chosen.availability}, which does not prove that it was purged"
    return Choice(chosen.study_uid, _words(chosen.instances, why, len(away)))


def _words(number: int | None, why: str, found: int) -> str:
    size = "an unknown number of instances" if not number else "1 instance" if number == 1 else f"{number} instances"
    others = "the only one found" if found == 1 else f"the smallest of {found} found"
    return f"{size}; {why}; {others}"


def _none(recall: Recall, why: str) -> NotFound:
    among = (
        f" that matches {', '.join(f'{name}={value}' for name, value in recall.keys.items())}" if recall.keys else ""
    )
    return NotFound(
        f"no purged study was found: none{among} {why}",
        on=str(recall.addresses.archive),
        next_step="let the archive purge one (dcmcfg lint tells what keeps it from that), look for others with "
        "--query, or name one with --study",
    )


def _for_web(keys: Mapping[str, str]) -> dict[str, str]:
    """Return *keys* as a search by HTTP takes them: several values are separated by commas (PS3.18 §8.3.4.1)."""
    return {name: value.replace("\\", ",") for name, value in keys.items()}

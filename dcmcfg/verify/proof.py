"""Record a complete verification as a proof: configuration, requests, responses, received instances, and verdict."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from dcmcfg import __version__
from dcmcfg.dicom.move import MoveProgress
from dcmcfg.model.devices import Configuration
from dcmcfg.model.export import export_ldif, select_entries
from dcmcfg.model.retrieve_settings import EffectiveSetting, list_retrieve_settings
from dcmcfg.route.path import Route
from dcmcfg.route.request import RouteRequest, StudyState, get_archive_ae
from dcmcfg.route.route import find_route
from dcmcfg.schema_names import DICOM_SOFTWARE_VERSION
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.local_files import FileLocality, find_recorded_archives, locate_files_before_move
from dcmcfg.verify.timeline import MOVE_SENT, Timeline, TimelineEvent
from dcmcfg.verify.verdict import Verdict

_LIBRARIES = ("pydicom", "ldap3", "httpx")


@dataclass(frozen=True)
class SiteSetting:
    """A non-secret setting of the site, and its origin: ``--ldap-url``, ``profile lab``, ``default``."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True)
class TreeFacts:
    """The configuration that was read: the number of exported entries, and the SHA-256 of ``dcmcfg export-ldif``."""

    base_dn: str
    entries: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class VerifiedConfiguration:
    """The configuration behind the verification; ``software`` is the version that the archive reports."""

    site: tuple[SiteSetting, ...]
    tree: TreeFacts
    device: str
    settings: tuple[EffectiveSetting, ...]
    addresses: VerificationAddresses
    software: tuple[str, ...]
    route: Route


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A complete verification with its times.

    ``began`` and ``ended`` are in UTC, ``time_zone`` is that of this machine's clock.
    """

    began: datetime
    ended: datetime
    time_zone: str
    versions: Mapping[str, str]
    configuration: VerifiedConfiguration
    events: tuple[TimelineEvent, ...]
    evidence: Evidence
    verdict: Verdict


def create_proof(
    timeline: Timeline, configuration: VerifiedConfiguration, evidence: Evidence, verdict: Verdict
) -> Proof:
    """Return the proof of a verification that has just ended."""
    local_now = datetime.now().astimezone()
    zone = f"{local_now.tzname()} {local_now:%z}"
    ended = local_now.astimezone(UTC)
    events = (*timeline.events, *_create_final_event(timeline, evidence))
    in_order = tuple(sorted(events, key=lambda event: event.time))
    return Proof(
        began=timeline.began,
        ended=ended,
        time_zone=zone,
        versions=collect_versions(),
        configuration=configuration,
        events=in_order,
        evidence=evidence,
        verdict=verdict,
    )


def _create_final_event(timeline: Timeline, evidence: Evidence) -> Iterator[TimelineEvent]:
    """Yield the final response as an event; with several requests, the times of their responses are unknown."""
    outcome = evidence.outcome
    times = [event.time for event in timeline.events if event.description == MOVE_SENT]
    if len(times) == 1:
        description = "no final response" if outcome.status is None else f"final response {outcome.status:04X}"
        progress = MoveProgress(outcome.remaining, outcome.completed, outcome.failed, outcome.warning)
        yield TimelineEvent(times[0] + timedelta(seconds=outcome.seconds), description, progress)


def describe_configuration(
    configuration: Configuration,
    device: str,
    addresses: VerificationAddresses,
    *,
    site: tuple[SiteSetting, ...],
    evidence: Evidence,
    facts: TreeFacts | None = None,
) -> VerifiedConfiguration:
    """Return the configuration of the archive *device* in *configuration*.

    *facts* is its :func:`compute_tree_facts`, if known. The route is that for the state of the study, as far as it is
    known.
    """
    request = evidence.request
    archive_ae = get_archive_ae(configuration.get_device(device), request.archive.ae_title)
    external = next((title for title in find_recorded_archives(evidence) if title), None)
    sop_classes = frozenset(each.sop_class_uid for each in evidence.instances_before if each.sop_class_uid) or None
    route = find_route(
        configuration,
        RouteRequest(
            archive_ae, request.destination_ae_title, request.calling_ae_title, external, sop_classes=sop_classes
        ),
        _find_study_states(evidence),
    )
    return VerifiedConfiguration(
        site=site,
        tree=facts or compute_tree_facts(configuration),
        device=archive_ae.device.name,
        settings=list_retrieve_settings(archive_ae),
        addresses=addresses,
        software=archive_ae.device.entry.texts(DICOM_SOFTWARE_VERSION),
        route=route,
    )


def compute_tree_facts(configuration: Configuration) -> TreeFacts:
    """Return the identity of the tree of *configuration*: the checksum of its export without secrets."""
    entries = select_entries(configuration.tree, None)
    digest = hashlib.sha256()
    for text in export_ldif(entries, with_secrets=False):
        digest.update(text.encode())
    return TreeFacts(str(entries[0].dn), len(entries), digest.hexdigest())


def collect_versions() -> dict[str, str]:
    """Return the versions of the software on this machine, by name."""
    versions = {"dcmcfg": __version__, "Python": platform.python_version()}
    return versions | dict(_find_library_versions()) | {"operating system": platform.platform()}


def _find_library_versions() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # installed by other means
            yield name, "unknown"


def _find_study_states(evidence: Evidence) -> tuple[StudyState, ...]:
    if not evidence.instances_before:
        return (StudyState.UNKNOWN,)
    match locate_files_before_move(evidence).locality:
        case FileLocality.LOCAL:
            return (StudyState.LOCAL,)
        case FileLocality.NOT_LOCAL:
            return (StudyState.PURGED,)
        case FileLocality.PARTLY_LOCAL:
            return (StudyState.PARTIAL,)
        case FileLocality.UNCONFIGURED_STORAGE:
            return (StudyState.UNCONFIGURED_STORAGE,)
        case FileLocality.UNKNOWN | FileLocality.PROBABLY_NOT_LOCAL:
            return (StudyState.LOCAL, StudyState.PURGED)

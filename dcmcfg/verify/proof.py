"""A verification as a whole, to be kept: what was configured, asked, answered, received, and the verdict."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from dcmcfg import __version__
from dcmcfg.dicom.move import Progress
from dcmcfg.model.devices import Configuration
from dcmcfg.model.export import export_ldif, exported
from dcmcfg.model.retrieve_settings import Setting, retrieve_settings
from dcmcfg.route.path import Route
from dcmcfg.route.request import Question as RouteQuestion
from dcmcfg.route.request import StudyState, asked_ae
from dcmcfg.route.route import find_route
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.file_evidence import Files, external_archives, files_before
from dcmcfg.verify.timeline import SENT, Chronicle, Event
from dcmcfg.verify.verdict import Verdict

_LIBRARIES = ("pydicom", "ldap3", "httpx")


@dataclass(frozen=True)
class SiteSetting:
    """A setting of the site that is no secret, and where it came from: ``--ldap-url``, ``profile lab``, ``default``."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True)
class TreeFacts:
    """The configuration that was read: how many entries are exported, and the SHA-256 of ``dcmcfg export-ldif``."""

    base_dn: str
    entries: int
    sha256: str


@dataclass(frozen=True)
class Configured:
    """What the configuration says that the verification was about; ``software`` is the archive's own version."""

    site: tuple[SiteSetting, ...]
    tree: TreeFacts
    device: str
    settings: tuple[Setting, ...]
    addresses: Addresses
    software: tuple[str, ...]
    route: Route


@dataclass(frozen=True)
class Proof:
    """Everything, with when it was: ``began`` and ``ended`` are in UTC, ``zone`` is that of this machine's clock."""

    began: datetime
    ended: datetime
    zone: str
    versions: Mapping[str, str]
    configured: Configured
    events: tuple[Event, ...]
    evidence: Evidence
    verdict: Verdict


def proof_of(chronicle: Chronicle, about: Configured, evidence: Evidence, verdict: Verdict) -> Proof:
    """Return everything, as it is now that the verification is over."""
    here = datetime.now().astimezone()
    zone = f"{here.tzname()} {here:%z}"
    ended = here.astimezone(UTC)
    events = (*chronicle.events, *_final(chronicle, evidence))
    in_order = tuple(sorted(events, key=lambda event: event.moment))
    return Proof(chronicle.began, ended, zone, versions(), about, in_order, evidence, verdict)


def _final(chronicle: Chronicle, evidence: Evidence) -> Iterator[Event]:
    """Yield the final response as an event; where several requests were sent, nobody noted when each was answered."""
    outcome = evidence.outcome
    sent = [event.moment for event in chronicle.events if event.what == SENT]
    if len(sent) == 1:
        what = "no final response" if outcome.status is None else f"final response {outcome.status:04X}"
        numbers = Progress(outcome.remaining, outcome.completed, outcome.failed, outcome.warning)
        yield Event(sent[0] + timedelta(seconds=outcome.seconds), what, numbers)


def configured(
    configuration: Configuration,
    device: str,
    addresses: Addresses,
    site: tuple[SiteSetting, ...],
    proven: Evidence,
    tree: TreeFacts | None = None,
) -> Configured:
    """Return what *configuration* says of the archive that is its *device*; *tree* is its :func:`tree_facts`, if known.

    The route is that for the state in which the study was, as far as is known.
    """
    question = proven.question
    asked = asked_ae(configuration.device(device), question.archive.ae_title)
    external = next((title for title in external_archives(proven) if title), None)
    classes = frozenset(each.sop_class_uid for each in proven.expected if each.sop_class_uid) or None
    route = find_route(
        configuration,
        RouteQuestion(asked, question.destination, question.calling, external, classes),
        _states(proven),
    )
    return Configured(
        site,
        tree or tree_facts(configuration),
        asked.device.name,
        retrieve_settings(asked),
        addresses,
        asked.device.entry.texts("dicomSoftwareVersion"),
        route,
    )


def tree_facts(configuration: Configuration) -> TreeFacts:
    """Return what stands for the tree of *configuration*: the checksum of its export without secrets."""
    entries = exported(configuration.tree, None)
    digest = hashlib.sha256()
    for text in export_ldif(entries, with_secrets=False):
        digest.update(text.encode())
    return TreeFacts(str(entries[0].dn), len(entries), digest.hexdigest())


def versions() -> dict[str, str]:
    """Return the versions of what took part on this machine, by name."""
    found = {"dcmcfg": __version__, "Python": platform.python_version()}
    return found | dict(_libraries()) | {"operating system": platform.platform()}


def _libraries() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # installed by other means
            yield name, "not known"


def _states(evidence: Evidence) -> tuple[StudyState, ...]:
    if not evidence.expected:
        return (StudyState.UNKNOWN,)
    match files_before(evidence).finding:
        case Files.HERE:
            return (StudyState.LOCAL,)
        case Files.AWAY:
            return (StudyState.PURGED,)
        case Files.IN_PART:
            return (StudyState.PARTIAL,)
        case Files.UNCONFIGURED:
            return (StudyState.ELSEWHERE,)
        case Files.UNKNOWN | Files.PROBABLY_AWAY:
            return (StudyState.LOCAL, StudyState.PURGED)

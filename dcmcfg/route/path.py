"""Describe the outcome of a C-MOVE: the messages sent, the prerequisites at the peers, and the failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum, StrEnum
from typing import Literal

from dcmcfg.network_address import format_host_port
from dcmcfg.route.capability_limits import CapabilityLimits
from dcmcfg.route.request import RouteRequest, StudyState

#: The final response if there was nothing to send, and also if nothing came back or was sent.
EMPTY_SUCCESS = "0000 without counters"
#: The final response if the study is known, but the archive can neither read nor retrieve any of its objects.
NOT_ACCESSIBLE = "A702 without counters"
#: The final response if every sub-operation failed; the counters hold the number.
ALL_FAILED = "A702, all failed"
#: The final response if an external archive does not know the Move Destination: the archive relays its status.
DESTINATION_REFUSED = "the external archive's status: A801 (Orthanc: C000)"
#: The final response if the local instances are sent, and the recalled ones are not.
LOCAL_ONLY = "B000, only the local instances completed"


class RetrieveBranch(StrEnum):
    """The branch of the archive's code for a retrieve (``CommonCMoveSCP``)."""

    LOCAL = "local"
    EXTERNAL_VIA_ARCHIVE = "objects that the external archive sends back to the archive"
    EXTERNAL_DIRECT = "objects that the external archive sends straight to the destination"
    MIXED_VIA_ARCHIVE = "local objects, and objects that the external archive sends back to the archive"
    MIXED_DIRECT = "local objects, and objects that the external archive sends straight to the destination"
    ALTERNATIVE = "objects that the alternative C-MOVE SCP sends straight to the destination"
    FALLBACK_VIA_ARCHIVE = "objects that the fallback C-MOVE SCP sends back to the archive"
    FALLBACK_DIRECT = "objects that the fallback C-MOVE SCP sends straight to the destination"
    LOCAL_AND_FALLBACK = "local objects, and missing objects from the fallback C-MOVE SCP"
    NOTHING = "nothing is sent"


class PathOutcome(Enum):
    """How a path ends according to the configuration; ``UNCONFIGURED`` means that nothing is configured for it."""

    DELIVERED = "delivered"
    PARTIAL = "partial"
    FAILED = "failed"
    UNCONFIGURED = "unconfigured"


@dataclass(frozen=True)
class AEAddress:
    """The address at which an AE is called."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{format_host_port(self.host, self.port)}{' TLS' if self.tls else ''}"


@dataclass(frozen=True, kw_only=True)
class RouteMessage:
    """One message with its sender and receiver, their AE titles, and the address.

    ``move_destination`` is set for a C-MOVE only. ``A-ASSOCIATE`` is an association on which nothing is sent.
    """

    kind: Literal["A-ASSOCIATE", "C-MOVE", "C-STORE"]
    sender_ae_title: str
    receiver_ae_title: str
    calling_ae_title: str
    called_ae_title: str
    address: AEAddress | None
    move_destination: str = ""


@dataclass(frozen=True)
class Prerequisite:
    """A setting required at ``peer_ae_title``: to accept ``ae_title`` as a caller, or to know its address."""

    peer_ae_title: str
    kind: Literal["accept", "know"]
    ae_title: str
    _: KW_ONLY
    address: AEAddress | None = None
    service: Literal["C-MOVE", "C-STORE"] = "C-MOVE"


@dataclass(frozen=True)
class RouteFailure:
    """A reason why the request fails, with the response (empty if another archive gives it) and the next step."""

    response: str
    reason: str
    next_step: str = ""


@dataclass(frozen=True)
class RetrievePath:
    """How the archive processes the request if the study is in ``study_state``.

    ``external_ae_title`` is the other archive that is called, empty for none. ``configured_by`` lists the sources of
    this title in the configuration.
    """

    study_state: StudyState
    branch: RetrieveBranch
    outcome: PathOutcome
    _: KW_ONLY
    external_ae_title: str = ""
    configured_by: tuple[str, ...] = ()
    messages: tuple[RouteMessage, ...] = ()
    failures: tuple[RouteFailure, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = ()
    capability_limits: CapabilityLimits | None = None
    notes: tuple[str, ...] = ()

    @property
    def outcome_text(self) -> str:
        """The outcome in words; it depends on the prerequisites in other machines' configurations."""
        condition = (
            ", if the prerequisites hold" if self.outcome is PathOutcome.DELIVERED and self.prerequisites else ""
        )
        return f"{self.outcome.value}{condition}"


@dataclass(frozen=True)
class Route:
    """The result: a refusal that applies to every study, or one path for each state of the study.

    ``listening_address`` is the address at which the archive's AE is called.
    """

    request: RouteRequest
    listening_address: AEAddress | None
    refusal: RouteFailure | None
    paths: tuple[RetrievePath, ...] = ()

    def with_next_steps(self, format_step: Callable[[str], str]) -> Route:
        """Return this route with each next step replaced by *format_step*, which may add options to command lines."""

        def transform(failure: RouteFailure) -> RouteFailure:
            return replace(failure, next_step=format_step(failure.next_step))

        paths = tuple(replace(path, failures=tuple(map(transform, path.failures))) for path in self.paths)
        return replace(self, refusal=transform(self.refusal) if self.refusal else None, paths=paths)

    def is_delivered(self, *states: StudyState) -> bool:
        """Return whether the objects are delivered in each of *states*.

        Without states, every configured state counts, and at least one must be configured.
        """
        paths = self._select_paths(states)
        return self.refusal is None and bool(paths) and not self.find_undelivered_paths(*states)

    def find_undelivered_paths(self, *states: StudyState) -> tuple[RetrievePath, ...]:
        """Return the paths that :meth:`is_delivered` considers and on which not all objects are delivered."""
        return tuple(path for path in self._select_paths(states) if path.outcome is not PathOutcome.DELIVERED)

    def _select_paths(self, states: tuple[StudyState, ...]) -> tuple[RetrievePath, ...]:
        if states:
            return tuple(path for path in self.paths if path.study_state in states)
        return tuple(path for path in self.paths if path.outcome is not PathOutcome.UNCONFIGURED)

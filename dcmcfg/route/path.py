"""What a C-MOVE comes to: the messages that are sent, who has to know whom, and what stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum, StrEnum
from typing import Literal

from dcmcfg.network_address import format_host_port
from dcmcfg.route.capability_limits import CapabilityLimits
from dcmcfg.route.request import RouteRequest, StudyState

#: The final response where nothing was to do, and also where nothing came back or was sent.
EMPTY_SUCCESS = "0000 without counters"
#: The final response where the study is known, and the archive can neither read nor fetch any of its objects.
NOT_ACCESSIBLE = "A702 without counters"
#: The final response where every sub-operation failed; the counters say how many.
ALL_FAILED = "A702, all failed"
#: The final response where an external archive does not know the Move Destination: the archive relays its status.
DESTINATION_REFUSED = "the external archive's status: A801 (Orthanc: C000)"
#: The final response where the local instances are sent, and what was recalled is not.
LOCAL_ONLY = "B000, completed: the local instances only"


class RetrieveBranch(StrEnum):
    """Which way the archive takes (``CommonCMoveSCP``)."""

    LOCAL = "local"
    EXTERNAL_VIA_ARCHIVE = "external retrieve, back to the archive"
    EXTERNAL_DIRECT = "external retrieve, straight to the destination"
    MIXED_VIA_ARCHIVE = "local, and external retrieve back to the archive"
    MIXED_DIRECT = "local, and external retrieve straight to the destination"
    ALTERNATIVE = "alternative C-MOVE SCP"
    FALLBACK_VIA_ARCHIVE = "fallback C-MOVE SCP, back to the archive"
    FALLBACK_DIRECT = "fallback C-MOVE SCP, straight to the destination"
    LOCAL_AND_FALLBACK = "local, and fallback C-MOVE SCP for what is missing"
    NOTHING = "nothing is sent"


class PathOutcome(Enum):
    """How a way ends, as far as the configuration tells; ``UNCONFIGURED``: nothing is configured for this case."""

    DELIVERED = "delivered"
    PARTIAL = "partial"
    FAILED = "failed"
    UNCONFIGURED = "unconfigured"


@dataclass(frozen=True)
class AEAddress:
    """Where an AE is called."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{format_host_port(self.host, self.port)}{' TLS' if self.tls else ''}"


@dataclass(frozen=True, kw_only=True)
class RouteMessage:
    """One message: sender and receiver, their AE titles, the address; ``move_destination`` is a Move Destination.

    ``A-ASSOCIATE`` is an association over which nothing is sent.
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
    """What is to be configured at ``peer_ae_title``: to accept ``ae_title`` as a caller, or to know its address."""

    peer_ae_title: str
    kind: Literal["accept", "know"]
    ae_title: str
    _: KW_ONLY
    address: AEAddress | None = None
    service: Literal["C-MOVE", "C-STORE"] = "C-MOVE"


@dataclass(frozen=True)
class RouteFailure:
    """What stops the request: the answer that it ends in (empty where another archive gives it), why, what to do."""

    response: str
    reason: str
    next_step: str = ""


@dataclass(frozen=True)
class RetrievePath:
    """What the archive does where the study is in ``study_state``.

    ``external_ae_title`` is the other archive that is asked, empty for none; ``configured_by`` says what in the
    configuration names it.
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
        """How it ends in words: with what stands in other machines' configurations, it is not settled."""
        condition = (
            ", if the prerequisites hold" if self.outcome is PathOutcome.DELIVERED and self.prerequisites else ""
        )
        return f"{self.outcome.value}{condition}"


@dataclass(frozen=True)
class Route:
    """The answer: what refuses the request whatever it is for, else a way for each state of the study.

    ``listening_address`` is where the archive's AE is called.
    """

    request: RouteRequest
    listening_address: AEAddress | None
    refusal: RouteFailure | None
    paths: tuple[RetrievePath, ...] = ()

    def with_next_steps(self, format_step: Callable[[str], str]) -> Route:
        """Return this route with each next step as *format_step* returns it: a command line may need options."""

        def transform(failure: RouteFailure) -> RouteFailure:
            return replace(failure, next_step=format_step(failure.next_step))

        paths = tuple(replace(path, failures=tuple(map(transform, path.failures))) for path in self.paths)
        return replace(self, refusal=transform(self.refusal) if self.refusal else None, paths=paths)

    def is_delivered(self, *states: StudyState) -> bool:
        """Tell whether the objects arrive wherever of *states* the study is.

        Without states: in each for which something is set up, and in one at least.
        """
        paths = self._select_paths(states)
        return self.refusal is None and bool(paths) and not self.find_undelivered_paths(*states)

    def find_undelivered_paths(self, *states: StudyState) -> tuple[RetrievePath, ...]:
        """Return the ways that :meth:`is_delivered` counts and on which not all of the objects arrive."""
        return tuple(path for path in self._select_paths(states) if path.outcome is not PathOutcome.DELIVERED)

    def _select_paths(self, states: tuple[StudyState, ...]) -> tuple[RetrievePath, ...]:
        if states:
            return tuple(path for path in self.paths if path.study_state in states)
        return tuple(path for path in self.paths if path.outcome is not PathOutcome.UNCONFIGURED)

"""What a C-MOVE comes to: the messages that are sent, who has to know whom, and what stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Literal

from dcmcfg.network_address import at
from dcmcfg.route.capability_limits import KeptBack
from dcmcfg.route.request import Question, StudyState

#: The final response where nothing was to do, and also where nothing came back or was sent.
SILENCE = "0000 without counters"
#: The final response where the study is known, and the archive can neither read nor fetch any of its objects.
NOT_ACCESSIBLE = "A702 without counters"
#: The final response where every sub-operation failed; the counters say how many.
ALL_FAILED = "A702, all failed"
#: The final response where an external archive does not know the Move Destination: the archive relays its status.
DESTINATION_REFUSED = "the external archive's status: A801 (Orthanc: C000)"
#: The final response where the local instances are sent, and what was recalled is not.
LOCAL_ONLY = "B000, completed: the local instances only"


class Branch(StrEnum):
    """Which way the archive takes (``CommonCMoveSCP``)."""

    LOCAL = "local"
    EXTERNAL_BACK = "external retrieve, back to the archive"
    EXTERNAL_DIRECT = "external retrieve, straight to the destination"
    MIXED_BACK = "local, and external retrieve back to the archive"
    MIXED_DIRECT = "local, and external retrieve straight to the destination"
    ALTERNATIVE = "alternative C-MOVE SCP"
    FALLBACK_BACK = "fallback C-MOVE SCP, back to the archive"
    FALLBACK_DIRECT = "fallback C-MOVE SCP, straight to the destination"
    RETRY_BACK = "local, and fallback C-MOVE SCP for what is missing"
    NOTHING = "nothing is sent"


class Outcome(Enum):
    """How a way ends, as far as the configuration tells; ``NOT_SET_UP``: nothing is configured for this case."""

    ARRIVES = "arrives"
    IN_PART = "arrives in part"
    FAILS = "fails"
    NOT_SET_UP = "not set up"


@dataclass(frozen=True)
class Address:
    """Where an AE is called."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{at(self.host, self.port)}{' TLS' if self.tls else ''}"


@dataclass(frozen=True)
class Step:
    """One message: sender and receiver, their AE titles, the address; ``destination`` is a Move Destination.

    ``A-ASSOCIATE`` is an association over which nothing is sent.
    """

    message: Literal["A-ASSOCIATE", "C-MOVE", "C-STORE"]
    sender: str
    receiver: str
    calling: str
    called: str
    address: Address | None
    destination: str = ""


@dataclass(frozen=True)
class Need:
    """What the administrator of ``who`` has to see to: let ``title`` in as a caller, or know where to send to it."""

    who: str
    kind: Literal["accept", "know"]
    title: str
    address: Address | None = None
    service: Literal["C-MOVE", "C-STORE"] = "C-MOVE"


@dataclass(frozen=True)
class Failure:
    """What stops the request: the answer that it ends in (empty where another archive gives it), why, what to do."""

    answer: str
    why: str
    next_step: str = ""


@dataclass(frozen=True)
class Way:
    """What the archive does where the study is in ``state``.

    ``holder`` is the other archive that is asked, empty for none; ``named_by`` says what in the configuration
    names it.
    """

    state: StudyState
    branch: Branch
    outcome: Outcome
    holder: str = ""
    named_by: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = ()
    needs: tuple[Need, ...] = ()
    kept_back: KeptBack | None = None
    notes: tuple[str, ...] = ()

    @property
    def ending(self) -> str:
        """How it ends in words: with what stands in other machines' configurations, it is not settled."""
        unless = ", if its needs are met" if self.outcome is Outcome.ARRIVES and self.needs else ""
        return f"{self.outcome.value}{unless}"


@dataclass(frozen=True)
class Route:
    """The answer: what refuses the request whatever it is for, else a way for each state of the study.

    ``listens`` is where the archive's AE is called.
    """

    question: Question
    listens: Address | None
    refused: Failure | None
    ways: tuple[Way, ...] = ()

    def told(self, tell: Callable[[str], str]) -> Route:
        """Return this route with each next step as *tell* says it: a command line may need options."""

        def failure(found: Failure) -> Failure:
            return replace(found, next_step=tell(found.next_step))

        ways = tuple(replace(way, failures=tuple(map(failure, way.failures))) for way in self.ways)
        return replace(self, refused=failure(self.refused) if self.refused else None, ways=ways)

    def leads(self, *states: StudyState) -> bool:
        """Tell whether the objects arrive wherever of *states* the study is.

        Without states: in each for which something is set up, and in one at least.
        """
        counted = self._counted(states)
        return self.refused is None and bool(counted) and not self.short(*states)

    def short(self, *states: StudyState) -> tuple[Way, ...]:
        """Return the ways that :meth:`leads` counts and on which not all of the objects arrive."""
        return tuple(way for way in self._counted(states) if way.outcome is not Outcome.ARRIVES)

    def _counted(self, states: tuple[StudyState, ...]) -> tuple[Way, ...]:
        if states:
            return tuple(way for way in self.ways if way.state in states)
        return tuple(way for way in self.ways if way.outcome is not Outcome.NOT_SET_UP)

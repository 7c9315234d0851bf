"""The external archives that may stand behind a dcm4chee archive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dcmcfg.lab.move_scp import MoveResponse
from tests.peers import endings, moving
from tests.peers.moving import Moving, answers, ends_by, failed_list, sends, sends_what
from tests.peers.stage import Stage
from tests.verify.scripted_archive import OnMove


class ReturnRoute(Enum):
    """How its instances are to come to the destination; the value begins the names of answers."""

    STRAIGHT = "straight"  # dcmExternalRetrieveAEDestination is not set: it is asked to send to the destination itself
    BACK = "back"  # it is set: back to the archive, which forwards them


@dataclass(frozen=True)
class External:
    """``does`` completes the sentence "The external archive ...". One that ``refuses`` accepts no association."""

    name: str
    does: str
    moving: Moving
    refuses: bool = False


@dataclass(frozen=True)
class Met:
    """An external archive that is met on one way."""

    route: ReturnRoute
    external: External

    @property
    def name(self) -> str:
        return f"{self.route.value}-{self.external.name}"

    @property
    def does(self) -> str:
        return self.external.does


def _first_failed(stage: Stage) -> MoveResponse:
    return MoveResponse(0xB000, completed=2, failed=1, identifier=failed_list(stage.made.sop_instance_uids[0]))


def _some_fail(stage: Stage) -> OnMove:
    return sends_what(lambda stage: stage.study[1:], _first_failed(stage))(stage)


EXTERNALS = (
    External("sends", "sends the study", sends()),
    External("twice", "sends each instance twice", sends_what(moving.twice)),
    External("nameless", "sends the study without a Move Originator", sends(originator=None)),
    External("gateway", "sends the study as another AE", sends(calling="GATEWAY")),
    External("lies", "reports success, but sends nothing", answers(moving.ALL_SENT)),
    External("foreign", "sends another study instead", sends_what(lambda stage: stage.others)),
    External(
        "two-of-three", "sends two of three instances, but reports three", sends_what(lambda stage: stage.study[:2])
    ),
    External("some-fail", "sends two instances, and answers B000 with one failed instance", _some_fail),
    External("all-failed", "answers A702 with three failed instances", answers(MoveResponse(0xA702, failed=3))),
    External("stranger", "does not know the Move Destination", moving.does_not_know),
    External("rejects", "rejects the association", answers(moving.ALL_SENT), refuses=True),
    External("aborts", "aborts before its first response", ends_by(lambda _: None)),
    External("aborts-midway", "aborts after the first instance", ends_by(lambda _: None, sent=1)),
    External("silent", "does not respond", ends_by(endings.silence)),
    External("counts-more", "sends three instances, but reports four", sends(MoveResponse(0x0000, completed=4))),
)
EVERY_EXTERNAL = tuple(Met(way, external) for way in ReturnRoute for external in EXTERNALS)


def met_on(way: ReturnRoute) -> tuple[Met, ...]:
    """Return those that are met on *way*."""
    return tuple(met for met in EVERY_EXTERNAL if met.route is way)

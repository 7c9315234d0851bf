"""The archives that ``verify`` may meet: each is a name, what it does, and how that is played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dcmcfg.lab.move_scp import MoveResponse
from tests.peers import endings, finding, moving
from tests.peers.finding import Finding
from tests.peers.moving import Moving, answers, ends_by, failed_list, sends, sends_what


@dataclass(frozen=True)
class Archive:
    """``does`` completes the sentence "The archive ...", ``arguments`` are those of ``verify``.

    One that ``is_silent`` is not waited for long, and all that it does answer must come within that time. What one
    ``sends_late`` comes after its final answer.
    """

    name: str
    does: str
    moving: Moving
    finding: Finding | None = None
    arguments: Sequence[str] = ("--receive",)
    is_silent: bool = False
    sends_late: bool = False


_ONE = "1.2.826.0.1.3680043.10.1.1.1.1"

AS_ASKED = (
    Archive("sends", "sends the study", sends()),
    Archive(
        "sends-itself",
        "sends the study itself, although the configuration lets the external archive send it",
        sends(calling="DCM4CHEE"),
    ),
    Archive(
        "nameless",
        "sends the study as another AE, without a Move Originator",
        sends(calling="GATEWAY", originator=None),
    ),
    Archive("late", "sends the study a moment after its final response", moving.sends_later, sends_late=True),
    Archive("twice", "sends each instance twice", sends_what(moving.twice)),
    Archive("answers-twice", "sends the study, and sends its final response twice", moving.responds_twice),
)
OTHERS = (
    Archive("lies", "reports success, but sends nothing", answers(moving.ALL_SENT)),
    Archive("silent-success", "answers 0000 without counters, but sends nothing", answers(MoveResponse(0x0000))),
    Archive("foreign", "sends another study instead", sends_what(lambda stage: stage.others)),
    Archive("more", "sends the study and another study", sends_what(lambda stage: [*stage.study, *stage.others])),
    Archive(
        "two-of-three", "sends two of three instances, but reports three", sends_what(lambda stage: stage.study[:2])
    ),
    Archive(
        "other-study",
        "sends instances with the right UIDs, but of another study",
        sends_what(moving.same_uids_in_the_other_study),
    ),
    Archive("borrowed-uids", "sends other data sets under the right UIDs", moving.claims_the_study),
    Archive(
        "other-class",
        "sends instances with the right UIDs, but of another SOP class",
        sends_what(moving.of_another_class),
    ),
    Archive(
        "whole-study",
        "sends the whole study, although dcmcfg requested one instance (`--image`)",
        sends(MoveResponse(0x0000, completed=1)),
        arguments=("--receive", "--image", _ONE),
    ),
    Archive("nameless-study", "sends data sets without a Study Instance UID", sends_what(moving.without_study)),
    Archive(
        "twice-differently",
        "sends each instance twice, with different pixels",
        sends_what(moving.twice_with_other_pixels),
    ),
)
COUNTERS = (
    Archive("counts-more", "sends three instances, but reports four", sends(MoveResponse(0x0000, completed=4))),
    Archive(
        "counts-65535",
        "sends three instances, but reports 65535",
        sends(MoveResponse(0x0000, completed=65535, failed=65535)),
    ),
    Archive(
        "remaining",
        "sends three instances, but reports that two remain",
        sends(MoveResponse(0x0000, completed=3, remaining=2)),
    ),
    Archive(
        "half-failed",
        "sends two instances, and answers B000 with one failed instance and its UID",
        sends_what(
            lambda stage: stage.study[1:], MoveResponse(0xB000, completed=2, failed=1, identifier=failed_list(_ONE))
        ),
    ),
    Archive("all-failed", "answers A702 with three failed instances", answers(MoveResponse(0xA702, failed=3))),
    Archive(
        "warning",
        "sends all instances, and answers B000 with a warning",
        sends(MoveResponse(0xB000, completed=2, warning=1)),
    ),
    Archive("cancelled", "answers FE00 (cancelled) without a C-CANCEL", answers(MoveResponse(0xFE00, remaining=3))),
    Archive(
        "unlisted",
        "sends all instances, and answers a status that no standard lists",
        sends(MoveResponse(0x1234, completed=3)),
    ),
    Archive(
        "another-request",
        "responds to a request that dcmcfg never sent",
        moving.responds_to_another_request,
        is_silent=True,
    ),
)
ENDINGS = (
    Archive("aborts", "aborts before its first response", ends_by(lambda _: None)),
    Archive("aborts-midway", "aborts after the first instance", ends_by(lambda _: None, sent=1)),
    Archive("aborts-at-the-end", "sends all instances, then aborts", ends_by(lambda _: None, sent=3)),
    Archive("resets", "resets the TCP connection", ends_by(endings.reset, sent=1, told=False)),
    Archive("hangs-up", "closes the TCP connection", ends_by(endings.hang_up, sent=1, told=False)),
    Archive("releases", "releases the association without a response", ends_by(endings.release)),
    Archive("silent", "does not respond", ends_by(endings.silence), is_silent=True),
    Archive(
        "silent-at-the-end",
        "sends all instances, but does not respond",
        ends_by(endings.silence, sent=3),
        is_silent=True,
    ),
    Archive("half-a-pdu", "begins a response, but does not complete it", ends_by(endings.half_a_pdu), is_silent=True),
    Archive("trickles", "sends its response octet by octet", ends_by(endings.trickle), is_silent=True),
    Archive("floods", "sends a response without an end", ends_by(endings.flood)),
    Archive("http", "sends a response that is not DICOM", ends_by(endings.talk_http)),
    Archive("pending-for-ever", "sends pending responses without an end", moving.pending_for_ever, is_silent=True),
)
QUERIES = (
    Archive("lists-twice", "lists each instance twice", sends(), finding.lists_twice),
    Archive("lists-everybodys", "lists other studies too", sends(), finding.lists_everybodys),
    Archive("lists-fewer", "lists two of the three instances", sends(), finding.lists(lambda stage: stage.study[:2])),
    Archive(
        "lists-more",
        "lists an instance that it does not have",
        sends(),
        finding.lists(lambda stage: [*stage.study, *moving.an_invented_one(stage)]),
    ),
    Archive("lists-others", "lists only another study", sends(), finding.lists(lambda stage: stage.others)),
    Archive("lists-nothing", "lists nothing, but sends the study", sends(), finding.lists(lambda _: [])),
    Archive("lists-no-uids", "lists the instances without UIDs", sends(), finding.lists_without_uids),
    Archive("lists-for-ever", "lists instances without an end", sends(), finding.lists_for_ever),
    Archive("refuses-to-list", "refuses the query", sends(), finding.refuses(0xA700, "Out of memory")),
    Archive("aborts-the-query", "aborts the query", sends(), finding.ends_by(lambda _: None)),
    Archive("silent-query", "does not answer the query", sends(), finding.ends_by(endings.silence), is_silent=True),
)
EVERY_ARCHIVE = (*AS_ASKED, *OTHERS, *COUNTERS, *ENDINGS, *QUERIES)

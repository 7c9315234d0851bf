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
    Archive("sends-itself", "sends it itself, as the tree has the external archive do", sends(calling="DCM4CHEE")),
    Archive("nameless", "sends it as another AE, without a Move Originator", sends(calling="GATEWAY", originator=None)),
    Archive("late", "sends it a moment after its final answer", moving.sends_later, sends_late=True),
    Archive("twice", "sends each instance twice", sends_what(moving.twice)),
    Archive("answers-twice", "sends it, and gives its final answer twice", moving.responds_twice),
)
OTHERS = (
    Archive("lies", "reports success, sends nothing", answers(moving.ALL_SENT)),
    Archive("silent-success", "answers 0000 without counters, sends nothing", answers(MoveResponse(0x0000))),
    Archive("foreign", "sends another study instead", sends_what(lambda stage: stage.others)),
    Archive("more", "sends another study beside it", sends_what(lambda stage: [*stage.study, *stage.others])),
    Archive("two-of-three", "sends two of three, reports three", sends_what(lambda stage: stage.study[:2])),
    Archive("other-study", "sends the right UIDs in another study", sends_what(moving.same_uids_in_the_other_study)),
    Archive("borrowed-uids", "sends other data sets under the right UIDs", moving.claims_the_study),
    Archive("other-class", "sends the right UIDs as another SOP class", sends_what(moving.of_another_class)),
    Archive(
        "whole-study",
        "sends the study, asked for one instance of it (`--image`)",
        sends(MoveResponse(0x0000, completed=1)),
        arguments=("--receive", "--image", _ONE),
    ),
    Archive("nameless-study", "sends data sets that name no study", sends_what(moving.without_study)),
    Archive("twice-differently", "sends each twice, with other pixels", sends_what(moving.twice_with_other_pixels)),
)
COUNTERS = (
    Archive("counts-more", "sends three, counts four", sends(MoveResponse(0x0000, completed=4))),
    Archive("counts-65535", "sends three, counts 65535", sends(MoveResponse(0x0000, completed=65535, failed=65535))),
    Archive("remaining", "sends three, says that two remain", sends(MoveResponse(0x0000, completed=3, remaining=2))),
    Archive(
        "half-failed",
        "sends two, answers B000 with one failed and its UID",
        sends_what(
            lambda stage: stage.study[1:], MoveResponse(0xB000, completed=2, failed=1, identifier=failed_list(_ONE))
        ),
    ),
    Archive("all-failed", "answers A702 with three failed", answers(MoveResponse(0xA702, failed=3))),
    Archive("warning", "sends all, answers B000 with a warning", sends(MoveResponse(0xB000, completed=2, warning=1))),
    Archive("cancelled", "answers FE00, which nobody asked for", answers(MoveResponse(0xFE00, remaining=3))),
    Archive("unlisted", "sends all, answers a status that no standard lists", sends(MoveResponse(0x1234, completed=3))),
    Archive(
        "another-request", "answers a request that was never made", moving.responds_to_another_request, is_silent=True
    ),
)
ENDINGS = (
    Archive("aborts", "aborts before any answer", ends_by(lambda _: None)),
    Archive("aborts-midway", "aborts after the first instance", ends_by(lambda _: None, sent=1)),
    Archive("aborts-at-the-end", "sends all, and aborts", ends_by(lambda _: None, sent=3)),
    Archive("resets", "resets the TCP connection", ends_by(endings.reset, sent=1, told=False)),
    Archive("hangs-up", "closes the TCP connection", ends_by(endings.hang_up, sent=1, told=False)),
    Archive("releases", "releases the association without an answer", ends_by(endings.release)),
    Archive("silent", "keeps silent", ends_by(endings.silence), is_silent=True),
    Archive("silent-at-the-end", "sends all, and keeps silent", ends_by(endings.silence, sent=3), is_silent=True),
    Archive("half-a-pdu", "begins an answer, then keeps silent", ends_by(endings.half_a_pdu), is_silent=True),
    Archive("trickles", "answers octet by octet", ends_by(endings.trickle), is_silent=True),
    Archive("floods", "answers without an end", ends_by(endings.flood)),
    Archive("http", "answers what is not DICOM", ends_by(endings.talk_http)),
    Archive("pending-for-ever", "says for ever that it goes on", moving.pending_for_ever, is_silent=True),
)
QUERIES = (
    Archive("lists-twice", "lists everything twice", sends(), finding.lists_twice),
    Archive("lists-everybodys", "lists other studies too", sends(), finding.lists_everybodys),
    Archive("lists-fewer", "lists two of three", sends(), finding.lists(lambda stage: stage.study[:2])),
    Archive(
        "lists-more",
        "lists an instance that it does not have",
        sends(),
        finding.lists(lambda stage: [*stage.study, *moving.an_invented_one(stage)]),
    ),
    Archive("lists-others", "lists another study only", sends(), finding.lists(lambda stage: stage.others)),
    Archive("lists-nothing", "lists nothing, and sends the study", sends(), finding.lists(lambda _: [])),
    Archive("lists-no-uids", "lists without UIDs", sends(), finding.lists_without_uids),
    Archive("lists-for-ever", "lists without an end", sends(), finding.lists_for_ever),
    Archive("refuses-to-list", "refuses the query", sends(), finding.refuses(0xA700, "Out of memory")),
    Archive("aborts-the-query", "aborts the query", sends(), finding.ends_by(lambda _: None)),
    Archive("silent-query", "does not answer the query", sends(), finding.ends_by(endings.silence), is_silent=True),
)
EVERY_ARCHIVE = (*AS_ASKED, *OTHERS, *COUNTERS, *ENDINGS, *QUERIES)

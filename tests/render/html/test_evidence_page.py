"""The page of a verification: what peers said cannot become markup, and large studies stay readable."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.dicom.move import MoveOutcome, MoveProgress
from dcmcfg.model.devices import Configuration
from dcmcfg.render.evidence import evidence_json
from dcmcfg.render.html.evidence_page import render_evidence_page
from dcmcfg.verify.addresses import find_addresses
from dcmcfg.verify.evidence import DatabaseEvidence, Evidence, ReceiverInfo
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.proof import Proof, SiteSetting, create_proof, describe_configuration
from dcmcfg.verify.run import VerificationCallbacks
from dcmcfg.verify.timeline import Timeline
from tests.verify.conftest import configuration as configuration
from tests.verify.evidence import (
    CT,
    GOOD,
    LOCAL_STUDY,
    PURGED,
    UIDS,
    instances_before_move,
    received_instances,
    recorded,
    reporting,
)

HOSTILE = "</td><script>alert(1)</script>&\x1b[31m"


def proof(tree: Configuration, evidence: Evidence, responses: int = 1) -> Proof:
    clock = iter(datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=number) for number in range(100_000))
    book = Timeline(lambda: next(clock))
    watcher = book.record_calls(VerificationCallbacks())
    watcher.on_step("asking")
    watcher.on_sent()
    for number in range(responses):
        watcher.on_pending(MoveProgress(remaining=number))
    addresses = find_addresses(tree, "dcm4chee-arc", "WORKSTATION")
    about = describe_configuration(
        tree, "dcm4chee-arc", addresses, site=(SiteSetting("device", "dcm4chee-arc", "default"),), evidence=evidence
    )
    return create_proof(book, about, evidence, judge_evidence(evidence))


def page(tree: Configuration, evidence: Evidence, responses: int = 1) -> str:
    return "".join(render_evidence_page(proof(tree, evidence, responses)))


def test_text_from_peers_is_escaped(configuration: Configuration) -> None:
    hostile = replace(
        GOOD,
        outcome=MoveOutcome(0xC001, HOSTILE, (HOSTILE,), (HOSTILE,), interruption=HOSTILE),
        instances_before=instances_before_move(HOSTILE, (HOSTILE,)),
        received=received_instances((HOSTILE,), HOSTILE),
        move_records=(replace(recorded(HOSTILE, calling=HOSTILE), failure=HOSTILE),),
        warnings=(HOSTILE,),
        instances_after=instances_before_move(HOSTILE, (HOSTILE,)),
        legs=(
            TransferLeg(
                HOSTILE,
                HOSTILE,
                HOSTILE,
                (StoreRecord(HOSTILE, HOSTILE, HOSTILE, 0, move_originator=HOSTILE, file_transfer_syntax=HOSTILE),),
            ),
        ),
        receiver_info=ReceiverInfo(HOSTILE, datetime(2026, 1, 2, tzinfo=UTC)),
    )
    text = page(configuration, hostile)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


SHOWN = replace(GOOD, database=DatabaseEvidence(PURGED, LOCAL_STUDY))
FAILED: dict[str, tuple[Evidence, str, str]] = {
    "another response": (reporting(SHOWN, status=0xA702, failed=3), "A702 (expected: 0000)", "bad"),
    "no response": (
        replace(SHOWN, outcome=MoveOutcome(None, interruption="lost")),
        "no response (expected: 0000)",
        "bad",
    ),
    "0000 with nothing completed": (reporting(SHOWN, status=0), "0000", "bad"),
    "0000, and nothing arrived": (replace(SHOWN, received=()), "0000", ""),
}


@pytest.mark.parametrize(("evidence", "words", "mood"), FAILED.values(), ids=FAILED)
def test_the_diagram_of_a_failed_run_ends_with_the_actual_response_and_has_nothing_good(
    configuration: Configuration, evidence: Evidence, words: str, mood: str
) -> None:
    texts = pictured(configuration, evidence)
    assert texts[words].split() == ["label", *mood.split()]
    assert not any("good" in kinds.split() for kinds in texts.values())


def test_a_status_0000_is_green_only_in_a_success(configuration: Configuration) -> None:
    success, failure = page(configuration, SHOWN), page(configuration, replace(SHOWN, received=()))
    assert '<p class="is-good"><b>0000' in success
    assert '<p class="is-open"><b>0000' in failure
    assert not re.search(r'is-good"[^/]*0000', failure)


def test_the_diagram_of_a_successful_run_is_good(configuration: Configuration) -> None:
    texts = pictured(configuration, SHOWN)
    assert texts["0000"] == "label good"
    (heading,) = (kinds for words, kinds in texts.items() if words.startswith("purged delivered"))
    assert heading == "head good"


def pictured(tree: Configuration, evidence: Evidence) -> dict[str, str]:
    """Return the classes of each text in the picture on the page."""
    drawn = page(tree, evidence)
    picture = ET.fromstring(drawn[drawn.index("<svg") : drawn.index("</svg>") + len("</svg>")])
    texts = picture.findall("{http://www.w3.org/2000/svg}text")
    return {each.text or "": each.attrib.get("class", "") for each in texts}


def test_transfers_are_shown_by_leg_with_each_logged_c_store(configuration: Configuration) -> None:
    timestamp = datetime(2026, 1, 2, 12, 30, 1, 5000, tzinfo=UTC)
    stores = tuple(StoreRecord(uid, CT, "1.2.840.10008.1.2.4.80", 0, time=timestamp) for uid in UIDS)
    legs = (TransferLeg("LONGTERM", "DCM4CHEE", "LONGTERM's log", stores),)
    listening = ReceiverInfo("WORKSTATION@127.0.0.1:11117", timestamp)
    evidence = replace(GOOD, legs=legs, receiver_info=listening)
    words = re.sub(r"<[^>]*>\s*", "|", page(configuration, evidence))
    kind = "CT Image Storage||JPEG-LS Lossless Image Compression||0000"
    assert f"LONGTERM → DCM4CHEE||{kind}||3||LONGTERM&#x27;s log" in words
    assert "DCM4CHEE → WORKSTATION||CT Image Storage||Implicit VR Little Endian||0000||3||our receiver" in words
    assert words.count(f"LONGTERM → DCM4CHEE||{kind}||12:30:01.005") == 3
    assert "Receiver: WORKSTATION@127.0.0.1:11117, listening since 2026-01-02 12:30:01 UTC" in words
    assert "3 instances reached WORKSTATION in the transfer syntax Implicit VR Little Endian" in words


def test_of_many_rows_and_responses_the_first_are_shown_and_the_rest_counted(configuration: Configuration) -> None:
    uids = tuple(f"1.2.3.{number}" for number in range(1500))
    many = replace(GOOD, instances_before=instances_before_move("NEARLINE", uids), received=received_instances(uids))
    text = page(configuration, many, responses=500)
    assert text.count("<code>1.2.3.") == 1000
    assert "500 more (the JSON file contains all)" in text
    assert "485 more (the JSON file contains all)" in text
    assert len(evidence_json(proof(configuration, many, 500))["received_instances"]) == 1500


def test_a_single_instance_is_one(configuration: Configuration) -> None:
    one = replace(
        GOOD,
        instances_before=instances_before_move("NEARLINE", ("1.2.3.1",)),
        received=received_instances(("1.2.3.1",)),
    )
    text = page(configuration, one)
    assert ": 1 of 1 instance</b>" in text
    assert "1 instances" not in text


def test_a_page_without_evidence_is_complete(configuration: Configuration) -> None:
    nothing = replace(
        GOOD,
        instances_before=(),
        received=(),
        move_records=(),
        outcome=MoveOutcome(None, interruption="the peer aborted"),
    )
    text = page(configuration, nothing, responses=0)
    assert "NOT verified: no final response: the peer aborted" in text
    assert "No C-MOVE of this study" in text


@settings(max_examples=20)
@given(words=st.text(max_size=30))
def test_no_text_breaks_the_page(configuration: Configuration, words: str) -> None:
    evidence = replace(GOOD, outcome=replace(GOOD.outcome, comment=words), warnings=(words,))
    assert page(configuration, evidence).count("<h1>") == 1

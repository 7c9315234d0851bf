"""C-STOREs leg by leg, and what changed its transfer syntax on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.render.verify_transfers import format_transfer_lines, legs_json
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.legs import StoreGroup, StoreRecord, TransferLeg, group_stores
from dcmcfg.verify.store_legs import OWN_RECEIVER, collect_legs, describe_transcoding
from tests.verify.evidence import CT, GOOD, IMPLICIT, STUDY, UIDS, UNWITNESSED, received_instances

JPEG_LS = "1.2.840.10008.1.2.4.80"
EXPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
LOGGED = TransferLeg("LONGTERM", "DCM4CHEE", "LONGTERM's log", tuple(StoreRecord(uid, CT, JPEG_LS, 0) for uid in UIDS))
#: A log entry without instances: the files are in JPEG-LS.
OF_FILES = replace(LOGGED, stores=tuple(StoreRecord("", status=0, file_transfer_syntax=JPEG_LS) for _ in UIDS))
RECEIVED = TransferLeg(
    "DCM4CHEE",
    "WORKSTATION",
    OWN_RECEIVER,
    tuple(StoreRecord(uid, CT, IMPLICIT, 0, move_originator="DCMCFG") for uid in UIDS),
)
CHANGED = (
    "3 instances reached WORKSTATION in the transfer syntax Implicit VR Little Endian, but the archive received them "
    "from LONGTERM in JPEG-LS Lossless Image Compression. Possible reasons: WORKSTATION does not accept JPEG-LS "
    "Lossless Image Compression, or the transfer capabilities of WORKSTATION in LDAP do not list JPEG-LS Lossless "
    "Image Compression"
)


STORED = (
    "3 instances reached WORKSTATION in the transfer syntax Implicit VR Little Endian, but LONGTERM stores them in "
    "JPEG-LS Lossless Image Compression. Possible reasons: LONGTERM does not offer JPEG-LS Lossless Image Compression, "
    "or an AE on the path does not accept JPEG-LS Lossless Image Compression (see the transfer capabilities of the AEs "
    "in LDAP)"
)


def test_the_legs_are_those_of_the_log_and_that_to_our_receiver() -> None:
    assert collect_legs(GOOD) == (RECEIVED,)
    onward = replace(LOGGED, calling_ae_title="DCM4CHEE", called_ae_title="WORKSTATION")
    assert collect_legs(replace(GOOD, legs=(onward, LOGGED))) == (LOGGED, onward, RECEIVED)
    assert collect_legs(UNWITNESSED) == ()


def test_what_several_c_moves_sent_is_one_leg() -> None:
    each = tuple(replace(LOGGED, stores=(store,)) for store in LOGGED.stores)
    assert collect_legs(replace(UNWITNESSED, legs=each)) == (LOGGED,)


def test_what_somebody_else_sent_of_another_study_is_in_no_leg() -> None:
    stranger = replace(received_instances(("9.9",))[0], study_uid="9")
    assert collect_legs(replace(GOOD, received=(*received_instances(), stranger))) == (RECEIVED,)
    assert collect_legs(replace(GOOD, received=(stranger,))) == ()


def test_alike_are_those_of_one_class_syntax_and_status() -> None:
    stores = (*LOGGED.stores, StoreRecord(UIDS[0], CT, JPEG_LS, 0xA700), StoreRecord(UIDS[1], CT, IMPLICIT, 0))
    assert group_stores(stores) == (
        StoreGroup(count=3, sop_class_uid=CT, transfer_syntax=JPEG_LS, status=0, file_transfer_syntax=""),
        StoreGroup(count=1, sop_class_uid=CT, transfer_syntax=JPEG_LS, status=0xA700, file_transfer_syntax=""),
        StoreGroup(count=1, sop_class_uid=CT, transfer_syntax=IMPLICIT, status=0, file_transfer_syntax=""),
    )


def test_another_transfer_syntax_than_the_one_sent_is_a_note_and_no_failure() -> None:
    evidence = replace(GOOD, legs=(LOGGED,))
    assert list(describe_transcoding(evidence)) == [CHANGED]
    verdict = judge_evidence(evidence)
    assert verdict.is_verified
    assert CHANGED in verdict.notes


def test_another_transfer_syntax_than_that_of_the_files_is_a_note() -> None:
    assert list(describe_transcoding(replace(GOOD, legs=(OF_FILES,)))) == [STORED]
    straight = replace(OF_FILES, called_ae_title="WORKSTATION")
    assert list(describe_transcoding(replace(GOOD, legs=(straight,)))) == [STORED]


@pytest.mark.parametrize(("syntax", "is_noted"), [(EXPLICIT, False), (DEFLATED, True), (BIG_ENDIAN, True)])
def test_implicit_in_place_of_explicit_little_endian_is_no_note(syntax: str, is_noted: bool) -> None:
    sent = replace(LOGGED, stores=tuple(replace(each, transfer_syntax=syntax) for each in LOGGED.stores))
    assert bool(list(describe_transcoding(replace(GOOD, legs=(sent,))))) is is_noted
    leg = replace(OF_FILES, stores=tuple(replace(each, file_transfer_syntax=syntax) for each in OF_FILES.stores))
    assert bool(list(describe_transcoding(replace(GOOD, legs=(leg,))))) is is_noted


def test_the_same_transfer_syntax_is_no_note() -> None:
    same = replace(LOGGED, stores=tuple(replace(each, transfer_syntax=IMPLICIT) for each in LOGGED.stores))
    assert list(describe_transcoding(replace(GOOD, legs=(same,)))) == []


def test_where_nobody_states_the_first_transfer_syntax_nothing_is_said() -> None:
    silent = replace(LOGGED, stores=tuple(StoreRecord("", status=0) for _ in UIDS))
    mixed = replace(OF_FILES, stores=(*OF_FILES.stores, StoreRecord("", status=0, file_transfer_syntax=IMPLICIT)))
    assert list(describe_transcoding(replace(GOOD, legs=(silent, mixed)))) == []
    assert list(describe_transcoding(GOOD)) == []


def test_what_a_witness_does_not_state_is_said_to_be_missing() -> None:
    silent = replace(LOGGED, stores=(StoreRecord(""), StoreRecord("", status=0xA700, file_transfer_syntax=JPEG_LS)))
    lines = list(format_transfer_lines(replace(UNWITNESSED, legs=(silent,)), details=True))
    one = "1 \N{MULTIPLICATION SIGN} SOP class not logged, transfer syntax not logged"
    file = " (file: JPEG-LS Lossless Image Compression), A700"
    assert lines == [
        f"LONGTERM → DCM4CHEE: {one}, no response (LONGTERM's log)",
        f"LONGTERM → DCM4CHEE: {one}{file} (LONGTERM's log)",
        "  instance not logged: SOP class not logged, transfer syntax not logged, no response",
        f"  instance not logged: SOP class not logged, transfer syntax not logged{file}",
    ]


def test_json_has_each_c_store_and_null_for_what_is_not_known() -> None:
    (leg,) = legs_json(replace(UNWITNESSED, legs=(replace(LOGGED, stores=(StoreRecord(UIDS[0]),)),)))
    unknown = dict.fromkeys(
        (
            *("sop_class_uid", "sop_class", "transfer_syntax_uid", "transfer_syntax"),
            *("file_transfer_syntax_uid", "status", "status_hex"),
        )
    )
    assert leg == {
        "calling_ae_title": "LONGTERM",
        "called_ae_title": "DCM4CHEE",
        "evidence_source": "LONGTERM's log",
        "summary": [{"count": 1, **unknown}],
        "stores": [{"sop_instance_uid": UIDS[0], **unknown, "move_originator_ae_title": None, "time": None}],
    }
    assert STUDY not in leg

"""What began to arrive before its C-MOVE was sent proves nothing about it, at archives that send as told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_context, evt

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.retrieval import QueryRetrieveLevel, Retrieval
from dcmcfg.dicom.storage.receiver import Receiver
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.query import handle_find
from dcmcfg.lab.requestor import open_association, send_file
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import ConfiguredRoute, Evidence, VerificationRequest
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.receiver_options import ReceiverOptions
from dcmcfg.verify.request_times import RequestTimes
from dcmcfg.verify.run import gather_evidence
from dcmcfg.verify.selection import WHOLE_STUDY, RetrieveSelection
from tests.dicom.dcmtk import LOOPBACK, Made, make_instances
from tests.dicom.raw_scu import RawScu, associate, data_set, element, p_data, raw_scu, store, value
from tests.ports import free_port
from tests.verify.evidence import instances_before_move, received_instances
from tests.verify.scripted_archive import OnMove, held_of, scripted_archive

CT = [build_context(CTImageStorage, ExplicitVRLittleEndian)]
TIMEOUTS = DicomTimeouts(connect=30, acse=30, dimse=60, network=60)
#: More than the sockets of both sides hold.
MORE_THAN_BUFFERED, PIECE = 1 << 25, 1 << 16


@dataclass
class Site:
    """A destination at a free port, and instances that anybody may send to it."""

    made: Made
    workstation: Peer = field(default_factory=lambda: Peer("WORKSTATION", LOOPBACK, free_port()))

    def send(self, *numbers: int, calling: str = "DCM4CHEE", originator: str = "DCMCFG", message_id: int = 2) -> None:
        """Send the instances with these numbers, all where none is given."""
        with open_association(calling, self.workstation, CT) as association:
            for number in numbers or range(len(self.made.files)):
                status = send_file(
                    association, self.made.files[number], originator_ae_title=originator, message_id=message_id
                )
                assert status == 0

    def send_as_stranger(self, *numbers: int) -> None:
        """Send them from an AE that has nothing to do with the C-MOVE, for one of its own."""
        self.send(*numbers, calling="STRANGER", originator="OTHER", message_id=77)

    def verify(
        self,
        before: Callable[[], None],
        on_move: OnMove,
        *,
        selection: RetrieveSelection = WHOLE_STUDY,
        shared: bool = False,
    ) -> Evidence:
        """Verify at an archive that calls *before* when it is asked what the study holds, once our receiver listens.

        With *shared* the receiver is one that listens as the destination already.
        """

        def on_find(event: evt.Event) -> Iterator[tuple[Any, Dataset | None]]:
            if not done:
                done.append(True)
                before()
            return handle_find(event, lambda: held)

        done: list[bool] = []
        held = held_of(self.made)
        with ExitStack() as stack:
            archive = stack.enter_context(scripted_archive(self.made, on_move, on_find=on_find))
            addresses = VerificationAddresses(archive, self.workstation, ConfiguredRoute(), TIMEOUTS)
            question = VerificationRequest(self.made.study_uid, archive, "WORKSTATION", "DCMCFG", selection=selection)
            if not shared:
                return gather_evidence(question, addresses, receiver_options=ReceiverOptions())
            place = self.workstation
            receiver = stack.enter_context(Receiver(place.ae_title, place.host, place.port, TIMEOUTS))
            return gather_evidence(question, addresses, receiver=receiver)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr("dcmcfg.verify.receiver_options.LATE_ARRIVAL_WAIT_S", 0.1)  # nothing more comes
    return Site(make_instances(tmp_path))


def reports_success(exchange: MoveExchange) -> MoveResponse:
    """Send nothing, and report that all that the request names was sent."""
    named = exchange.request.identifier.get("SOPInstanceUID")
    number = 3 if named is None else 1 if isinstance(named, str) else len(named)
    return MoveResponse(0, completed=number, failed=0)


@pytest.mark.real
@pytest.mark.parametrize("shared", [False, True], ids=["our receiver", "one that listened before"])
def test_what_another_sender_had_sent_before_the_request_is_no_proof(site: Site, shared: bool) -> None:
    evidence = site.verify(site.send_as_stranger, reports_success, shared=shared)
    verdict = judge_evidence(evidence)
    assert verdict.headline == "NOT verified: nothing arrived at WORKSTATION after the C-MOVE was sent"
    assert verdict.receipt.missing == tuple(sorted(site.made.sop_instance_uids))
    assert verdict.receipt.callers == ()
    assert verdict.notes == (
        "ignored 3 instances that began to arrive before the C-MOVE was sent (caller STRANGER, Move Originator OTHER)",
    )
    assert [each.sop_instance_uid for each in evidence.early_instances] == list(site.made.sop_instance_uids)


@pytest.mark.real
def test_what_another_sender_sends_after_the_request_for_somebody_else_is_no_proof(site: Site) -> None:
    def on_move(_: MoveExchange) -> MoveResponse:
        site.send_as_stranger()
        return MoveResponse(0, completed=3, failed=0)

    evidence = site.verify(lambda: None, on_move)
    verdict = judge_evidence(evidence)
    assert verdict.headline == "NOT verified: nothing arrived at WORKSTATION for this C-MOVE"
    assert verdict.notes == (
        "ignored 3 instances from other senders, not for this C-MOVE (caller STRANGER, Move Originator OTHER)",
    )
    assert [each.sop_instance_uid for each in evidence.unrelated_instances] == list(site.made.sop_instance_uids)


@pytest.mark.real
def test_what_came_before_the_request_that_names_ours_is_no_proof_either(site: Site) -> None:
    """It is late for an earlier run with the same calling AE title and Message ID."""
    assert not judge_evidence(site.verify(site.send, reports_success)).is_accepted


@pytest.mark.real
def test_what_comes_again_for_the_request_counts(site: Site) -> None:
    def send(exchange: MoveExchange) -> MoveResponse:
        site.send(message_id=exchange.request.message_id)
        return MoveResponse(0, completed=3, failed=0)

    verdict = judge_evidence(site.verify(site.send_as_stranger, send))
    assert verdict.is_verified
    assert verdict.headline.startswith("verified: 3 of 3 instances received by WORKSTATION")
    assert (verdict.receipt.duplicates, verdict.receipt.move_originators) == ((), ("DCMCFG",))


@pytest.mark.real
def test_an_instance_on_its_way_when_the_request_is_sent_is_no_proof(site: Site) -> None:
    uid, study = site.made.sop_instance_uids[0].encode(), site.made.study_uid.encode()
    octets = data_set(uid, study) + element(0x7FE0, 0x10, b"\0" * MORE_THAN_BUFFERED)
    with ExitStack() as stack:
        scu: list[RawScu] = []

        def begin() -> None:
            site.send_as_stranger(1, 2)
            scu.append(stack.enter_context(raw_scu(site.workstation)).associated(associate(b"WORKSTATION")))
            scu[0].send(p_data(value(store(uid), is_command=True)))
            for start in range(0, len(octets), PIECE):  # once all is sent, the receiver has read the beginning
                scu[0].send(p_data(value(octets[start : start + PIECE], is_command=False, is_last=False)))

        def end(_: MoveExchange) -> MoveResponse:
            scu[0].send(p_data(value(b"", is_command=False)))
            assert scu[0].status() == 0
            return MoveResponse(0, completed=3, failed=0)

        evidence = site.verify(begin, end)
    assert len(evidence.early_instances) == 3
    assert judge_evidence(evidence).headline == "NOT verified: nothing arrived at WORKSTATION after the C-MOVE was sent"


@pytest.mark.real
def test_what_came_after_a_refused_list_and_before_the_second_attempt_is_no_proof(site: Site) -> None:
    """Of the second instance, for which a stranger is between the attempts, nothing comes for the C-MOVE."""
    request_times: list[str] = []

    def on_move(exchange: MoveExchange) -> MoveResponse:
        named = exchange.request.identifier.SOPInstanceUID
        if not isinstance(named, str):
            site.send_as_stranger(1)
            return MoveResponse(0xA900, "one UID only")
        request_times.append(named)
        number = site.made.sop_instance_uids.index(named)
        if number != 1:
            site.send(number, message_id=exchange.request.message_id)
        return MoveResponse(0, completed=1, failed=0)

    evidence = site.verify(lambda: None, on_move, selection=RetrieveSelection(QueryRetrieveLevel.IMAGE))
    assert request_times == list(site.made.sop_instance_uids)
    assert judge_evidence(evidence).headline == "NOT verified: 1 of 3 instances did not arrive"
    assert [each.sop_instance_uid for each in evidence.early_instances] == [site.made.sop_instance_uids[1]]


@pytest.mark.real
def test_what_comes_for_one_series_while_the_next_is_asked_for_counts(site: Site, tmp_path: Path) -> None:
    two = Site(make_instances(tmp_path / "two", series=2, per_series=1), site.workstation)

    def on_move(exchange: MoveExchange) -> MoveResponse:
        uids.append(exchange.request.identifier.SeriesInstanceUID)
        if len(uids) == 2:
            two.send(0, message_id=exchange.request.message_id - 1)  # late
            two.send(1, message_id=exchange.request.message_id)
        return MoveResponse(0, completed=1, failed=0)

    uids: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcmcfg.verify.selection.MAX_UIDS", 1)  # so that each series has its own C-MOVE
        evidence = two.verify(lambda: None, on_move, selection=RetrieveSelection(QueryRetrieveLevel.SERIES))
    assert (len(uids), evidence.early_instances) == (2, ())
    assert judge_evidence(evidence).is_verified


def test_the_last_request_that_names_an_instance_or_its_series_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1, 100))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    first, second, foreign = (
        replace(each, started_monotonic=1.5) for each in received_instances(("1.2.3.1", "1.2.3.2", "1.9"))
    )
    request_times = RequestTimes(instances_before_move())
    assert not request_times.is_early(first), "nothing was asked for"
    request_times.record_request(
        Retrieval("1.2.3", QueryRetrieveLevel.IMAGE, ("1.2.3.0",), ("1.2.3.1", "1.2.3.2"))
    )  # at 1
    assert not any(map(request_times.is_early, (first, second, foreign)))
    request_times.record_request(Retrieval("1.2.3", QueryRetrieveLevel.IMAGE, ("1.2.3.0",), ("1.2.3.2",)))  # at 2
    assert [request_times.is_early(each) for each in (first, second, foreign)] == [False, True, False]
    request_times.record_request(
        Retrieval("1.2.3", QueryRetrieveLevel.SERIES, ("1.2.3.0",))
    )  # at 3, of which the instances are not named
    assert request_times.is_early(replace(first, sop_instance_uid="1.2.3.3"))
    assert request_times.is_early(replace(foreign, started_monotonic=0.5))
    assert not request_times.is_early(replace(second, started_monotonic=None)), "when it began is not known"

"""Archives that are asked to move a study, and what they do instead of it; each is one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Timer

from pydicom import Dataset
from pynetdicom.association import Association

from dcmcfg.dicom.status import PENDING
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.patience import PATIENCE_S
from tests.peers import endings
from tests.peers.stage import Stage
from tests.verify.scripted_archive import OnMove

#: What a peer does with a C-MOVE on a stage.
Moving = Callable[[Stage], OnMove]
ALL_SENT = MoveResponse(0x0000, completed=3, failed=0, warning=0)
#: Long enough to be after the answer, short enough for a test.
_LATER_S = 0.3


def answers(response: MoveResponse) -> Moving:
    """Send nothing, and answer."""
    return lambda _: lambda _: response


def sends(response: MoveResponse = ALL_SENT, **how: object) -> Moving:
    """Send the study as is to be, and answer."""
    return sends_what(lambda stage: stage.study, response, **how)


def sends_what(chosen: Callable[[Stage], list[Dataset]], response: MoveResponse = ALL_SENT, **how: object) -> Moving:
    """Send the instances that are *chosen*, and answer."""

    def on_stage(stage: Stage) -> OnMove:
        def move(exchange: MoveExchange) -> MoveResponse:
            stage.send(chosen(stage), **how)  # type: ignore[arg-type]  # passed on
            return response

        return move

    return on_stage


def claims_the_study(stage: Stage) -> OnMove:
    """Send the other study's data sets under the SOP Instance UIDs of the study."""

    def move(exchange: MoveExchange) -> MoveResponse:
        stage.send(stage.others, claiming=stage.made.sop_instance_uids)
        return ALL_SENT

    return move


def same_uids_in_the_other_study(stage: Stage) -> list[Dataset]:
    """Return the study's instances as if they were of the other study."""
    instances = stage.study
    for each in instances:
        each.StudyInstanceUID = stage.other.study_uid
    return instances


def without_study(stage: Stage) -> list[Dataset]:
    """Return the study's instances without Study Instance UID."""
    instances = stage.study
    for each in instances:
        del each.StudyInstanceUID
    return instances


def of_another_class(stage: Stage) -> list[Dataset]:
    """Return the study's instances as MR images."""
    instances = stage.study
    for each in instances:
        each.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    return instances


def twice(stage: Stage) -> list[Dataset]:
    """Return each instance of the study twice."""
    return [*stage.study, *stage.study]


def twice_with_other_pixels(stage: Stage) -> list[Dataset]:
    """Return the study twice, the second time with other pixels."""
    again = stage.study
    for each in again:
        each.PixelData = b"\7\7\7\7"
    return [*stage.study, *again]


def an_invented_one(stage: Stage) -> list[Dataset]:
    """Return an instance of the study that nobody has."""
    instance = stage.study[0]
    instance.SOPInstanceUID = f"{stage.made.study_uid}.1.4"
    return [instance]


def ends_by(ending: Callable[[Association], None], *, sent: int = 0, told: bool = True) -> Moving:
    """Send the first instances, tell so unless not *told*, and then leave without a final answer."""

    def on_stage(stage: Stage) -> OnMove:
        def move(exchange: MoveExchange) -> None:
            if sent:
                stage.send(stage.study[:sent])
            if sent and told:
                exchange.send(MoveResponse(PENDING, remaining=3 - sent, completed=sent, failed=0, warning=0))
            ending(exchange._association)

        return move

    return on_stage


def pending_for_ever(stage: Stage) -> OnMove:
    """Say again and again that it goes on, and do nothing."""

    def move(exchange: MoveExchange) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not endings._is_over(exchange._association) and time.monotonic() < deadline:
            exchange.send(MoveResponse(PENDING, remaining=3, completed=0, failed=0, warning=0))
            time.sleep(0.1)

    return move


def sends_later(stage: Stage) -> OnMove:
    """Answer first, and send the study a moment later."""

    def move(exchange: MoveExchange) -> MoveResponse:
        Timer(_LATER_S, stage.send, [stage.study]).start()
        return ALL_SENT

    return move


def responds_twice(stage: Stage) -> OnMove:
    """Send the study, and give the final answer twice."""

    def move(exchange: MoveExchange) -> MoveResponse:
        stage.send(stage.study)
        exchange.send(ALL_SENT)
        return ALL_SENT

    return move


def responds_to_another_request(stage: Stage) -> OnMove:
    """Send the study, and answer a request that was never made."""

    def move(exchange: MoveExchange) -> MoveResponse:
        stage.send(stage.study)
        exchange._message.MessageID = 4711
        return ALL_SENT

    return move


def does_not_know(stage: Stage) -> OnMove:
    """Refuse the Move Destination in the words of a dcm4chee archive."""
    return lambda exchange: MoveResponse(0xA801, f"Unknown AE: {exchange.request.destination_ae_title}")


def failed_list(*uids: str) -> Dataset:
    identifier = Dataset()
    identifier.FailedSOPInstanceUIDList = list(uids)
    return identifier

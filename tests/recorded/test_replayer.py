"""The replayer answers C-FIND and C-ECHO as recorded, and fails the test for what no recording answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydicom import Dataset
from pynetdicom import AE

from dcmcfg.lab.listener import QUERY_RETRIEVE_SOP_CLASSES
from tests.recorded import stored
from tests.recorded.conftest import Run
from tests.recorded.recordings import DimseRecording, dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("recordings")]
_STUDY_FIND = QUERY_RETRIEVE_SOP_CLASSES[2]


@pytest.mark.parametrize("name", ["find-study-local", "find-study-purged", "find-study-purged-star"])
def test_a_c_find_is_answered_as_recorded(replayer: Replayer, recorded_site: Site, name: str) -> None:
    recording = dimse(name)
    sent = [each for each in stored.messages(recording, "client-archive") if each["what"] == "C-FIND-RSP"]
    with replayer.playing(recorded_site, recording):
        found = _found(replayer, recording)
    assert [_plain(each) for each in found] == [each["dataset"] for each in sent if each.get("dataset")]


def test_a_c_echo_is_answered(run: Run, replayer: Replayer, recorded_site: Site) -> None:
    with replayer.playing(recorded_site, dimse("echo")):
        result = run("echo", "DCM4CHEE")
    assert result.exit_code == 0, result.output


def test_a_request_that_no_recording_answers_fails_the_test(replayer: Replayer, recorded_site: Site) -> None:
    with (
        pytest.raises(AssertionError, match="GET /dcm4chee-arc/monitor"),
        replayer.playing(recorded_site, dimse("move-local")),
    ):
        assert httpx.get(f"{replayer.url}/monitor/export").status_code == 501


@pytest.mark.parametrize("parameter", ["NoSuchParam=1", "includefield=777710FF"])
def test_a_parameter_that_no_recording_has_fails_the_test(
    replayer: Replayer, recorded_site: Site, parameter: str
) -> None:
    with (
        pytest.raises(AssertionError, match="not answered by the recordings"),
        replayer.playing(recorded_site, dimse("move-local")),
    ):
        httpx.get(f"{replayer.url}/aets/DCM4CHEE/rs/studies?{parameter}")


def _found(replayer: Replayer, recording: DimseRecording) -> list[Dataset]:
    request = next(each for each in stored.messages(recording, "client-archive") if each["what"] == "C-FIND-RQ")
    identifier = Dataset()
    for keyword, value in request["dataset"].items():
        setattr(identifier, keyword, value)
    entity = AE("DCMCFG")
    entity.add_requested_context(_STUDY_FIND)
    association = entity.associate("127.0.0.1", replayer.ports.archive, ae_title="DCM4CHEE")
    try:
        return [found for _, found in association.send_c_find(identifier, _STUDY_FIND) if found is not None]
    finally:
        association.release()


def _plain(dataset: Dataset) -> dict[str, Any]:
    """Return *dataset* as the recordings have it: keyword and text, a list for several values."""
    values = ((element.keyword, element.value) for element in dataset)
    return {
        keyword: [str(each) for each in value] if isinstance(value, list) or hasattr(value, "append") else _text(value)
        for keyword, value in values
    }


def _text(value: object) -> str:
    return "" if value is None else str(value)

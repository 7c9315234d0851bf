"""External retrieve through the stand-in archive: the two branches, on a site of real processes."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psutil
import pytest
from pynetdicom import evt

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.archive.service import open_database
from dcmcfg.lab.listener import build_storage_contexts, listen
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import LOOPBACK, movescu, storescu
from tests.lab.requests import STUDY_ROOT_MOVE, associate, find, identifier, move_study
from tests.lab.running_site import AE, DEVICE, RunningSite
from tests.patience import PATIENCE_S, comes_true
from tests.ports import free_port

pytestmark = pytest.mark.real
DESTINATION = "dcmExternalRetrieveAEDestination"


def availability(site: RunningSite, name: str) -> str:
    (answer,), _ = find(site.archive, identifier(StudyInstanceUID=get_standard_study(name).uid))
    return str(answer.InstanceAvailability)


def is_local(site: RunningSite, name: str) -> bool:
    """Return whether the archive has a file of every object of the study."""
    with closing(open_database(site.site)) as database:
        return all(each.is_local for each in database.list_study_instances(get_standard_study(name).uid))


def set_destination(site: RunningSite) -> None:
    site.put(DESTINATION, "DCM4CHEE")
    site.reload()


def test_with_the_destination_set_objects_come_back_and_are_forwarded_at_once(site: RunningSite) -> None:
    set_destination(site)
    done = movescu(site.archive, get_standard_study("twenty").uid, "STORESCP", calling="VIEWER")
    assert re.findall(r"Received Final Move Response \((.*)\)", done.stderr) == ["Success"], done.stderr
    assert site.received() == get_standard_study("twenty").sop_instance_uids
    (move,) = site.external_moves()
    assert (move["calling"], move["called"], move["destination"]) == ("VIEWER", "LONGTERM", "DCM4CHEE")
    assert (move["status"], move["completed"], move["failed"]) == (0, 20, 0)
    assert move["study_uid"] == get_standard_study("twenty").uid
    assert move["started"] <= move["time"]
    assert "from DCM4CHEE, move originator VIEWER" in site.log("storage")
    assert "from LONGTERM" not in site.log("storage")


def test_the_final_response_counts_the_forwarded_objects_and_leaves_zero_counters_out(
    site: RunningSite,
) -> None:
    set_destination(site)
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert outcome.status == 0x0000
    assert outcome.counters == {"completed": 3}


def test_recalled_objects_stay_nearline_and_need_no_second_recall_even_after_a_restart(
    bare_site: RunningSite,
) -> None:
    site = bare_site
    site.start("external", "storage")
    site.put(DESTINATION, "DCM4CHEE")
    with site.process("archive"):
        assert availability(site, "three") == "NEARLINE"
        assert not is_local(site, "three")
        assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).status == 0
        assert (availability(site, "three"), is_local(site, "three")) == ("NEARLINE", True)
    with site.process("archive"):
        assert availability(site, "three") == "NEARLINE"
        assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).counters == {"completed": 3}
    assert len(site.external_moves()) == 1


def test_with_the_destination_unset_the_external_archive_is_asked_to_send_to_the_destination_itself(
    site: RunningSite,
) -> None:
    site.external_knows(STORESCP=site.storage)
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.counters) == (0x0000, {"completed": 3})
    assert [int(each.NumberOfCompletedSuboperations) for each in outcome.pending] == [1, 2, 3]
    assert site.received() == get_standard_study("three").sop_instance_uids
    (move,) = site.external_moves()
    assert (move["calling"], move["destination"]) == ("VIEWER", "STORESCP")
    assert "from LONGTERM, move originator VIEWER" in site.log("storage")
    assert availability(site, "three") == "NEARLINE"


def test_with_the_destination_unset_the_external_archives_refusal_is_relayed_with_its_comment(
    site: RunningSite,
) -> None:
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xA801, "Move Destination: STORESCP unknown")
    assert outcome.counters == {}
    assert site.external_moves()[0]["status"] == 0xA801
    assert site.received() == set()


def test_with_the_destination_set_the_status_of_a_refusal_is_relayed_and_its_comment_is_not(site: RunningSite) -> None:
    set_destination(site)
    site.external_knows()
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment, outcome.counters) == (0xA801, "", {})


def test_a_change_counts_from_the_reload_on(site: RunningSite) -> None:
    site.put(DESTINATION, "DCM4CHEE")
    assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).status == 0xA801
    site.reload()
    assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).status == 0x0000


def test_the_aes_value_wins_over_the_devices(site: RunningSite) -> None:
    site.put(DESTINATION, "NOWHERE", dn=DEVICE)
    site.put(DESTINATION, "DCM4CHEE", dn=AE)
    site.reload()
    assert move_study(site.archive, "STORESCP", get_standard_study("one").uid).counters == {"completed": 1}


def test_what_the_destination_does_not_get_counts_as_failed(site: RunningSite) -> None:
    set_destination(site)
    outcome = move_study(site.archive, "WORKSTATION", get_standard_study("three").uid)  # nothing listens there
    assert (outcome.status, outcome.counters) == (0xA702, {"failed": 3})
    assert set(outcome.failed_uids) == get_standard_study("three").sop_instance_uids
    assert site.external_moves()[0]["completed"] == 3
    assert is_local(site, "three")


def test_a_destination_that_names_another_ae_answers_success_without_counters(site: RunningSite) -> None:
    site.external_knows(STORESCP=site.storage)
    site.put(DESTINATION, "STORESCP")
    site.reload()
    outcome = move_study(site.archive, "WORKSTATION", get_standard_study("three").uid)
    assert (outcome.status, outcome.counters) == (0x0000, {})
    assert site.received() == get_standard_study("three").sop_instance_uids


def test_a_destination_without_storage_capabilities_gets_nothing(site: RunningSite) -> None:
    site.external_knows(AS_RECEIVED=site.archive)
    site.put(DESTINATION, "AS_RECEIVED")
    site.reload()
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert outcome.status == 0xA702
    assert site.received() == set()


def test_pending_responses_come_at_the_configured_interval_only(site: RunningSite) -> None:
    site.put("dcmSendPendingCMoveInterval", "PT0.01S")
    set_destination(site)
    outcome = move_study(site.archive, "STORESCP", get_standard_study("twenty").uid)
    assert len(outcome.pending) > 2
    done = [int(each.NumberOfCompletedSuboperations) for each in outcome.pending]
    assert done == sorted(done)
    assert all(
        int(each.NumberOfCompletedSuboperations) + int(each.NumberOfRemainingSuboperations) == 20
        for each in outcome.pending
    )
    site.put("dcmSendPendingCMoveInterval")
    site.reload()
    assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).pending == ()


def test_several_retrieves_at_once_do_not_hold_each_other_up(site: RunningSite) -> None:
    set_destination(site)
    names = ("one", "three", "twenty")
    with ThreadPoolExecutor() as pool:
        retrieves = {
            name: pool.submit(
                move_study, site.archive, "STORESCP", get_standard_study(name).uid, calling=f"VIEWER_{name.upper()}"
            )
            for name in names
        }
        outcomes = {name: future.result().counters for name, future in retrieves.items()}
    assert outcomes == {"one": {"completed": 1}, "three": {"completed": 3}, "twenty": {"completed": 20}}
    for name in names:
        assert f"move originator VIEWER_{name.upper()}" in site.log("storage")


def test_a_second_requester_gets_the_recalled_study_under_its_own_name(site: RunningSite) -> None:
    set_destination(site)
    first = move_study(site.archive, "STORESCP", get_standard_study("three").uid, calling="FIRST")
    second = move_study(site.archive, "STORESCP", get_standard_study("three").uid, calling="SECOND")
    assert first.counters == second.counters == {"completed": 3}
    assert "move originator SECOND" in site.log("storage")


def test_a_purged_object_is_taken_back_only_from_the_ae_that_holds_it(site: RunningSite) -> None:
    files = [
        ObjectStore(site.site.external_folder / "objects").get_path(uid)
        for uid in get_standard_study("three").sop_instance_uids
    ]
    assert storescu(site.archive, files, calling="OTHER").returncode == 0
    assert not is_local(site, "three")
    assert storescu(site.archive, files, calling="LONGTERM").returncode == 0
    assert is_local(site, "three")


def test_an_ae_without_an_object_storage_stores_nothing(site: RunningSite) -> None:
    site.put("dcmObjectStorageID", dn=AE)
    site.reload()
    (uid, *_) = get_standard_study("three").sop_instance_uids
    file = ObjectStore(site.site.external_folder / "objects").get_path(uid)
    sent = storescu(site.archive, [file], calling="LONGTERM").stderr
    assert re.findall(r"Received Store Response \((.*)\)", sent) == ["Unknown Status: 0x110"], sent
    assert not is_local(site, "three")


def test_an_external_archive_that_dies_half_way_is_a702_with_what_was_forwarded(
    bare_site: RunningSite,
) -> None:
    site = bare_site
    site.start("archive")
    set_destination(site)
    with (
        site.process("external") as external,
        site.process("storage") as storage,
        ThreadPoolExecutor() as pool,
    ):
        storage.send_signal(signal.SIGSTOP)  # so that the first object stays on its way
        retrieve = pool.submit(move_study, site.archive, "STORESCP", get_standard_study("twenty").uid)
        await_log(site, "archive", "stored ")
        assert comes_true(lambda: _is_called(site.storage)), "the archive forwards it"
        external.kill()
        external.wait()
        storage.send_signal(signal.SIGCONT)
        outcome = retrieve.result(PATIENCE_S)
    assert (outcome.status, outcome.counters) == (0xA702, {"completed": 1})


def _is_called(peer: Peer) -> bool:
    """Return whether somebody has a connection with *peer*, which need not take part in that."""
    return any(each.raddr and each.raddr.port == peer.port for each in psutil.net_connections("tcp4"))


def test_a_requester_that_gives_up_leaves_the_archive_in_order(site: RunningSite) -> None:
    set_destination(site)
    association = associate(site.archive, "VIEWER", STUDY_ROOT_MOVE)
    answers = association.send_c_move(
        identifier(StudyInstanceUID=get_standard_study("twenty").uid), "STORESCP", STUDY_ROOT_MOVE
    )
    next(answers)
    association.abort()
    await_log(site, "archive", f"C-MOVE from VIEWER, destination STORESCP, study {get_standard_study('twenty').uid}")
    assert site.received() == get_standard_study("twenty").sop_instance_uids
    assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).counters == {"completed": 3}


@pytest.mark.parametrize("name", ["purged", "local"])
def test_a_cancel_ends_the_retrieve_half_way(site: RunningSite, name: str) -> None:
    """dcmtk cancels after two pending responses; with the destination unset the external archive is told too."""
    slow = Peer("STORESCP", LOOPBACK, free_port())
    received: list[evt.Event] = []

    def store(event: evt.Event) -> int:
        received.append(event)
        time.sleep(0.2)  # so that dcmtk is faster with its cancel
        return 0x0000

    site.external_knows(STORESCP=slow)
    uid = get_standard_study("twenty").uid
    if name == "local":
        site.put(
            "dicomPort",
            str(slow.port),
            dn=DEVICE.replace("dicomDeviceName=dcm4chee-arc", "cn=dicom,dicomDeviceName=storescp"),
        )
        site.put("dcmSendPendingCMoveInterval", "PT0.01S")
        site.external_knows(DCM4CHEE=site.archive)
        assert move_study(site.external, "DCM4CHEE", uid).status == 0
        site.reload()
    command = ["/usr/bin/movescu", "-v", "--cancel", "2", "-S", "-aec", "DCM4CHEE", "-aem", "STORESCP"]
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}"]
    with listen("STORESCP", slow.port, [(evt.EVT_C_STORE, store)], build_storage_contexts()):
        done = subprocess.run(
            [*command, *keys, site.archive.host, str(site.archive.port)], capture_output=True, text=True, check=False
        )
    assert "Cancel: SubOperationsTerminatedDueToCancelIndication" in done.stderr, done.stderr
    assert 0 < len(received) < 20
    if name == "purged":
        (move,) = site.external_moves()
        assert move["status"] == 0xFE00
        assert move["completed"] == len(received)


def await_log(site: RunningSite, module: str, words: str) -> None:
    assert comes_true(lambda: words in site.log(module)), site.log(module)

"""Whom the stand-in archive lets in, for what, and how it wakes up and ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from pydicom.uid import CTImageStorage

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import echoscu
from tests.lab.requests import STUDY_ROOT_FIND, STUDY_ROOT_MOVE, associate
from tests.lab.running_site import AE, DEVICE, RunningSite
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real
VERIFICATION = "1.2.840.10008.1.1"


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the archive runs."""
    bare_site.start("archive")
    return bare_site


def called(site: RunningSite, title: str) -> Peer:
    return Peer(title, site.archive.host, site.archive.port)


def rejection(peer: Peer, calling: str = "VIEWER") -> tuple[int, int, int] | None:
    association = associate(peer, calling, VERIFICATION)
    if association.is_established:
        association.release()
        return None
    answer = association.acceptor.primitive
    assert answer is not None
    return answer.result or 0, answer.result_source or 0, answer.diagnostic or 0


def test_its_aes_answer_an_echo_and_others_are_rejected_1_1_7(site: RunningSite) -> None:
    for title in ("DCM4CHEE", "AS_RECEIVED", "IOCM_REGULAR_USE", "WORKLIST"):
        assert echoscu(called(site, title)).returncode == 0
    for title in ("NOBODY", "dcm4chee", "STORESCP"):
        assert rejection(called(site, title)) == (1, 1, 7)


def test_another_title_is_known_after_the_reload(site: RunningSite) -> None:
    site.put("dcmOtherAETitle", "PACS", dn=AE)
    assert rejection(called(site, "PACS")) == (1, 1, 7)
    site.reload()
    assert rejection(called(site, "PACS")) is None


@pytest.mark.parametrize(
    ("attribute", "dn"),
    [("dicomInstalled", AE), ("dicomAssociationAcceptor", AE)],
)
def test_an_ae_that_is_not_installed_or_no_acceptor_is_rejected_1_1_7(
    site: RunningSite, attribute: str, dn: str
) -> None:
    site.put(attribute, "FALSE", dn=dn)
    assert rejection(site.archive) is None
    site.reload()
    assert rejection(site.archive) == (1, 1, 7)


def test_a_calling_title_that_is_not_accepted_is_rejected_1_1_3(site: RunningSite) -> None:
    site.put("dcmAcceptedCallingAETitle", "VIEWER", "LONGTERM", dn=AE)
    site.reload()
    assert rejection(site.archive, "VIEWER") is None
    assert rejection(site.archive, "STRANGER") == (1, 1, 3)


def test_it_offers_the_services_of_the_called_aes_transfer_capabilities(site: RunningSite) -> None:
    offered = (VERIFICATION, STUDY_ROOT_FIND, STUDY_ROOT_MOVE, CTImageStorage)
    accepted = {}
    for title in ("DCM4CHEE", "AS_RECEIVED"):
        association = associate(called(site, title), "VIEWER", *offered)
        accepted[title] = {str(context.abstract_syntax) for context in association.accepted_contexts}
        association.release()
    assert accepted["DCM4CHEE"] == set(offered)
    assert accepted["AS_RECEIVED"] == set(offered) - {CTImageStorage}


def test_it_keeps_serving_other_associations_while_one_is_open(site: RunningSite) -> None:
    association = associate(site.archive, "VIEWER", VERIFICATION)
    assert echoscu(site.archive).returncode == 0
    assert association.send_c_echo().Status == 0
    association.release()


def test_it_does_not_start_without_its_directory_or_device_and_says_so_in_one_line(
    bare_site: RunningSite,
) -> None:
    command = [sys.executable, "-P", "-m", "dcmcfg.lab.archive", str(bare_site.site.folder)]
    bare_site.put("dicomNetworkConnectionReference", "cn=gone," + DEVICE, dn=AE)
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the archive did not start" in done.stderr
    assert "Traceback" not in done.stderr
    bare_site.slapd.slapd.stop()
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["archive", "external", "storage"])
def test_a_part_ends_on_sigterm_even_with_an_open_association(bare_site: RunningSite, module: str) -> None:
    with bare_site.process(module) as running:
        peer = {"archive": bare_site.archive, "external": bare_site.external, "storage": bare_site.storage}[module]
        association = associate(peer, "VIEWER", VERIFICATION)
        assert association.is_established
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        association.abort()


@pytest.mark.parametrize("module", ["archive", "external", "storage"])
def test_a_taken_port_is_one_line_and_exit_status_3(bare_site: RunningSite, module: str) -> None:
    bare_site.start(module)
    command = [sys.executable, "-P", "-m", f"dcmcfg.lab.{module}", str(bare_site.site.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot listen (Address already in use)" in done.stderr
    assert "Traceback" not in done.stderr


def test_new_objects_are_taken_and_found_again_by_their_study(site: RunningSite) -> None:
    association = associate(site.archive, "MODALITY", CTImageStorage)
    for instance in get_standard_study("unknown").instances:
        assert association.send_c_store(instance).Status == 0
    association.release()
    objects_folder = site.site.archive_folder / "objects"
    assert get_standard_study("unknown").sop_instance_uids <= {path.stem for path in objects_folder.glob("*.dcm")}

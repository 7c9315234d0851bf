"""The control endpoints of the stand-in archive, over real HTTP."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from dcmcfg.lab.site import LOOPBACK
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import echoscu
from tests.lab.requests import associate, identifier, move
from tests.lab.running_site import AE, DEVICE, RunningSite, WebResponse
from tests.patience import PATIENCE_S
from tests.ports import free_port

pytestmark = pytest.mark.real
TEXT = "text/plain;charset=UTF-8"
CONNECTION = f"cn=dicom,{DEVICE}"
STORESCP = "dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the archive runs."""
    bare_site.start("archive")
    return bare_site


def status(site: RunningSite) -> str:
    answer = site.control("status", "GET")
    assert (answer.status, answer.content_type) == (200, "application/json")
    return str(json.loads(answer.body)["status"])


def test_reload_is_204_and_status_says_started(site: RunningSite) -> None:
    assert site.control("reload") == WebResponse(204, "", "")
    assert site.control("status", "GET").body == '{"status":"STARTED"}'


def test_stop_and_start_close_and_open_the_dicom_port(site: RunningSite) -> None:
    assert site.control("stop").status == 204
    assert status(site) == "STOPPED"
    assert echoscu(site.archive).returncode != 0
    assert site.control("reload").status == 204
    assert status(site) == "STOPPED"
    assert site.control("start").status == 204
    assert status(site) == "STARTED"
    assert echoscu(site.archive).returncode == 0


def test_start_when_started_is_500_already_listening(site: RunningSite) -> None:
    answer = site.control("start")
    assert (answer.status, answer.content_type) == (500, TEXT)
    assert answer.body.startswith(
        "jakarta.ejb.EJBException: java.lang.IllegalStateException: Already listening - org.dcm4che3.net.TCPListener@"
    )


def test_a_dangling_reference_makes_reload_500_with_a_stack_trace_and_changes_nothing(
    site: RunningSite,
) -> None:
    site.put("dicomNetworkConnectionReference", "cn=gone," + DEVICE, dn=AE)
    answer = site.control("reload")
    assert (answer.status, answer.content_type) == (500, TEXT)
    lines = [line for line in answer.body.splitlines() if not line.startswith("\tat ")]
    assert lines == [
        "org.dcm4che3.conf.api.ConfigurationNotFoundException: Device with specified name not found",
        f"Caused by: javax.naming.NameNotFoundException: cn=gone,{DEVICE}",
        "\t... 2 more",
    ]
    assert len(answer.body.splitlines()) > len(lines)
    assert echoscu(site.archive).returncode == 0
    site.put("dicomNetworkConnectionReference", "cn=dicom," + DEVICE, dn=AE)
    assert site.control("reload").status == 204


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("dcmAECacheStaleTimeout", "5M", "java.lang.IllegalArgumentException: 5M"),
        (
            "dcmCStoreSCUOfCMoveSCP",
            "LONGTERM",
            "java.lang.IllegalArgumentException: CStoreSCUofCMoveSCP in incorrect format : LONGTERM",
        ),
    ],
)
def test_an_unreadable_value_makes_reload_409_with_a_message(
    site: RunningSite, attribute: str, value: str, message: str
) -> None:
    site.put(attribute, value)
    assert site.control("reload") == WebResponse(409, TEXT, f'{{"errorMessage":"{message}"}}')


def test_a_dead_directory_makes_reload_500(site: RunningSite) -> None:
    """As ``ArchiveCtrl`` answers an exception whose cause is one of LDAP; not observed."""
    site.slapd.slapd.stop()
    answer = site.control("reload")
    assert (answer.status, answer.content_type) == (500, TEXT)
    assert answer.body.startswith("org.dcm4che3.conf.api.ConfigurationException: javax.naming.NamingException: ")
    assert status(site) == "STARTED"


def test_other_paths_are_404_and_other_methods_405(site: RunningSite) -> None:
    assert site.control("nothing").status == 404
    assert site.control("reload", "GET").status == 405
    assert site.control("status", "POST").status == 405


def open_at(port: int, host: str = LOOPBACK) -> bool:
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_changed_port_closes_the_old_listener_and_opens_the_new_one(site: RunningSite) -> None:
    old, new = site.site.ports.archive, free_port()
    site.put("dicomPort", str(new), dn=CONNECTION)
    assert (open_at(old), open_at(new)) == (True, False)
    assert site.control("reload").status == 204
    assert (open_at(old), open_at(new)) == (False, True)
    assert echoscu(replace(site.archive, port=new)).returncode == 0


def test_a_changed_bind_address_moves_the_listener(site: RunningSite) -> None:
    port = site.site.ports.archive
    site.put("dcmBindAddress", "127.0.0.2", dn=CONNECTION)
    assert site.control("reload").status == 204
    assert (open_at(port), open_at(port, "127.0.0.2")) == (False, True)


def test_a_connection_that_is_not_installed_closes_its_listener_and_leaves_the_archive_started(
    site: RunningSite,
) -> None:
    site.put("dicomInstalled", "FALSE", dn=CONNECTION)
    assert site.control("reload").status == 204
    assert not open_at(site.site.ports.archive)
    assert status(site) == "STARTED"
    site.put("dicomInstalled", "TRUE", dn=CONNECTION)
    assert site.control("reload").status == 204
    assert open_at(site.site.ports.archive)


def test_a_connection_that_is_gone_closes_its_listener(site: RunningSite) -> None:
    for title in ("DCM4CHEE", "AS_RECEIVED", "IOCM_REGULAR_USE", "WORKLIST"):
        site.put("dicomNetworkConnectionReference", f"cn=dicom-tls,{DEVICE}", dn=f"dicomAETitle={title},{DEVICE}")
    site.modify(f"dn: {CONNECTION}\nchangetype: delete\n")
    assert site.control("reload").status == 204
    assert not open_at(site.site.ports.archive)


def test_a_listener_that_cannot_be_opened_is_closed_until_a_reload_opens_it(site: RunningSite) -> None:
    old = site.site.ports.archive
    site.put("dcmOtherAETitle", "OTHER", dn=AE)
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        site.put("dicomPort", str(port), dn=CONNECTION)
        for _ in range(2):
            answer = site.control("reload")
            lines = [line for line in answer.body.splitlines() if not line.startswith("\t")]
            assert (answer.status, answer.content_type, lines) == (
                500,
                TEXT,
                [
                    f"java.io.IOException: Unable to start TCPListener on {LOOPBACK}:{port}",
                    "Caused by: java.net.BindException: Address already in use",
                ],
            )
            assert status(site) == "STARTED"
            assert not open_at(old)
    assert site.control("reload").status == 204
    changed_site = replace(site.archive, port=port)
    assert echoscu(changed_site).returncode == 0
    assert echoscu(replace(changed_site, ae_title="OTHER")).returncode == 0


def test_a_change_is_in_force_although_a_listener_was_not_opened(site: RunningSite) -> None:
    site.put("dcmOtherAETitle", "OTHER", dn=AE)
    tls = site.site.ports.archive_tls
    site.modify(f"dn: cn=second,{DEVICE}\nchangetype: add\n{SECOND.format(port=tls)}")
    site.put("dicomNetworkConnectionReference", CONNECTION, f"cn=second,{DEVICE}", dn=AE)
    with socket.create_server((LOOPBACK, tls)):
        assert site.control("reload").status == 500
    assert echoscu(replace(site.archive, ae_title="OTHER")).returncode == 0
    assert not open_at(tls)
    assert site.control("reload").status == 204
    assert open_at(tls)


SECOND = """\
objectClass: dicomNetworkConnection
objectClass: dcmNetworkConnection
cn: second
dicomHostname: localhost
dicomPort: {port}
"""


def test_an_ae_that_was_unknown_stays_so_until_a_reload_is_clean(site: RunningSite) -> None:
    keys = identifier(StudyInstanceUID=get_standard_study("local").uid)
    assert status_of_move(site, "NEWAE", keys) == 0xA801
    site.modify(
        f"dn: dicomAETitle=NEWAE,{STORESCP}\nchangetype: add\nobjectClass: dicomNetworkAE\ndicomAETitle: NEWAE\n"
        f"dicomAssociationInitiator: FALSE\ndicomAssociationAcceptor: TRUE\n"
        f"dicomNetworkConnectionReference: cn=dicom,{STORESCP}\n"
    )
    with socket.create_server((LOOPBACK, 0)) as taken:
        site.modify(f"dn: cn=second,{DEVICE}\nchangetype: add\n{SECOND.format(port=taken.getsockname()[1])}")
        assert site.control("reload").status == 500
        assert status_of_move(site, "NEWAE", keys) == 0xA801
    assert site.control("reload").status == 204
    assert status_of_move(site, "NEWAE", keys) != 0xA801


def status_of_move(site: RunningSite, destination: str, keys: Dataset) -> int:
    outcome = move(site.archive, destination, keys)
    assert outcome is not None
    return outcome.status


def test_a_connection_whose_settings_stay_keeps_its_listener_and_its_associations(site: RunningSite) -> None:
    association = associate(site.archive, "VIEWER", "1.2.840.10008.1.1")
    assert site.control("reload").status == 204
    assert association.send_c_echo().Status == 0
    association.release()


def test_other_paths_of_the_server_are_pages_of_the_web_server(site: RunningSite) -> None:
    request = urllib.request.Request(site.site.archive_url.replace("dcm4chee-arc", "other") + "/ctrl/status")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=PATIENCE_S)
    assert caught.value.headers["Content-Type"] == "text/html"
    assert b"404 - Not Found" in caught.value.read()

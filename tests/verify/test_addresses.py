"""Who is called where: read from the lab's tree."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.verify.addresses import MAX_TIMEOUT_S, AddressOverride, extract_hosts, find_addresses
from tests.verify.conftest import PORTS

DEVICE = "dcm4chee-arc"
DEVICE_DN = DN.parse(f"dicomDeviceName={DEVICE},cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
AE_DN = DEVICE_DN.child("dicomAETitle", "DCM4CHEE")
CONNECTION_DN = DEVICE_DN.child("cn", "dicom")
WORKSTATION = DN.parse("cn=dicom,dicomDeviceName=workstation,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")


def having(configuration: Configuration, dn: DN, name: str, *values: str) -> Configuration:
    replaced = Modification(Operation.REPLACE, name, tuple(value.encode() for value in values))
    return Configuration(configuration.tree.with_changes([Modify(dn, (replaced,))]))


def test_the_stock_ae_is_asked_where_the_tree_says(configuration: Configuration) -> None:
    found = find_addresses(configuration, DEVICE, "WORKSTATION")
    assert found.archive == Peer("DCM4CHEE", "127.0.0.1", PORTS.archive)
    assert found.destination == Peer("WORKSTATION", "127.0.0.1", PORTS.workstation)
    assert found.warnings == ()


def test_who_may_be_asked_for_what_comes_from_the_route(configuration: Configuration) -> None:
    back = having(configuration, DEVICE_DN, "dcmExternalRetrieveAEDestination", "DCM4CHEE")
    assert find_addresses(back, DEVICE, "WORKSTATION").route.external_requests == {("LONGTERM", "DCM4CHEE")}
    both = having(back, DEVICE_DN, "dcmFallbackCMoveSCP", "LONGTERM")
    external_requests = find_addresses(both, DEVICE, "WORKSTATION").route.external_requests
    assert external_requests == {("LONGTERM", "DCM4CHEE"), ("LONGTERM", "WORKSTATION")}
    alternative = having(back, DEVICE_DN, "dcmAltCMoveSCP", "LONGTERM")
    assert find_addresses(alternative, DEVICE, "WORKSTATION").route.external_requests == {("LONGTERM", "WORKSTATION")}


def test_who_may_ask_comes_from_the_route(configuration: Configuration) -> None:
    """Of a study that is local in part the archive asks as itself, or under the title that it is set to call with."""
    found = find_addresses(configuration, DEVICE, "WORKSTATION", calling_ae_title="VIEWER")
    assert found.route.calling_ae_titles == {"VIEWER", "DCM4CHEE"}
    masked = having(configuration, DEVICE_DN.child("dicomAETitle", "DCM4CHEE"), "dcmMasqueradeCallingAETitle", "MASKED")
    assert find_addresses(masked, DEVICE, "WORKSTATION", calling_ae_title="VIEWER").route.calling_ae_titles == {
        "VIEWER",
        "MASKED",
    }


def test_whether_connections_fit_comes_from_the_tree(configuration: Configuration) -> None:
    def fits(suite: str) -> list[tuple[str, bool, str]]:
        changed = having(configuration, WORKSTATION, "dicomTLSCipherSuite", suite)
        return [
            (each.ae_title, each.is_compatible, each.description)
            for each in find_addresses(changed, DEVICE, "WORKSTATION").route.connection_matches
        ]

    longterm = ("LONGTERM", True, "both plain")
    common = "both TLSv1.2 with TLS_RSA_WITH_AES_128_CBC_SHA"
    assert fits("TLS_RSA_WITH_AES_128_CBC_SHA") == [("WORKSTATION", True, common), longterm]
    (title, is_fit, words), _ = fits("TLS_AES_128_GCM_SHA256")
    assert (title, is_fit) == ("WORKSTATION", False)
    assert words.startswith(
        "the connections of DCM4CHEE and WORKSTATION have no TLS cipher suite in common: DCM4CHEE has "
    )


def test_another_ae_is_asked_by_name(configuration: Configuration) -> None:
    assert find_addresses(configuration, DEVICE, "STORESCP", ae_title="AS_RECEIVED").archive.ae_title == "AS_RECEIVED"


def test_an_unknown_ae_names_those_of_the_device(configuration: Configuration) -> None:
    with pytest.raises(NotFound, match="has no AE NOBODY"):
        find_addresses(configuration, DEVICE, "STORESCP", ae_title="NOBODY")


def test_the_only_ae_of_a_device_is_asked(configuration: Configuration) -> None:
    assert find_addresses(configuration, "longterm", "STORESCP").archive.ae_title == "LONGTERM"


def test_which_of_several_aes_must_be_said(configuration: Configuration) -> None:
    tree = configuration.tree.with_changes([])
    without_stock = {key: entry for key, entry in tree.entries.items() if ("dicomaetitle", "DCM4CHEE") not in key[0]}
    with pytest.raises(MalformedInput, match="no default AE") as refused:
        find_addresses(Configuration(type(tree)(tree.schema, without_stock)), DEVICE, "STORESCP")
    assert "AS_RECEIVED" in refused.value.next_step


@pytest.mark.parametrize(
    ("connect", "peer"),
    [
        (AddressOverride("archive.hospital"), Peer("DCM4CHEE", "archive.hospital", PORTS.archive)),
        (AddressOverride("archive.hospital", 104), Peer("DCM4CHEE", "archive.hospital", 104)),
    ],
)
def test_connect_overrides_host_and_port(configuration: Configuration, connect: AddressOverride, peer: Peer) -> None:
    assert find_addresses(configuration, DEVICE, "WORKSTATION", connect=connect).archive == peer


def test_an_ae_that_only_listens_with_tls_is_called_over_tls_and_that_is_said(configuration: Configuration) -> None:
    secure = having(configuration, CONNECTION_DN, "dicomTLSCipherSuite", "TLS_AES_128_GCM_SHA256")
    found = find_addresses(secure, DEVICE, "WORKSTATION")
    assert (found.archive.port, found.tls) == (PORTS.archive, True)
    assert found.warnings == ("DCM4CHEE accepts only TLS, so dcmcfg used TLS",)
    elsewhere = find_addresses(secure, DEVICE, "WORKSTATION", connect=AddressOverride("a", 1))
    assert (elsewhere.archive, elsewhere.tls) == (Peer("DCM4CHEE", "a", 1), True)


def test_tls_takes_the_tls_connection_beside_the_plain_one(configuration: Configuration) -> None:
    assert not find_addresses(configuration, DEVICE, "WORKSTATION").tls
    found = find_addresses(configuration, DEVICE, "WORKSTATION", tls=True)
    assert (found.archive, found.tls, found.warnings) == (Peer("DCM4CHEE", "127.0.0.1", 20007), True, ())
    without = having(configuration, DEVICE_DN.child("cn", "dicom-tls"), "dicomInstalled", "FALSE")
    with pytest.raises(DcmcfgError, match=r"DCM4CHEE has no installed DICOM connection with a port with TLS"):
        find_addresses(without, DEVICE, "WORKSTATION", tls=True)


def test_a_destination_with_tls_only_takes_tls(configuration: Configuration) -> None:
    secure = having(configuration, WORKSTATION, "dicomTLSCipherSuite", "TLS_AES_128_GCM_SHA256")
    found = find_addresses(secure, DEVICE, "WORKSTATION", receive=True)
    assert (found.destination, found.destination_requires_tls) == (
        Peer("WORKSTATION", "127.0.0.1", PORTS.workstation),
        True,
    )
    assert not find_addresses(configuration, DEVICE, "WORKSTATION", receive=True).destination_requires_tls


def test_a_destination_outside_the_tree_is_a_warning_without_receiving(configuration: Configuration) -> None:
    found = find_addresses(configuration, DEVICE, "NOBODY")
    assert found.destination is None
    assert found.warnings == ("the tree has no AE NOBODY: the archive will refuse this Move Destination as unknown",)
    assert not found.route.move_destination_known


def test_a_destination_outside_the_tree_cannot_receive(configuration: Configuration) -> None:
    with pytest.raises(NotFound, match="the address for the receiver is unknown"):
        find_addresses(configuration, DEVICE, "NOBODY", receive=True)


def test_a_destination_that_is_not_installed_is_warned_about(configuration: Configuration) -> None:
    off = having(configuration, WORKSTATION.parent, "dicomInstalled", "FALSE")
    found = find_addresses(off, DEVICE, "WORKSTATION")
    assert "is not installed" in found.warnings[0]


def test_a_destination_whose_port_is_none_is_warned_about(configuration: Configuration) -> None:
    broken = having(configuration, WORKSTATION, "dicomPort", "70000")
    found = find_addresses(broken, DEVICE, "WORKSTATION")
    assert found.destination is None
    assert found.warnings == ("WORKSTATION has the dicomPort 70000: the archive cannot load its device",)


def test_a_port_in_the_tree_that_is_none_is_not_the_users_fault(configuration: Configuration) -> None:
    for dn, receive in ((WORKSTATION, True), (CONNECTION_DN, False)):
        broken = having(configuration, dn, "dicomPort", "70000")
        with pytest.raises(DcmcfgError, match="not a TCP port: 70000") as refused:
            find_addresses(broken, DEVICE, "WORKSTATION", receive=receive)
        assert (refused.value.exit_code, refused.value.subject) == (3, str(dn))


def test_localhost_in_the_tree_is_warned_about_when_ldap_is_elsewhere(configuration: Configuration) -> None:
    found = find_addresses(configuration, DEVICE, "WORKSTATION", other_hosts=("ldap.invalid",))
    assert [warning.split("the host of ")[1].split()[0].rstrip(",:") for warning in found.warnings] == [
        "DCM4CHEE",
        "WORKSTATION",
    ]
    assert "--connect HOST" in found.warnings[0]


def test_localhost_as_destination_is_warned_about_when_the_archive_is_elsewhere(configuration: Configuration) -> None:
    found = find_addresses(configuration, DEVICE, "WORKSTATION", connect=AddressOverride("192.0.2.1"))
    assert found.warnings == (
        (
            "in LDAP, the host of WORKSTATION is 127.0.0.1. On the archive's machine (192.0.2.1), 127.0.0.1 means "
            "the archive's machine, not this machine"
        ),
    )


def test_localhost_is_right_where_everything_is_on_this_machine(configuration: Configuration) -> None:
    assert find_addresses(configuration, DEVICE, "WORKSTATION", other_hosts=("localhost", "127.0.0.1")).warnings == ()


def test_the_route_is_the_effective_destination_with_its_source(configuration: Configuration) -> None:
    name = "dcmExternalRetrieveAEDestination"
    unset = having(configuration, DEVICE_DN, name)
    on_device = having(configuration, DEVICE_DN, name, "DCM4CHEE")
    on_ae = having(on_device, AE_DN, name, "AS_RECEIVED")
    routes = [find_addresses(tree, DEVICE, "WORKSTATION").route for tree in (unset, on_device, on_ae)]
    assert [(route.external_retrieve_destination, route.destination_source) for route in routes] == [
        (None, ""),
        ("DCM4CHEE", "device dcm4chee-arc"),
        ("AS_RECEIVED", "AE DCM4CHEE"),
    ]
    assert {"DCM4CHEE", "AS_RECEIVED"} <= routes[0].archive_ae_titles


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [
        ("300000", 360),
        ("1000", 360),
        ("900000", 960),
        ("0", 3600),
        (None, 3600),
        ("9" * 18, MAX_TIMEOUT_S),
        ("9" * 5000, MAX_TIMEOUT_S),
    ],
)
def test_the_time_out_is_longer_than_the_archives_own(
    configuration: Configuration, milliseconds: str | None, seconds: float
) -> None:
    values = () if milliseconds is None else (milliseconds,)
    tree = having(configuration, CONNECTION_DN, "dcmRetrieveTimeout", *values)
    timeouts = find_addresses(tree, DEVICE, "WORKSTATION").timeouts
    assert (timeouts.dimse, timeouts.network) == (seconds, seconds)


def test_the_time_out_can_be_said(configuration: Configuration) -> None:
    assert find_addresses(configuration, DEVICE, "WORKSTATION", timeout_s=5).timeouts == DicomTimeouts(5, 5, 5, 5)
    assert find_addresses(configuration, DEVICE, "WORKSTATION", timeout_s=900).timeouts == DicomTimeouts(
        10, 30, 900, 900
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("archive", AddressOverride("archive")),
        ("archive.hospital:11112", AddressOverride("archive.hospital", 11112)),
        ("[::1]:104", AddressOverride("::1", 104)),
        ("[::1]", AddressOverride("::1")),
    ],
)
def test_an_address_is_host_and_perhaps_port(text: str, address: AddressOverride) -> None:
    assert AddressOverride.parse(text) == address


@pytest.mark.parametrize(
    "text", ["", ":104", "a:", "a:b", "a:0", "a:65536", "a b", "a@b", "http://a", "a/b", "a?b", "[::1", "a:1:2", "a\n"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        AddressOverride.parse(text)
    assert refused.value.exit_code == 2


def test_a_server_behind_a_socket_file_is_on_this_machine() -> None:
    assert extract_hosts("ldapi://%2Frun%2Fldapi", "http://archive:8080/dcm4chee-arc") == ("archive",)


def test_a_destination_for_external_archives_that_is_no_ae_of_the_archive_leads_astray(
    configuration: Configuration,
) -> None:
    back = having(configuration, DEVICE_DN, "dcmExternalRetrieveAEDestination", "DCM4CHEE")
    assert find_addresses(back, DEVICE, "WORKSTATION").route.misrouting is None
    foreign = having(configuration, DEVICE_DN, "dcmExternalRetrieveAEDestination", "STORESCP")
    route = find_addresses(foreign, DEVICE, "WORKSTATION").route
    assert route.misrouting is not None
    assert route.misrouting.reason.endswith("The archive does not get the objects and cannot forward them")
    assert route.misrouting.next_step == "dcmcfg set-external-retrieve DCM4CHEE"


def test_a_destination_for_the_fallback_archive_that_is_no_ae_of_the_archive_leads_astray(
    configuration: Configuration,
) -> None:
    fallback = having(configuration, DEVICE_DN, "dcmFallbackCMoveSCP", "LONGTERM")
    back = having(fallback, DEVICE_DN, "dcmFallbackCMoveSCPDestination", "DCM4CHEE")
    assert find_addresses(back, DEVICE, "WORKSTATION").route.fallback_misrouting is None
    nowhere = having(fallback, DEVICE_DN, "dcmFallbackCMoveSCPDestination", "NOWHERE")
    misrouting = find_addresses(nowhere, DEVICE, "WORKSTATION").route.fallback_misrouting
    assert misrouting is not None
    assert misrouting.reason == (
        "dcmFallbackCMoveSCPDestination contains NOWHERE, but the archive has no AE with this title. So LONGTERM "
        "cannot know an address for NOWHERE"
    )
    assert misrouting.next_step == f"dcmcfg set {DEVICE} dcmFallbackCMoveSCPDestination=DCM4CHEE"


def test_it_is_known_where_the_archive_calls_whom_it_may_have_to(configuration: Configuration) -> None:
    assert find_addresses(configuration, DEVICE, "WORKSTATION").route.ae_addresses == {
        ("LONGTERM", f"127.0.0.1:{PORTS.external}"),
        ("WORKSTATION", f"127.0.0.1:{PORTS.workstation}"),
    }


def test_it_is_told_which_address_is_that_of_an_option(configuration: Configuration) -> None:
    assert find_addresses(configuration, DEVICE, "WORKSTATION").archive.address_source == ""
    given = find_addresses(configuration, DEVICE, "WORKSTATION", connect=AddressOverride("h", 1)).archive
    assert given.address_source == "--connect"


def test_the_connections_that_the_archive_calls_are_named_for_connection_set(configuration: Configuration) -> None:
    found = find_addresses(configuration, DEVICE, "WORKSTATION")
    assert found.archive.connection_name == "dcm4chee-arc/dicom"
    assert found.route.connection_names == {("LONGTERM", "longterm/dicom"), ("WORKSTATION", "workstation/dicom")}
    given = find_addresses(configuration, DEVICE, "WORKSTATION", connect=AddressOverride("h", 1)).archive
    assert given.connection_name == ""

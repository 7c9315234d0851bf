"""The graph of a site: its nodes, and the edges that access lists, capabilities and references make."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.topology.builder import build_topology
from dcmcfg.topology.graph import NodeKind, PeerRole
from tests.conftest import UPSTREAM_FILES
from tests.sampling import LONG
from tests.topology.hospital import COUNT, build_hospital
from tests.topology.sites import (
    WORKLIST,
    archive_ae,
    build,
    capability,
    exporter,
    list_edges,
    peer,
    site,
    storage,
)
from tests.trees import ARCHIVE, CT, DEVICES, connection, network_ae, storage_scp, tree

PERMISSIONS = ("store", "query_retrieve", "move_destination", "worklist")


def test_a_system_without_capabilities_does_what_its_role_does() -> None:
    found = build(*peer("CT1", "CT", port=None), *peer("VIEW", "WSD"), *peer("PACS2", "ARCHIVE"))
    assert sorted(list_edges(found, *PERMISSIONS)) == [
        ("AS_RECEIVED", "move_destination", "PACS2"),
        ("AS_RECEIVED", "move_destination", "STORESCP"),
        ("AS_RECEIVED", "move_destination", "VIEW"),
        ("CT1", "store", "DCM4CHEE"),
        ("PACS2", "query_retrieve", "AS_RECEIVED"),
        ("PACS2", "store", "DCM4CHEE"),
        ("VIEW", "query_retrieve", "AS_RECEIVED"),
        ("VIEW", "store", "DCM4CHEE"),
    ]
    assert {edge.assumed for edge in found.edges if "CT1" in edge.source} == {True}
    assert {edge.assumed for edge in found.edges if "STORESCP" in edge.target} == {False}


def test_capabilities_decide_what_a_system_does() -> None:
    ae = f"dicomAETitle=VIEW,dicomDeviceName=view,{DEVICES}"
    found = build(*peer("VIEW", "WSD"), capability(ae, CT, "SCU", "CT Image Storage"))
    assert [edge for edge in list_edges(found, *PERMISSIONS) if "VIEW" in edge] == [("VIEW", "store", "DCM4CHEE")]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (peer("CT1", "CT", port=None, dicomInstalled="FALSE"), []),
        (peer("CT1", "CT", port=None, dicomAssociationInitiator="FALSE"), []),
        (peer("CT1", "CT", port=None), [("CT1", "store", "DCM4CHEE")]),
    ],
    ids=["not installed", "no initiator", "initiator"],
)
def test_only_an_installed_initiator_sends(entry: tuple[Entry, ...], expected: list[tuple[str, str, str]]) -> None:
    assert list_edges(build(*entry), "store") == expected


def test_an_access_list_admits_only_its_titles_and_shows_those_without_an_ae() -> None:
    listed = archive_ae("DCM4CHEE", dcmObjectStorageID="fs1", dcmAcceptedCallingAETitle="CT1")
    both = listed.with_values("dcmAcceptedCallingAETitle", [b"CT1", b"OLD"])
    found = build(*peer("CT1", "CT", port=None), *peer("CT2", "CT", port=None), both)
    assert list_edges(found, "store") == [("CT1", "store", "DCM4CHEE"), ("OLD", "store", "DCM4CHEE")]
    (edge,) = (each for each in found.edges if each.kind.value == "store" and "CT1" in each.source)
    assert (edge.attribute, str(edge.dn)) == ("dcmAcceptedCallingAETitle", f"dicomAETitle=DCM4CHEE,{ARCHIVE}")
    unknown = found.nodes_by_id["unknown:OLD"]
    assert (unknown.kind, unknown.role) == (NodeKind.UNKNOWN_AE, PeerRole.UNKNOWN)


def test_accepted_destinations_limit_the_move_destinations() -> None:
    limited = archive_ae("AS_RECEIVED", dcmAcceptedMoveDestination="VIEW")
    found = build(*peer("VIEW", "WSD"), limited)
    assert list_edges(found, "move_destination") == [("AS_RECEIVED", "move_destination", "VIEW")]


def test_a_modality_reads_the_worklist_of_an_ae_that_offers_it() -> None:
    worklist = f"dicomAETitle=WORKLIST,{ARCHIVE}"
    found = build(
        *peer("CT1", "CT", port=None), archive_ae("WORKLIST"), capability(worklist, WORKLIST, "SCP", "Worklist FIND")
    )
    assert list_edges(found, "worklist") == [("CT1", "worklist", "WORKLIST")]


def test_exporters_storages_and_device_settings_make_edges() -> None:
    rule = Entry.from_values(
        f"cn=All,{ARCHIVE}",
        {"objectClass": "dcmExportRule", "cn": "All", "dcmEntity": "Study", "dcmExporterID": "VNA"},
    )
    found = build(
        *peer("VNA", "ARCHIVE"),
        exporter("VNA", "dicom:VNA", dcmStgCmtSCP="VNA"),
        exporter("CLOUD", "https://user:secret@cloud.example.org/stow"),
        rule,
        storage("fs2", dcmExternalRetrieveAET="VNA"),
        dcmFallbackCMoveSCP="OLDPACS",
        dcmFwdMppsDestination="RIS",
    )
    edges = [each for each in list_edges(found) if each[1] not in PERMISSIONS]
    assert sorted(edges) == [
        ("DCM4CHEE", "export", "CLOUD"),
        ("DCM4CHEE", "export", "VNA"),
        ("DCM4CHEE", "storage", "fs1"),
        ("DCM4CHEE", "storage_commitment", "VNA"),
        ("dcm4chee-arc", "fallback", "OLDPACS"),
        ("dcm4chee-arc", "notification", "RIS"),
        ("fs2", "external_retrieve", "VNA"),
    ]
    (export,) = (each for each in found.edges if each.target == "ae:vna/VNA" and each.kind.value == "export")
    assert (export.attribute, export.via, export.rules) == ("dcmURI", "VNA", ("All",))
    assert export.label == "Exporter URI"
    # The URL of an exporter may contain a password.
    assert "secret" not in repr(found)


def test_settings_of_the_archive_that_name_its_own_aes_are_internal() -> None:
    found = build(dcmExternalRetrieveAEDestination="DCM4CHEE", dcmRejectionNoteStorageAET="DCM4CHEE")
    assert list_edges(found, "internal") == [("dcm4chee-arc", "internal", "DCM4CHEE")] * 2


def test_settings_of_the_web_interface_make_no_edges() -> None:
    ui = Entry.from_values(
        f"dcmuiAetListName=x,dcmuiConfigName=default,{ARCHIVE}",
        {"objectClass": "dcmuiAetConfig", "dcmuiAetListName": "x", "dcmuiAets": "STORESCP"},
    )
    assert build(ui).edges == build().edges


def test_with_several_archives_each_is_in_the_middle_unless_one_is_chosen() -> None:
    second = f"dicomDeviceName=arc2,{DEVICES}"
    device = Entry.from_values(
        second,
        {
            "objectClass": ("dicomDevice", "dcmDevice", "dcmArchiveDevice"),
            "dicomDeviceName": "arc2",
            "dicomInstalled": "TRUE",
        },
    )
    both = site(device, connection(second), network_ae(second, "SECOND"), storage_scp(second, "SECOND"))
    assert [node.name for node in build_topology(both).archives] == ["arc2", "dcm4chee-arc"]
    one = build_topology(both, "DCM4CHEE-ARC")
    assert [node.name for node in one.archives] == ["dcm4chee-arc"]
    assert one.nodes_by_id["ae:arc2/SECOND"].role is PeerRole.WORKSTATION


def test_a_tree_without_a_configuration_or_archive() -> None:
    with pytest.raises(NotFound):
        build_topology(tree())
    bare = tree(*(each for each in site().entries.values() if "dcm4chee-arc" not in str(each.dn)))
    assert [node.name for node in build_topology(bare).nodes] == ["STORESCP"]
    with pytest.raises(NotFound, match="the device other does not exist"):
        build_topology(bare, "other")


def read_default(upstream: Path, folder: Path) -> Tree:
    for name in UPSTREAM_FILES:
        shutil.copy(upstream / "5.33.1" / name, folder)
    return read_ldif_tree(folder, load_bundled_schema())


def test_the_default_configuration(upstream: Path, tmp_path: Path) -> None:
    found = build_topology(read_default(upstream, tmp_path))
    assert [edge for edge in list_edges(found) if edge[1] not in ("internal", "move_destination")] == [
        ("DCM4CHEE", "export", "STORESCP"),
        ("DCM4CHEE", "external_retrieve", "DCM4CHEE"),
        ("DCM4CHEE", "storage_commitment", "DCMQRSCP"),
        ("DCM4CHEE", "notification", "IANSCP"),
        ("DCM4CHEE", "storage", "fs1"),
        ("SCHEDULEDSTATION", "store", "DCM4CHEE"),
        ("SCHEDULEDSTATION", "worklist", "WORKLIST"),
    ]
    # An hl7OrderScheduledStation names its device.
    assert found.nodes_by_id["ae:scheduledstation/SCHEDULEDSTATION"].role is PeerRole.MODALITY
    assert {node.name for node in found.nodes if node.role is PeerRole.UNKNOWN} == {"DCMQRSCP", "IANSCP"}


def test_a_customised_hospital(request: pytest.FixtureRequest) -> None:
    if not LONG:
        pytest.skip("DCMCFG_LONG is not set: generating a customised tree takes seconds")
    found = build_topology(request.getfixturevalue("releases").build("hospital", "5.33.1"))
    assert {name for name, kind, _ in list_edges(found) if kind == "store"} >= {"CT_08", "MR_01", "US_02"}
    assert ("DCM4CHEE", "export", "CT_08") in list_edges(found, "export")


def test_300_aes() -> None:
    found = build_topology(build_hospital())
    assert sum(node.kind is NodeKind.AE for node in found.nodes) == COUNT > 290
    assert len(list_edges(found, "store")) == 228 + 64 + 4

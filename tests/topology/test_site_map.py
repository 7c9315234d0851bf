"""The map of a site: groups, the surroundings of one AE, and findings at their nodes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.lint.checker import CheckSubject, check_configuration
from dcmcfg.lint.linter import lint
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import HOST, EntryFinding
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.grouping import GroupedTopology, group_topology
from dcmcfg.topology.site_map import build_site_map
from tests.topology.hospital import build_hospital
from tests.topology.sites import archive_ae, build, exporter, list_edges, peer, site, storage
from tests.trees import ARCHIVE, DEVICES

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def name_groups(grouped: GroupedTopology) -> list[tuple[str, list[str]]]:
    return [(group.title, [node.name for node in group.members]) for group in grouped.groups]


def test_systems_with_the_same_role_and_access_are_one_group() -> None:
    listed = archive_ae("DCM4CHEE", dcmObjectStorageID="fs1")
    listed = listed.with_values("dcmAcceptedCallingAETitle", [b"CT1", b"CT3"])
    modalities = [each for title in ("CT1", "CT2", "CT3", "MR1") for each in peer(title, title[:2], port=None)]
    found = group_topology(build(*modalities, *peer("VNA", "ARCHIVE"), exporter("VNA", "dicom:VNA"), listed))
    assert name_groups(found) == [
        ("Other archives", ["VNA"]),
        ("Destinations", ["STORESCP"]),
        ("Modalities", ["CT1", "CT3"]),
        ("Modalities without a connection", ["CT2", "MR1"]),
    ]
    assert [group.is_sender for group in found.groups] == [False, False, True, True]


def test_many_destinations_become_groups() -> None:
    entries = [each for n in range(20) for each in (*peer(f"D{n:02}", "WSD"), exporter(f"X{n}", f"dicom:D{n:02}"))]
    found = group_topology(build(*entries))
    assert [(title, len(names)) for title, names in name_groups(found)] == [("Destinations", 20), ("Destinations", 1)]
    export = next(link for link in found.groups[0].links if link.kind is EdgeKind.EXPORT)
    assert len(export.edges) == 20


def test_access_lists_that_differ_much_make_one_group_with_shares() -> None:
    modalities = [each for n in range(8) for each in peer(f"CT{n}", "CT", port=None)]
    aes = [
        archive_ae(f"IN{n}", dcmObjectStorageID="fs1", dcmAcceptedCallingAETitle=f"CT{n}", **SHARED) for n in range(6)
    ]
    found = group_topology(build(*modalities, *aes, archive_ae("DCM4CHEE", dcmAcceptedCallingAETitle="CT7")))
    titles = [(title, len(names)) for title, names in name_groups(found) if title.startswith("Modalities")]
    assert titles == [("Modalities", 7), ("Modalities without a connection", 1)]
    (group,) = (each for each in found.groups if len(each.members) == 7)
    assert {len(link.edges) for link in group.links} == {1}


SHARED = {"dcmShareTransferCapabilitiesFromAETitle": "DCM4CHEE"}


def test_aes_of_the_archive_with_the_same_connections_are_one_block() -> None:
    found = group_topology(build(archive_ae("SECOND", dcmObjectStorageID="fs1", **SHARED), storage("fs2")))
    blocks = [[node.name for node in block.nodes] for block in found.archives[0]]
    assert blocks == [["dcm4chee-arc"], ["DCM4CHEE", "SECOND"], ["AS_RECEIVED"], ["fs1"], ["fs2"]]
    assert [link.storage.nodes[0].name for link in found.storage_links] == ["fs1"]


def test_300_aes_are_few_groups() -> None:
    groups = group_topology(build_site_map(build_hospital(), None).topology).groups
    assert len(groups) < 16
    assert sum(len(group.members) for group in groups) > 300


# -- around one AE


def test_the_surroundings_of_an_ae_are_its_edges_and_their_ends() -> None:
    tree = site(*peer("CT1", "CT", port=None), *peer("VIEW", "WSD"))
    around = build_site_map(tree, None, around="CT1")
    assert list_edges(around.topology) == [("CT1", "store", "DCM4CHEE")]
    assert [node.name for node in around.topology.nodes] == ["dcm4chee-arc", "DCM4CHEE", "CT1"]
    assert around.title == "Site map around CT1"


def test_the_surroundings_of_an_external_archive_show_who_uses_its_storage() -> None:
    tree = site(*peer("VNA", "ARCHIVE"), storage("fs1", dcmExternalRetrieveAET="VNA"))
    around = build_site_map(tree, None, around="vna/VNA")
    assert ("DCM4CHEE", "storage", "fs1") in list_edges(around.topology)
    assert ("fs1", "external_retrieve", "VNA") in list_edges(around.topology)


def test_the_surroundings_of_a_title_without_an_ae() -> None:
    around = build_site_map(site(dcmFallbackCMoveSCP="OLDPACS"), None, around="OLDPACS")
    assert list_edges(around.topology) == [("dcm4chee-arc", "fallback", "OLDPACS")]


def test_an_unknown_title_is_refused_with_similar_ones() -> None:
    with pytest.raises(NotFound) as problem:
        build_site_map(site(), None, around="STORSCP")
    assert problem.value.next_step == "did you mean storescp/STORESCP?"


# -- findings


def find_places(tree: Tree) -> dict[str, list[str]]:
    placed = build_site_map(tree, lint(tree, NOW)).findings
    found = {node: sorted({each.rule.name for each in findings}) for node, findings in placed.by_node.items()}
    return found | {"": [each.rule.name for each in placed.others]}


def test_a_finding_about_an_unknown_name_is_at_the_node_of_that_name() -> None:
    found = find_places(site(exporter("VNA", "dicom:VNA"), dcmFallbackCMoveSCP="OLDPACS"))
    assert found["unknown:VNA"] == ["exporter-destination-unknown"]
    assert found["unknown:OLDPACS"] == ["fallback-scp-unknown"]


def test_a_finding_about_a_part_is_at_its_ae_and_about_a_device_at_all_its_aes() -> None:
    device = f"dicomDeviceName=view,{DEVICES}"
    tree = site(*peer("VIEW", "WSD"))
    findings = [
        EntryFinding(HOST, DN.parse(f"cn=dicom,{device}"), "dicomHostname", "a"),
        EntryFinding(HOST, DN.parse(f"cn=CT,dicomAETitle=AS_RECEIVED,{ARCHIVE}"), "", "b"),
        EntryFinding(HOST, DN.parse(f"cn=dicom,{ARCHIVE}"), "", "c"),
        EntryFinding(HOST, DN.parse("dc=dcm4che,dc=org"), "", "d"),
    ]
    placed = build_site_map(tree, findings).findings
    assert {node: [each.message for each in found] for node, found in placed.by_node.items()} == {
        "ae:view/VIEW": ["a"],
        "ae:dcm4chee-arc/AS_RECEIVED": ["b"],
        "device:dcm4chee-arc": ["c"],
    }
    assert [each.message for each in placed.others] == ["d"]
    around = build_site_map(tree, findings, around="AS_RECEIVED")
    # The AE VIEW may be a Move Destination of AS_RECEIVED.
    assert {each.message for each in around.all_findings} == {"a", "b", "c"}


def test_all_findings_of_check_are_on_the_map() -> None:
    tree = site(exporter("VNA", "dicom:VNA"), Entry.from_values("cn=x,dc=dcm4che,dc=org", {"objectClass": "dcmQueue"}))
    findings = check_configuration(CheckSubject.from_tree(tree, tree.schema), NOW).findings
    assert set(build_site_map(tree, findings).all_findings) == set(findings)
    assert not build_site_map(tree, None).is_checked

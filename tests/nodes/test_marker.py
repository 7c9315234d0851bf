"""A marker is recorded before it is in the directory, and until it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, DirectoryError
from dcmcfg.nodes.expectations import Match
from dcmcfg.nodes.marker import Marker, add_marker, make_marker, remove_marker
from dcmcfg.nodes.node_record import NodeRecorder, RecordedMarker
from tests.connecting import server_of
from tests.running_slapd import RunningSlapd

DEVICE = DN.parse("dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
MARKER = make_marker(DEVICE, 7, "0a1b2c3d")
ID = "dcmcfg-7-0a1b2c3d"


def get_marker(recorder: NodeRecorder) -> RecordedMarker | None:
    return recorder.record.marker


def find_markers(slapd: RunningSlapd) -> list[tuple[str | None, str | None]]:
    """Return type and title of the entries with the ID of the marker."""
    found = (each for each in slapd.entries(str(DEVICE)) if each.text("dcmAttributeSetID") == ID)
    return [(each.text("dcmAttributeSetType"), each.text("dcmAttributeSetTitle")) for each in found]


def test_the_name_of_a_marker_is_unique_to_its_change() -> None:
    assert Marker(DEVICE, ID) == MARKER
    assert MARKER.dn == DN.parse(f"dcmAttributeSetType=DIFF_RS+dcmAttributeSetID={ID},{DEVICE}")
    assert make_marker(DEVICE, 7, "other") != MARKER


def test_a_node_shows_the_marker_after_it_has_loaded_it() -> None:
    expectation = MARKER.expectation
    assert expectation.source == "GET /attribute-set/DIFF_RS"
    assert expectation.match([{"type": "DIFF_RS", "id": ID, "title": "dcmcfg: can be removed"}]) is Match.SHOWN
    assert expectation.match([{"type": "DIFF_RS", "id": "dcmcfg-6-0a1b2c3d"}]) is Match.NOT_SHOWN
    assert expectation.match([]) is Match.NOT_SHOWN
    assert expectation.covered == frozenset(), "it belongs to no attribute of the change"


@pytest.mark.real
def test_a_marker_is_added_and_removed(slapd: RunningSlapd, tmp_path: Path) -> None:
    recorder = NodeRecorder(tmp_path)
    before = {str(each.dn): each for each in slapd.entries()}
    with connect(server_of(slapd)) as directory:
        add_marker(directory, MARKER, recorder)
        assert find_markers(slapd) == [("DIFF_RS", "dcmcfg: can be removed")]
        assert get_marker(recorder) == RecordedMarker(dn=str(MARKER.dn), is_present=True)
        remove_marker(directory, MARKER.dn, recorder)
    assert {str(each.dn): each for each in slapd.entries()} == before
    assert get_marker(recorder) == RecordedMarker(dn=str(MARKER.dn), is_present=False)


@pytest.mark.real
def test_a_marker_that_cannot_be_added_is_recorded_all_the_same(slapd: RunningSlapd, tmp_path: Path) -> None:
    """Whether it was added may be unknown."""
    recorder = NodeRecorder(tmp_path)
    with connect(server_of(slapd)) as directory:
        slapd.slapd.stop()
        with pytest.raises(DirectoryError):
            add_marker(directory, MARKER, recorder)
    assert get_marker(recorder) == RecordedMarker(dn=str(MARKER.dn), is_present=True)


@pytest.mark.real
def test_a_marker_is_not_added_if_the_record_cannot_be_written(slapd: RunningSlapd, tmp_path: Path) -> None:
    with connect(server_of(slapd)) as directory, pytest.raises(DcmcfgError):
        add_marker(directory, MARKER, NodeRecorder(tmp_path / "gone"))
    assert find_markers(slapd) == []


@pytest.mark.real
def test_a_marker_that_somebody_else_has_removed_is_removed(slapd: RunningSlapd, tmp_path: Path) -> None:
    recorder = NodeRecorder(tmp_path)
    recorder.write_marker(MARKER.dn, is_present=True)
    with connect(server_of(slapd)) as directory:
        remove_marker(directory, MARKER.dn, recorder)
    assert get_marker(recorder) == RecordedMarker(dn=str(MARKER.dn), is_present=False)


@pytest.mark.real
def test_a_marker_that_cannot_be_removed_stays_recorded(slapd: RunningSlapd, tmp_path: Path) -> None:
    recorder = NodeRecorder(tmp_path)
    directory: LdapDirectory
    with connect(server_of(slapd)) as directory:
        add_marker(directory, MARKER, recorder)
        slapd.slapd.stop()
        with pytest.raises(DirectoryError):
            remove_marker(directory, MARKER.dn, recorder)
    assert get_marker(recorder) == RecordedMarker(dn=str(MARKER.dn), is_present=True)

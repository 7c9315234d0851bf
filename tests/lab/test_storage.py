"""The storage SCP by itself, with dcmtk's clients."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import echoscu, make_instances, storescu
from tests.lab.running_site import RunningSite

pytestmark = pytest.mark.real


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the storage SCP runs."""
    bare_site.start("storage")
    return bare_site


def test_it_keeps_each_object_as_a_dicom_file(site: RunningSite, tmp_path: Path) -> None:
    files = ObjectStore(tmp_path / "files")
    sent = [files.save(each) for each in get_standard_study("three").instances]
    assert storescu(site.storage, sent, calling="MODALITY").returncode == 0
    assert site.received() == get_standard_study("three").sop_instance_uids
    original = get_standard_study("three").instances[0]
    stored = dcmread(site.site.storage_folder / f"{original.SOPInstanceUID}.dcm")
    assert stored.PixelData == original.PixelData
    assert stored.to_json_dict() == original.to_json_dict()
    assert "from MODALITY, move originator none" in site.log("storage")


def test_it_takes_any_called_title_and_any_sop_class(site: RunningSite, tmp_path: Path) -> None:
    peer = Peer("WHOEVER", site.storage.host, site.storage.port)
    assert echoscu(peer).returncode == 0
    mammogram = "1.2.840.10008.5.1.4.1.1.1.2"
    made = make_instances(tmp_path / "made", sop_class=mammogram)
    assert storescu(peer, made.files).returncode == 0
    assert site.received() == set(made.sop_instance_uids)

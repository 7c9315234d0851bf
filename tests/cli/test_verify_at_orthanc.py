"""``dcmcfg verify`` meets Debian's Orthanc as external archive, as destination and as the archive itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.dicom.dcmtk import LOOPBACK, movescu, storescu
from tests.dicom.orthanc import orthanc
from tests.lab.purging import purge
from tests.lab.requests import find, identifier
from tests.lab.running_site import RunningSite, running_site
from tests.peers.orthancs import EVERY_ORTHANC, Orthanc, Part
from tests.peers.outputs import expected, make_output

pytestmark = pytest.mark.real
THREE, LOCAL = get_standard_study("three"), get_standard_study("local")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The lab's archive, before an Orthanc as LONGTERM that holds the study; it sends straight to the destination."""
    folder = tmp_path_factory.mktemp("orthanc")
    with running_site(tmp_path_factory.mktemp("lab")) as running:
        running.start("archive")
        known = {
            "DCM4CHEE": running.archive,
            "WORKSTATION": Peer("WORKSTATION", LOOPBACK, running.site.ports.workstation),
            "DCMCFG": Peer("DCMCFG", LOOPBACK, running.site.ports.workstation),
            "VIEWER": Peer("VIEWER", LOOPBACK, running.site.ports.workstation),
        }
        modalities = {title: [title, peer.host, peer.port] for title, peer in known.items()}
        configuration = {"modalities.json": json.dumps({"DicomModalities": modalities})}
        port = running.site.ports.external
        with orthanc(folder, "LONGTERM", port, configuration, checks_called=False) as longterm:
            files = ObjectStore(folder / "files")
            sent = storescu(longterm, [files.save(each) for each in THREE.instances], calling="DCMCFG")
            assert sent.returncode == 0, sent.stderr
            yield running


@pytest.fixture(autouse=True)
def named(site: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    name_in_environment(site, monkeypatch)


@pytest.mark.parametrize("met", EVERY_ORTHANC, ids=lambda met: met.name)
def test_what_orthanc_does_is_told(met: Orthanc, run: Run, site: RunningSite) -> None:
    purge(site.site, THREE.uid)
    study = LOCAL if met.part is Part.DESTINATION else THREE
    words = ["--study", study.uid, "--dest", met.destination, "--calling", met.calling, "--timeout-s", "10"]
    if met.destination == "WORKSTATION":
        words.append("--receive")
    if met.part is Part.ARCHIVE:
        words += ["--connect", f"{LOOPBACK}:{site.site.ports.external}", "--no-qido"]
    ports = site.site.ports
    names = {ports.archive: "ARCHIVE", ports.external: "ORTHANC", ports.workstation: "PORT", ports.storage: "STORAGE"}
    answer = make_output(run("verify", *words), names)
    if answer != expected(met.name, answer):
        # On a busy machine an Orthanc may take longer to accept or reject than the archive waits: asked once more.
        answer = make_output(run("verify", *words), names)
    assert answer == expected(met.name, answer)


def test_it_holds_what_was_sent_to_it_as_destination(run: Run, site: RunningSite) -> None:
    result = run("verify", "--study", LOCAL.uid, "--dest", "LONGTERM")
    assert result.exit_code == 0, result.output
    keys = identifier("IMAGE", StudyInstanceUID=LOCAL.uid, SeriesInstanceUID=str(LOCAL.instances[0].SeriesInstanceUID))
    keys.SOPInstanceUID = ""
    matches, _ = find(site.external, keys)
    assert {str(match.SOPInstanceUID) for match in matches} == LOCAL.sop_instance_uids


def test_movescu_hears_the_same_of_it_as_the_archive_itself(run: Run, site: RunningSite) -> None:
    movescu_result = movescu(site.external, THREE.uid, "STORESCP", calling="DCMCFG")
    assert "Received Final Move Response" in movescu_result.stderr
    assert "Success" not in movescu_result.stderr.partition("Received Final Move Response")[2]

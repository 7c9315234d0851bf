"""``dcmcfg verify`` of a recall by the lab's archive tells of each kind of external archive what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from click.testing import Result
from pynetdicom import evt

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import build_archive_contexts, listen
from dcmcfg.lab.move_scp import install_move_handler
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.dicom.dcmtk import LOOPBACK, Made, make_instances
from tests.lab.purging import purge
from tests.lab.running_site import DEVICE, RunningSite, running_site
from tests.peers.externals import EVERY_EXTERNAL, Met, ReturnRoute
from tests.peers.outputs import expected, make_output
from tests.peers.stage import OTHER, Stage

pytestmark = pytest.mark.real
DESTINATION = "dcmExternalRetrieveAEDestination"
THREE = get_standard_study("three")


@dataclass
class Recalls:
    """The lab's archive, with nobody behind it until a test plays that part."""

    site: RunningSite
    made: Made
    other: Made
    _set: list[ReturnRoute] = field(default_factory=list)

    @contextmanager
    def behind(self, met: Met) -> Iterator[None]:
        """Have *met* be the external archive while the block runs, and the study be purged."""
        self._set_up(met.route)
        purge(self.site.site, self.made.study_uid)
        moving = met.external.moving(Stage(self.made, self.other, self._destination(met.route), "LONGTERM"))
        title = "NOBODY" if met.external.refuses else "LONGTERM"
        handlers = [(evt.EVT_REQUESTED, lambda event: install_move_handler(event.assoc, moving))]
        with listen(title, self.site.external.port, handlers, build_archive_contexts()):
            yield

    def _destination(self, way: ReturnRoute) -> Peer:
        workstation = Peer("WORKSTATION", LOOPBACK, self.site.site.ports.workstation)
        return workstation if way is ReturnRoute.STRAIGHT else self.site.archive

    def _set_up(self, way: ReturnRoute) -> None:
        if self._set != [way]:
            self.site.put(DESTINATION, *(() if way is ReturnRoute.STRAIGHT else ("DCM4CHEE",)))
            self.site.reload()
            self._set = [way]


@pytest.fixture(scope="module")
def recalls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recalls]:
    """The lab's archive has little patience with the external archive."""
    folder = tmp_path_factory.mktemp("stage")
    files = tuple(ObjectStore(folder / "three").save(each) for each in THREE.instances)
    made = Made(THREE.uid, files, tuple(str(each.SOPInstanceUID) for each in THREE.instances))
    with running_site(tmp_path_factory.mktemp("lab")) as site:
        site.put("dcmRetrieveTimeout", "3000", dn=f"cn=dicom,{DEVICE}")
        site.start("archive")
        yield Recalls(site, made, make_instances(folder / "other", OTHER))


@pytest.fixture
def verify(run: Run, recalls: Recalls, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    name_in_environment(recalls.site, monkeypatch)
    monkeypatch.setattr("dcmcfg.verify.receiver_options.LATE_ARRIVAL_WAIT_S", 0.8)
    return lambda: run("verify", "--study", THREE.uid, "--dest", "WORKSTATION", "--receive", "--timeout-s", "10")


@pytest.mark.parametrize("met", EVERY_EXTERNAL, ids=lambda met: met.name)
def test_what_the_external_archive_does_is_told(met: Met, recalls: Recalls, verify: Callable[[], Result]) -> None:
    with recalls.behind(met):
        result = verify()
    ports = recalls.site.site.ports
    names = {ports.archive: "ARCHIVE", ports.external: "EXTERNAL", ports.workstation: "PORT", ports.http: "WEB"}
    answer = make_output(result, names)
    assert answer == expected(met.name, answer)

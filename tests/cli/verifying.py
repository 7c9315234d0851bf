"""``verify`` to be run by tests: slapd with the lab's tree, the AE WORKSTATION at a free port, dcmtk's archive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dcmcfg.dicom.peer import Peer
from tests.dicom import dcmtk
from tests.dicom.dcmtk import LOOPBACK, Made, make_instances
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.running_slapd import RunningSlapd

Verify = Callable[..., Result]
STUDY = "1.2.826.0.1.3680043.10.1.1"
WORKSTATION = "dicomDeviceName=workstation,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_instances(tmp_path / "made", STUDY)


@pytest.fixture
def workstation(slapd: RunningSlapd, tmp_path: Path) -> Peer:
    """The AE WORKSTATION at a free port, in the tree as well."""
    peer = Peer("WORKSTATION", LOOPBACK, free_port())
    set_values(slapd, tmp_path, f"cn=dicom,{WORKSTATION}", dicomHostname=peer.host, dicomPort=str(peer.port))
    return peer


def set_values(slapd: RunningSlapd, folder: Path, dn: str, **values: str) -> None:
    steps = "".join(f"replace: {name}\n{name}: {value}\n-\n" for name, value in values.items())
    change = folder / "change.ldif"
    change.write_text(f"version: 1\n\ndn: {dn}\nchangetype: modify\n{steps}")
    done = slapd.run_client("ldapmodify", "-f", str(change))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def verify(
    run: Callable[..., Result], slapd: RunningSlapd, workstation: Peer, monkeypatch: pytest.MonkeyPatch
) -> Verify:
    """Run ``verify`` on the slapd with the lab's tree: ``verify(archive, "--receive")``."""
    monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", slapd.password)

    def verify_study(
        archive: Peer,
        *arguments: str,
        study: str = STUDY,
        dest: str = workstation.ae_title,
        patience_s: float = PATIENCE_S,
    ) -> Result:
        where = ("--connect", f"{archive.host}:{archive.port}", "--timeout-s", f"{patience_s:g}", "--no-qido")
        return run("verify", "--study", study, "--dest", dest, *where, *arguments)

    return verify_study


@pytest.fixture
def plain_pacs(tmp_path: Path, made: Made, workstation: Peer) -> Iterator[Peer]:
    """dcmtk's archive with the study, as DCM4CHEE; it knows WORKSTATION."""
    with dcmtk.dcmqrscp(tmp_path, ae_title="DCM4CHEE", knows={"WORKSTATION": workstation}) as peer:
        sent = dcmtk.storescu(peer, made.files)
        assert sent.returncode == 0, sent.stderr
        yield peer


def load_verdict(result: Result) -> dict[str, Any]:
    content = json.loads(result.stdout)
    assert isinstance(content, dict)
    return content

"""Plans are held to the schema of other directory servers too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.foreign.apacheds import ApacheDS
from tests.foreign.server389 import Server389
from tests.sampling import LONG

pytestmark = pytest.mark.real

STORESCP = "dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
ARCHIVE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


def setting(dn: str, name: str, value: str) -> str:
    return f"dn: {dn}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n\n"


def test_389_directory_server_takes_what_its_schema_has(server389: Server389, run: Run, tmp_path: Path) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0, "a new pair of class and attribute"
    before = server389.entries()
    file = tmp_path / "x.ldif"
    file.write_text(setting(ARCHIVE, "dcmNoSuchAttribute", "x") + setting(STORESCP, "dcmFallbackCMoveSCP", "LONGTERM"))
    refused = run("apply", str(file), "--yes")
    first, second = refused.stderr.splitlines()[1:]
    assert (refused.exit_code, first.startswith(f"  {file}:4: {ARCHIVE}: the server's schema and the schema of ")) == (
        3,
        True,
    )
    told = "according to the server's schema, no object class of the entry allows dcmFallbackCMoveSCP"
    assert second.startswith(f"  {file}:9: {STORESCP}: {told} — remove dcmFallbackCMoveSCP, or add an object class")
    assert server389.entries() == before


@pytest.mark.skipif(not LONG, reason="ApacheDS takes half a minute to start: make test-long")
def test_apacheds_lacks_the_archives_own_attributes(apacheds: ApacheDS, run: Run, tmp_path: Path) -> None:
    before = apacheds.entries()
    dn = next(dn for dn in before if dn.startswith("dicomDeviceName="))
    file = tmp_path / "x.ldif"
    file.write_text(setting(dn, "dicomDescription", "fits") + setting(dn, "dcmFallbackCMoveSCP", "X"))
    refused = run("apply", str(file), "--yes")
    assert (refused.exit_code, refused.stderr.partition("\n")[0]) == (
        3,
        f"dcmcfg: {file}:9: {dn}: the server's schema does not define the attribute dcmFallbackCMoveSCP",
    )
    assert apacheds.entries() == before
    file.write_text(setting(dn, "dicomDescription", "fits"))
    assert run("apply", str(file), "--yes").exit_code == 0

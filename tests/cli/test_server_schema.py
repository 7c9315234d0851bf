"""What a directory server's schema allows beyond its object classes, and how to let the server judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite, settle_at
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

BASE_DN = "dc=dcm4che,dc=org"
DEVICE = "1.2.840.10008.15.0.4.4"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"


@pytest.fixture
def ruled_site(monkeypatch: pytest.MonkeyPatch, archive: Scripted, tmp_path: Path) -> Iterator[CliSite]:
    """The lab's tree on a server with a DIT content rule for devices."""
    rule = f"ditcontentrule ( {DEVICE} NAME 'deviceRule' AUX ( dcmDevice $ dcmArchiveDevice ) MAY seeAlso )"
    slapd = Slapd(tmp_path / "ruled", port=free_port(), root_password=PASSWORD, extra_global=rule)
    slapd.prepare()
    slapd.load_files(list_site_files())
    with slapd:
        yield settle_at(monkeypatch, RunningSlapd(slapd), archive)


def adding(dn: str, name: str, value: str) -> str:
    return f"dn: {dn}\nchangetype: modify\nadd: {name}\n{name}: {value}\n\n"


def test_what_a_content_rule_allows_is_written(run: Run, ruled_site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "x.ldif"
    file.write_text(adding(STORESCP, "seeAlso", BASE_DN))
    done = run("apply", str(file), "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert ruled_site.values("seeAlso", STORESCP) == (BASE_DN,)


def test_the_server_decides_where_its_schema_is_forced(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = tmp_path / "x.ldif"
    file.write_text(adding(ARCHIVE_DN, "seeAlso", BASE_DN))
    refused = run("apply", str(file), "--yes")
    assert (refused.exit_code, refused.stderr) == (
        3,
        f"dcmcfg: {file}:4: {ARCHIVE_DN}: according to the server's schema, no object class of the entry allows "
        "seeAlso\n"
        "  next: remove seeAlso, or add an object class that allows this attribute (dcmcfg explain seeAlso); to let "
        "the server decide: --force-server-schema\n",
    )
    assert run("apply", str(file), "--dry-run", "--force-server-schema").exit_code == 0
    forced = run("apply", str(file), "--yes", "--force-server-schema")
    assert forced.exit_code == 3
    assert "attribute 'seeAlso' not allowed" in forced.stderr
    assert site.octets() == before

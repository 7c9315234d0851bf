"""A site where everything that has a name has another one than on a stock site: commands say the same of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.writer import format_entry
from dcmcfg.schema.definitions import load_bundled_schema
from tests.cli.conftest import Run
from tests.cli.sites import CliSite
from tests.running_slapd import RunningSlapd, of_suffix

pytestmark = pytest.mark.real

OTHER_BASE = "dc=klinik1,dc=net"
#: Names of stock sites with others as long, so that tables are as wide.
WORDS = (
    ("dc=dcm4che,dc=org", OTHER_BASE),
    ("cn=Devices", "cn=Gadgets"),
    ("dcm4chee-arc", "hospital-arc"),
    ("DCM4CHEE_ARC", "D_C_M_4_ARC"),  # a service class, which stays
    ("DCM4CHEE", "HOSPPACS"),
    ("D_C_M_4_ARC", "DCM4CHEE_ARC"),
)


def as_there(text: str) -> str:
    for here, elsewhere in WORDS:
        text = text.replace(here, elsewhere)
    return text


def renamed(entry: Entry) -> Entry:
    if entry.dn.rdn == RDN.of("dc", "dcm4che"):
        entry = entry.with_values("dc", [b"klinik1"])
    values = ((each.name, (_value(value) for value in each.values)) for each in entry.attributes)
    return Entry(DN.parse(as_there(str(entry.dn))), tuple(Attribute(name, tuple(held)) for name, held in values))


def _value(value: bytes) -> bytes:
    return as_there(value.decode("latin-1")).encode("latin-1")


@pytest.fixture
def there(tmp_path: Path) -> Iterator[RunningSlapd]:
    server = of_suffix(tmp_path / "there", OTHER_BASE)
    folder = tmp_path / "site"
    folder.mkdir()
    for file in list_site_files():
        (folder / file.name).write_bytes(file.read_bytes())
    tree = read_ldif_tree(folder, load_bundled_schema())
    entries = (
        entry.with_values("cn", [b"Gadgets"]) if entry.is_a("dicomDevicesRoot") else entry
        for entry in map(renamed, tree.sorted_entries())
    )
    server.slapd.load_ldif("".join(map(format_entry, entries)))
    with server.slapd:
        yield server


def expected(told: str, site: CliSite, there: RunningSlapd) -> str:
    """What is told of a stock site, with the other's names and address; the archive is the same."""
    told = as_there(told.replace(site.slapd.url, there.url))
    return told.replace(as_there(site.archive.url), site.archive.url)


def comparable(told: str) -> str:
    """LDIF is folded elsewhere, and roll-outs are counted."""
    return re.sub(r"dcmcfg undo \d+", "dcmcfg undo N", told.replace("\n ", ""))


def test_every_command_says_of_it_what_it_says_of_a_stock_site(
    run: Run, site: CliSite, there: RunningSlapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: tuple[tuple[str, ...], ...] = (
        ("show",),
        ("show", "DCM4CHEE"),
        ("device", "list"),
        ("ae", "list"),
        ("check",),
        ("explain", "dcmExternalRetrieveAEDestination"),
        ("route", "--dest", "STORESCP"),
        ("set-external-retrieve", "DCM4CHEE", "--yes"),
        ("set-external-retrieve", "DCM4CHEE", "--yes"),
        ("show",),
    )
    here = [run(*command) for command in commands]
    monkeypatch.setenv("DCMCFG_LDAP_URL", there.url)
    monkeypatch.setenv("DCMCFG_BASE_DN", OTHER_BASE)
    monkeypatch.setenv("DCMCFG_DEVICE", "hospital-arc")
    for command, before in zip(commands, here, strict=True):
        result = run(*(as_there(word) for word in command))
        assert result.exit_code == before.exit_code, (command, result.output)
        assert comparable(result.stdout) == expected(comparable(before.stdout), site, there), command
        assert result.stderr == as_there(before.stderr), command
    order = run("work-order", "--external", "LONGTERM", "--format", "ldif")
    records = (line for line in comparable(order.stdout).splitlines() if line.startswith("dn: dicomDeviceName="))
    ends = {record.partition(",")[2] for record in records}
    assert ends == {f"cn=Gadgets,cn=DICOM Configuration,{OTHER_BASE}"}

"""What somebody else changes while a plan is on its way is not overwritten, on slapd with entryCSN and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.reading import read_tree
from dcmcfg.directory.server import LdapServer
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import ChangedButNotFinished, DoesNotFit
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import site_files
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.left import plan_back
from dcmcfg.rollout.manner import Manner
from tests.connecting import server_of
from tests.ports import free_port
from tests.rollout.conftest import Site
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
ARCHIVE = DEVICES.child("dicomDeviceName", "dcm4chee-arc")
STORESCP = DEVICES.child("dicomDeviceName", "storescp")
NEW = DEVICES.child("dicomDeviceName", "new")
LONGTERM = DEVICES.child("dicomDeviceName", "longterm")
NAME = "dicomVendorData"
CERTIFICATE = "userCertificate;binary"


def certificate(subject: str) -> bytes:
    """A certificate (DER) of *subject*: all of them have one issuer and one serial number, and so match."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]),
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2046, 1, 1, tzinfo=UTC),
    ).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def holding(dn: DN, value: bytes, name: str = NAME) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, name, (value,)),))


@pytest.fixture(params=["entryCSN", "no entryCSN"])
def site(request: pytest.FixtureRequest, tmp_path: Path, site_of: Callable[[LdapServer], Site]) -> Iterator[Site]:
    """The lab's tree; slapd that keeps no operational attributes is as a server that has no entryCSN."""
    kept = "on" if request.param == "entryCSN" else "off"
    slapd = Slapd(
        tmp_path / "slapd",
        port=free_port(),
        root_password=PASSWORD,
        extra_global="objectclass ( 2.5.6.21 NAME 'pkiUser' SUP top AUXILIARY MAY userCertificate )",
        extra_database=f"lastmod {kept}",
    )
    slapd.prepare()
    slapd.load(site_files())
    with slapd:
        yield site_of(server_of(RunningSlapd(slapd)))


def as_somebody_else(site: Site, *changes: Change) -> None:
    with connect(site.server) as directory:
        for change in changes:
            directory.apply(change)


def back(site: Site) -> Plan:
    with connect(site.server) as directory:
        return plan_back(site.history().numbered(1), read_tree(directory))


@pytest.mark.parametrize("name", [NAME, CERTIFICATE])
@pytest.mark.parametrize("manner", [Manner.STEP_BY_STEP, Manner.TRANSACTION])
def test_what_changes_between_an_undo_and_its_roll_out_is_not_overwritten(
    site: Site, manner: Manner, name: str
) -> None:
    old, new, theirs = map(certificate if name == CERTIFICATE else str.encode, ("old", "new", "theirs"))
    for dn in (STORESCP, LONGTERM):
        known = Modification(Operation.ADD, "objectClass", (b"pkiUser",))
        as_somebody_else(site, Modify(dn, (known,)), holding(dn, old, name))
    site.change(holding(STORESCP, new, name), holding(LONGTERM, new, name))
    undo = back(site)
    as_somebody_else(site, holding(STORESCP, theirs, name))
    now = site.octets()
    with pytest.raises(DoesNotFit, match=r"somebody has changed .* meanwhile"):
        site.roll_out(undo, manner=manner, undoes=1)
    assert site.octets() == now
    as_somebody_else(site, holding(STORESCP, new, name))
    site.roll_out(back(site), manner=manner, undoes=1)
    assert [site.octets()[str(dn)][name.lower()] for dn in (STORESCP, LONGTERM)] == [{old}, {old}]


def test_what_comes_to_an_entry_that_an_undo_deletes_is_not_lost(site: Site) -> None:
    site.change(Add(Entry.of(NEW, {"objectClass": "dicomDevice", "dicomDeviceName": "new", "dicomInstalled": "TRUE"})))
    undo = back(site)
    as_somebody_else(site, holding(NEW, b"theirs"))
    now = site.octets()
    with pytest.raises(DoesNotFit, match=r"somebody has changed .* meanwhile"):
        site.roll_out(undo, undoes=1)
    assert site.octets() == now


def test_what_changes_between_two_steps_of_an_entry_is_not_overwritten(site: Site) -> None:
    as_somebody_else(site, holding(STORESCP, b"old"))
    plan = site.plan([holding(STORESCP, b"x", "dicomDescription"), holding(STORESCP, b"new")])
    with pytest.raises(ChangedButNotFinished, match=f"somebody has changed {NAME} meanwhile; 1 of 2 steps are done"):
        site.roll_out(
            plan,
            manner=Manner.STEP_BY_STEP,
            on_step=lambda *_: as_somebody_else(site, holding(STORESCP, b"theirs")),
        )
    assert site.octets()[str(STORESCP)][NAME.lower()] == {b"theirs"}


def test_what_a_rename_takes_along_is_changed_and_deleted_in_the_same_transaction(site: Site) -> None:
    """slapd keeps the entryCSN of what is below a renamed entry, so that a plan may assert it."""
    before = site.octets()
    capability = next(dn for dn in before if dn.startswith("cn=") and f",dicomAETitle=STORESCP,{STORESCP}" in dn)
    gone, hosted = (DN.parse(dn).rebased(STORESCP, NEW) for dn in (capability, f"cn=dicom,{STORESCP}"))
    plan = site.plan([Rename(STORESCP, NEW.rdn), holding(hosted, b"other", "dicomHostname"), Delete(gone)])
    assert site.roll_out(plan, manner=Manner.TRANSACTION).manner is Manner.TRANSACTION
    assert str(gone) not in site.octets()
    site.undo()
    assert site.octets() == before

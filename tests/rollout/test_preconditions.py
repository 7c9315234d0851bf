"""What somebody else changes while a plan is on its way is not overwritten, on slapd with entryCSN and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, DoesNotApply, IncompleteChange
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.plan.ldif_output import format_plan
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout import execution as module
from dcmcfg.rollout.record import RolloutRecord, write_record
from dcmcfg.rollout.recovery import plan_undo
from dcmcfg.rollout.strategy import RolloutStrategy
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
EDITOR = DN.parse("cn=editor,dc=dcm4che,dc=org")
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
def site(
    request: pytest.FixtureRequest, tmp_path: Path, site_of: Callable[[LdapServerSettings], Site]
) -> Iterator[Site]:
    """The lab's tree; slapd that keeps no operational attributes is as a server that has no entryCSN."""
    last_modified = "on" if request.param == "entryCSN" else "off"
    slapd = Slapd(
        tmp_path / "slapd",
        port=free_port(),
        root_password=PASSWORD,
        extra_global="objectclass ( 2.5.6.21 NAME 'pkiUser' SUP top AUXILIARY MAY userCertificate )",
        extra_database=f"lastmod {last_modified}",
    )
    slapd.prepare()
    slapd.load_files(list_site_files())
    with slapd:
        yield site_of(server_of(RunningSlapd(slapd)))


def as_somebody_else(site: Site, *changes: Change) -> None:
    with connect(site.server) as directory:
        for change in changes:
            directory.apply(change)


def back(site: Site) -> Plan:
    with connect(site.server) as directory:
        return plan_undo(site.history().get_rollout(1), read_tree(directory))


@pytest.mark.parametrize("name", [NAME, CERTIFICATE])
@pytest.mark.parametrize("manner", [RolloutStrategy.STEP_BY_STEP, RolloutStrategy.TRANSACTION])
def test_what_changes_between_an_undo_and_its_roll_out_is_not_overwritten(
    site: Site, manner: RolloutStrategy, name: str
) -> None:
    old, new, theirs = map(certificate if name == CERTIFICATE else str.encode, ("old", "new", "theirs"))
    for dn in (STORESCP, LONGTERM):
        known = Modification(Operation.ADD, "objectClass", (b"pkiUser",))
        as_somebody_else(site, Modify(dn, (known,)), holding(dn, old, name))
    site.change(holding(STORESCP, new, name), holding(LONGTERM, new, name))
    undo = back(site)
    as_somebody_else(site, holding(STORESCP, theirs, name))
    now = site.octets()
    with pytest.raises(DoesNotApply, match=r"somebody has changed .* in the meantime"):
        site.roll_out(undo, manner=manner, undoes=1)
    assert site.octets() == now
    as_somebody_else(site, holding(STORESCP, new, name))
    site.roll_out(back(site), manner=manner, undoes=1)
    assert [site.octets()[str(dn)][name.lower()] for dn in (STORESCP, LONGTERM)] == [{old}, {old}]


def test_what_comes_to_an_entry_that_an_undo_deletes_is_not_lost(site: Site) -> None:
    site.change(
        Add(Entry.from_values(NEW, {"objectClass": "dicomDevice", "dicomDeviceName": "new", "dicomInstalled": "TRUE"}))
    )
    undo = back(site)
    as_somebody_else(site, holding(NEW, b"theirs"))
    now = site.octets()
    with pytest.raises(DoesNotApply, match=r"somebody has changed .* in the meantime"):
        site.roll_out(undo, undoes=1)
    assert site.octets() == now


def test_what_changes_between_two_steps_of_an_entry_is_not_overwritten(site: Site) -> None:
    as_somebody_else(site, holding(STORESCP, b"old"))
    plan = site.plan([holding(STORESCP, b"x", "dicomDescription"), holding(STORESCP, b"new")])
    with pytest.raises(
        IncompleteChange, match=f"somebody has changed {NAME} in the meantime; 1 of 2 steps are applied"
    ):
        site.roll_out(
            plan,
            manner=RolloutStrategy.STEP_BY_STEP,
            on_step=lambda *_: as_somebody_else(site, holding(STORESCP, b"theirs")),
        )
    assert site.octets()[str(STORESCP)][NAME.lower()] == {b"theirs"}


def test_what_a_rename_takes_along_is_changed_and_deleted_in_the_same_transaction(site: Site) -> None:
    """slapd keeps the entryCSN of what is below a renamed entry, so that a plan may assert it."""
    before = site.octets()
    capability = next(dn for dn in before if dn.startswith("cn=") and f",dicomAETitle=STORESCP,{STORESCP}" in dn)
    gone, hosted = (DN.parse(dn).rebased(STORESCP, NEW) for dn in (capability, f"cn=dicom,{STORESCP}"))
    plan = site.plan([Rename(STORESCP, NEW.rdn), holding(hosted, b"other", "dicomHostname"), Delete(gone)])
    assert site.roll_out(plan, manner=RolloutStrategy.TRANSACTION).strategy is RolloutStrategy.TRANSACTION
    assert str(gone) not in site.octets()
    site.undo()
    assert site.octets() == before


@pytest.fixture
def partly_hidden(tmp_path: Path, site_of: Callable[[LdapServerSettings], Site]) -> Iterator[tuple[Site, Site]]:
    """The lab's tree on a slapd that hides the entryCSN of STORESCP from an editor; the editor's site, and root's."""
    slapd = Slapd(
        tmp_path / "slapd",
        port=free_port(),
        root_password=PASSWORD,
        extra_global="objectclass ( 1.3.6.1.4.1.4203.666.11.99.1 NAME 'editor' SUP top MUST cn MAY userPassword )",
    )
    slapd.prepare()
    configuration = slapd.folder / "slapd.conf"
    hidden = f'access to dn.exact="{STORESCP}" attrs=entryCSN by * none\naccess to * by users write by * read'
    settings = configuration.read_text().replace("access to * by * read", hidden)
    configuration.write_text(settings.replace("sizelimit 500", "sizelimit unlimited"))
    slapd.load_files(list_site_files())
    slapd.load_ldif(f"dn: {EDITOR}\nobjectClass: editor\ncn: editor\nuserPassword: {PASSWORD}\n")
    with slapd:
        server = server_of(RunningSlapd(slapd))
        yield site_of(replace(server, bind_dn=str(EDITOR))), site_of(server)


@pytest.mark.parametrize("manner", [RolloutStrategy.STEP_BY_STEP, RolloutStrategy.TRANSACTION])
def test_a_written_plan_overwrites_nothing_of_an_entry_whose_entry_csn_is_hidden(
    partly_hidden: tuple[Site, Site], tmp_path: Path, manner: RolloutStrategy
) -> None:
    site, root = partly_hidden
    for dn in (STORESCP, LONGTERM):
        as_somebody_else(root, holding(dn, b"old"))
    file = tmp_path / "plan.ldif"
    file.write_text(format_plan(site.plan([holding(STORESCP, b"new"), holding(LONGTERM, b"new")])))
    as_somebody_else(root, holding(STORESCP, b"theirs"))
    with pytest.raises(DoesNotApply, match=f"somebody has changed {NAME}"):
        site.planned(file)
    as_somebody_else(root, holding(STORESCP, b"old"))
    site.roll_out(site.planned(file), manner=manner)
    assert [site.octets()[str(dn)][NAME.lower()] for dn in (STORESCP, LONGTERM)] == [{b"new"}, {b"new"}]
    site.undo()
    assert [site.octets()[str(dn)][NAME.lower()] for dn in (STORESCP, LONGTERM)] == [{b"old"}, {b"old"}]


@pytest.mark.parametrize("manner", [RolloutStrategy.STEP_BY_STEP, RolloutStrategy.TRANSACTION])
def test_what_changes_while_the_record_is_written_is_not_overwritten(
    site: Site, manner: RolloutStrategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dn in (STORESCP, LONGTERM):
        as_somebody_else(site, holding(dn, b"old"))
    plan = site.plan([holding(STORESCP, b"new"), holding(LONGTERM, b"new")])
    recorded = write_record

    def meanwhile(*arguments: Any) -> RolloutRecord:
        as_somebody_else(site, holding(STORESCP, b"theirs"))
        return recorded(*arguments)

    monkeypatch.setattr(module, "write_record", meanwhile)
    with pytest.raises(DcmcfgError):
        site.roll_out(plan, manner=manner)
    assert [site.octets()[str(dn)][NAME.lower()] for dn in (STORESCP, LONGTERM)] == [{b"theirs"}, {b"old"}]

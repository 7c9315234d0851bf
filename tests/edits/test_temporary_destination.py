"""The intent to add a destination for one run, and to take away what is there of it, on trees in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.edits.temporary_destination import (
    ConnectionSecurity,
    TemporaryDestination,
    add_temporary_destination,
    derive_security,
    find_free_title,
    remove_temporary_destination,
)
from dcmcfg.edits.temporary_mark import (
    MarkedDestination,
    OwnerProcess,
    find_marked_destinations,
    find_title_occurrences,
)
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from tests.trees import ARCHIVE, DEVICES, connection, network_ae, octets, site, site_entries, tree

MAKER = OwnerProcess(
    user="ann", host="desk7", pid=4711, started=1_795_000_000, created=datetime(2026, 11, 25, 14, 26, 32, tzinfo=UTC)
)
NEW = TemporaryDestination("DCMCFG_0A1B2C3D4", "10.1.2.3", 40123, MAKER)
OURS = f"dicomDeviceName=dcmcfg_0a1b2c3d4,{DEVICES}"
REGISTRY = "cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"


def added(before: Tree, new: TemporaryDestination = NEW) -> Plan:
    configuration = Configuration(before)
    edit = add_temporary_destination(
        configuration, configuration.get_device("dcm4chee-arc").get_network_ae("DCM4CHEE"), new
    )
    assert edit.warnings == ()
    return make_plan(before, [DesiredChange(each) for each in edit.changes])


def removed(before: Tree) -> Plan:
    edit = remove_temporary_destination(Configuration(before), NEW.ae_title)
    return make_plan(before, [DesiredChange(each) for each in edit.changes])


def listing(*titles: str) -> Tree:
    """A site whose DCM4CHEE accepts these Move Destinations only."""
    ae = network_ae(ARCHIVE, "DCM4CHEE").with_values("dcmAcceptedMoveDestination", [each.encode() for each in titles])
    return tree(*(ae if each.dn == ae.dn else each for each in site_entries()))


def destinations(before: Tree) -> tuple[str, ...]:
    return (
        Configuration(before)
        .get_device("dcm4chee-arc")
        .get_network_ae("DCM4CHEE")
        .entry.texts("dcmAcceptedMoveDestination")
    )


def test_the_marked_device_comes_first_and_taken_back_it_goes_last() -> None:
    plan = added(listing("STORESCP"))
    assert [type(step.change) for step in plan.steps] == [Add, Add, Add, Add, Add, Modify]
    assert [str(step.change.dn.rdn) for step in plan.steps] == [
        "cn=Unique AE Titles Registry",
        "dicomDeviceName=dcmcfg_0a1b2c3d4",
        "dicomAETitle=DCMCFG_0A1B2C3D4",
        "cn=dicom",
        "dicomAETitle=DCMCFG_0A1B2C3D4",
        "dicomAETitle=DCM4CHEE",
    ]
    gone = [change for change in removed(plan.after).changes if isinstance(change, Delete)]
    assert str(gone[-1].dn) == OURS
    back = [str(step.dn.rdn) for pieces in reversed(plan.make_undo_per_step()) for step in pieces]
    assert back[-2:] == ["dicomDeviceName=dcmcfg_0a1b2c3d4", "cn=Unique AE Titles Registry"]


def test_it_lists_no_capabilities_and_is_called_where_it_was_said() -> None:
    ae = Configuration(added(site()).after).find_network_ae(NEW.ae_title)
    assert ae is not None
    assert (ae.capabilities, ae.installed) == ((), True)
    assert [(each.host, each.port, each.tls) for each in ae.connections] == [("10.1.2.3", 40123, False)]


def test_an_ae_that_takes_any_destination_goes_on_taking_any() -> None:
    assert destinations(added(site()).after) == ()


def test_a_list_of_destinations_gets_it_and_loses_it_whoever_changes_the_list_meanwhile() -> None:
    there = added(listing("STORESCP")).after
    assert set(destinations(there)) == {"STORESCP", NEW.ae_title}
    ae = Configuration(there).get_device("dcm4chee-arc").get_network_ae("DCM4CHEE").entry
    changed = ae.with_values("dcmAcceptedMoveDestination", [b"VIEWER", NEW.ae_title.encode()])
    changed_tree = tree(*(changed if each.dn == ae.dn else each for each in there.sorted_entries()))
    assert destinations(removed(changed_tree).after) == ("VIEWER",)


def test_removal_leads_back_to_the_tree_before_but_for_the_container_of_registrations() -> None:
    before = site()
    back = octets(removed(added(before).after).after)
    registry = back.pop(REGISTRY)
    assert back == octets(before)
    assert registry["cn"] == {b"Unique AE Titles Registry"}


def test_whatever_is_left_of_it_is_removed_and_of_nothing_nothing() -> None:
    plan = added(listing("STORESCP"))
    draft = plan.before
    for step in plan.steps:
        draft = draft.with_changes([step.change])
        assert find_title_occurrences(removed(draft).after, NEW.ae_title) == ()
    assert removed(plan.before).steps == ()
    assert removed(removed(plan.after).after).steps == ()


def test_what_somebody_put_into_its_device_stays() -> None:
    there = added(site()).after
    theirs = (connection(OURS, "104", name="theirs"), network_ae(OURS, "THEIRS", references=("theirs",)))
    after = removed(tree(*there.sorted_entries(), *theirs)).after
    assert [ae.title for ae in Configuration(after).get_device("dcmcfg_0a1b2c3d4").network_aes] == ["THEIRS"]
    assert find_title_occurrences(after, NEW.ae_title) == ()
    assert find_marked_destinations(Configuration(after)) == ()
    assert removed(after).steps == ()


def test_the_mark_tells_by_whom_since_when_and_where_it_listens() -> None:
    assert find_marked_destinations(Configuration(added(site()).after)) == (
        MarkedDestination(NEW.ae_title, MAKER, "10.1.2.3", 40123),
    )


@pytest.mark.parametrize("maker", [replace(MAKER, pid=10**20), replace(MAKER, started=10**4000)])
def test_a_mark_with_a_number_that_no_process_has_is_none(maker: OwnerProcess) -> None:
    assert find_marked_destinations(Configuration(added(site(), replace(NEW, owner=maker)).after)) == ()


@pytest.mark.parametrize(
    ("maker", "expected"),
    [
        (replace(MAKER, user="DOMAIN\\Jörg (x) @ 1"), ("DOMAIN\\J_rg_(x)_@_1", "desk7")),
        (replace(MAKER, user="", host=""), ("", "")),
        (replace(MAKER, host="a b@c"), ("ann", "a_b_c")),
    ],
)
def test_names_of_accounts_and_machines_may_be_anything(maker: OwnerProcess, expected: tuple[str, str]) -> None:
    (found,) = find_marked_destinations(Configuration(added(site(), replace(NEW, owner=maker)).after))
    assert (found.owner.user, found.owner.host) == expected
    assert replace(found.owner, user="", host="") == replace(maker, user="", host="")


def test_a_clone_of_its_device_is_nobodys_temporary_destination() -> None:
    there = added(site()).after
    device = there.get(Configuration(there).get_device("dcmcfg_0a1b2c3d4").entry.dn)
    assert device is not None
    clone = device.with_dn(device.dn.parent.child("dicomDeviceName", "clone")).with_values(
        "dicomDeviceName", [b"clone"]
    )
    assert [
        each.ae_title for each in find_marked_destinations(Configuration(tree(*there.sorted_entries(), clone)))
    ] == [NEW.ae_title]


def test_what_it_is_named_by_elsewhere_is_told() -> None:
    there = added(listing("STORESCP")).after
    assert f"dicomAETitle=DCM4CHEE,{ARCHIVE} (dcmAcceptedMoveDestination)" in find_title_occurrences(
        there, NEW.ae_title
    )


def test_a_title_that_anything_bears_is_not_taken() -> None:
    there = Configuration(added(site()).after)
    given = iter(["0a1b2c3d4", "0a1b2c3d5"])
    assert find_free_title(there, lambda: next(given)) == "DCMCFG_0A1B2C3D5"
    with pytest.raises(Refused, match="all titles DCMCFG_… are in use"):
        find_free_title(there, lambda: "0a1b2c3d4")


def archive_with(*connections: Entry) -> Tree:
    """A site whose DCM4CHEE has these connections."""
    names = [each.text("cn") or "" for each in connections]
    others = [each for each in site_entries() if each.dn.rdns[1:] != connection(ARCHIVE).dn.rdns[1:]]
    return tree(*others, *connections, network_ae(ARCHIVE, "DCM4CHEE", references=names))


def test_it_is_called_as_the_asked_ae_calls() -> None:
    suites = ("TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
    secure = connection(ARCHIVE, "2762", name="dicom-tls").with_values("dicomTLSCipherSuite", map(str.encode, suites))
    modern = secure.with_values("dcmTLSProtocol", [b"TLSv1.3"])
    plain = connection(ARCHIVE)
    for own, secured, line in (
        ((plain, secure), False, ConnectionSecurity()),
        ((plain, secure), True, ConnectionSecurity(suites)),
        ((plain,), True, ConnectionSecurity()),
        ((modern,), False, ConnectionSecurity(suites, ("TLSv1.3",))),
    ):
        before = archive_with(*own)
        called_ae = Configuration(before).get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
        assert derive_security(called_ae, require_tls=secured) == line
        ae = Configuration(added(before, replace(NEW, security=line)).after).find_network_ae(NEW.ae_title)
        assert ae is not None
        assert any(mine.is_compatible_with(theirs) for mine in ae.connections for theirs in called_ae.connections)
        assert [each.tls for each in ae.connections] == [line.tls]

"""Plans that assert the entryCSN of what they touch."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import AllOf, Equals, Filter, Not, Present
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.versions import assert_versions
from tests.trees import ARCHIVE, connection, site

NAME = "dicomDescription"
ARCHIVE_DN = DN.parse(ARCHIVE)
CONNECTION = DN.parse(f"cn=dicom,{ARCHIVE}")


def versioned() -> Tree:
    return Tree(site().schema, site().entries, {key: f"csn of {key[0][0][1]}" for key in site().entries})


def strict(*changes: Change, before: Tree | None = None, as_written: bool = False) -> Plan:
    return assert_versions(
        make_plan(before or versioned(), [DesiredChange(change, strict=as_written) for change in changes])
    )


def asserted(change: Change) -> Filter | None:
    found = [control for control in change.controls if control.oid == assertions.OID]
    assert len(found) <= 1
    return assertions.decode_control(found[0]) if found else None


def described(text: bytes) -> Modify:
    return Modify(ARCHIVE_DN, (Modification(Operation.REPLACE, NAME, (text,)),))


def test_the_first_step_of_an_entry_asserts_its_version_and_what_it_asserted_before() -> None:
    first, second = strict(described(b"a"), described(b"b")).changes
    assert asserted(first) == AllOf((Equals("entryCSN", b"csn of dcm4chee-arc"), Not(Present(NAME))))
    assert asserted(second) == Equals(NAME, b"a")


def test_a_rename_asserts_it_too_and_what_it_moves_its_own() -> None:
    rename, moved = strict(
        Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "new")),
        Delete(CONNECTION.rebased(ARCHIVE_DN, DN.parse(ARCHIVE.replace("dcm4chee-arc", "new", 1)))),
    ).changes
    assert asserted(rename) == Equals("entryCSN", b"csn of dcm4chee-arc")
    assert asserted(moved) == Equals("entryCSN", b"csn of dicom")


def test_an_add_asserts_nothing_nor_does_what_follows_it() -> None:
    again = connection(ARCHIVE, "104")
    delete, add, change = strict(
        Delete(CONNECTION), Add(again), Modify(CONNECTION, (Modification(Operation.ADD, NAME, (b"x",)),))
    ).changes
    assert asserted(delete) == Equals("entryCSN", b"csn of dicom")
    assert asserted(add) is None
    assert asserted(change) == Not(Present(NAME))


def test_a_filter_of_somebody_elses_is_left_alone() -> None:
    own = Modify(ARCHIVE_DN, described(b"a").modifications, (Control(assertions.OID, True, b"\xa9\x00"),))
    assert strict(own, as_written=True).changes == (own,)


def test_other_controls_stay() -> None:
    other = Control("1.2.3", critical=True)
    (change,) = strict(Delete(CONNECTION, (other,))).changes
    assert change.controls[0] == other
    assert len(change.controls) == 2


def test_a_server_without_entry_versions_is_reported() -> None:
    with pytest.raises(Refused, match="does not show entryCSN"):
        strict(described(b"a"), before=site())


def test_an_entry_whose_entry_csn_is_hidden_is_refused_by_name() -> None:
    whole = versioned()
    hidden = {key: version for key, version in whole.versions.items() if key != whole.key(CONNECTION)}
    tree = Tree(whole.schema, whole.entries, hidden)
    strict(described(b"a"), before=tree)
    with pytest.raises(Refused, match="the server does not show entryCSN of this entry") as refused:
        strict(described(b"a"), Delete(CONNECTION), before=tree)
    assert refused.value.subject == str(CONNECTION)

"""What pruning deletes, and when it refuses to."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Delete
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.plan.desired_state import make_surplus_deletes
from dcmcfg.plan.plan import DesiredChange
from dcmcfg.schema.findings import SourceLocation
from tests.trees import ARCHIVE, DEVICES, STORESCP, connection, site, site_entries


def desired_changes(*entries: Entry) -> tuple[DesiredChange, ...]:
    return tuple(
        DesiredChange(Add(entry), is_content_record=True, location=SourceLocation("file", 1)) for entry in entries
    )


def deleted(under: str, *entries: Entry) -> list[str]:
    changes = [each.change for each in make_surplus_deletes(site(), DN.parse(under), desired_changes(*entries))]
    assert all(isinstance(change, Delete) for change in changes)
    return [str(change.dn) for change in changes]


def test_what_no_record_names_goes_leaf_first() -> None:
    device = next(entry for entry in site_entries() if str(entry.dn) == STORESCP)
    gone = deleted(STORESCP, device)
    assert set(gone) == {str(e.dn) for e in site_entries() if str(e.dn).endswith(f",{STORESCP}")}
    assert gone.index(f"cn=CT Image Storage SCP,dicomAETitle=STORESCP,{STORESCP}") < gone.index(
        f"dicomAETitle=STORESCP,{STORESCP}"
    )


def test_nothing_goes_outside_the_subtree() -> None:
    assert all(dn.endswith(STORESCP) for dn in deleted(STORESCP, connection(STORESCP)))


def test_what_a_named_entry_stands_below_stays() -> None:
    assert STORESCP not in deleted(DEVICES, connection(STORESCP))
    assert ARCHIVE in deleted(DEVICES, connection(STORESCP))


def test_an_entry_is_named_in_whatever_spelling() -> None:
    named = connection(STORESCP).with_dn(DN.parse(f"CN=DICOM, {STORESCP.upper()}"))
    assert f"cn=dicom,{STORESCP}" not in deleted(STORESCP, named)


@pytest.mark.parametrize("entries", [(), (connection(ARCHIVE),)])
def test_no_entry_in_the_subtree_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(Refused, match="so --prune would delete the whole subtree"):
        deleted(STORESCP, *entries)


@pytest.mark.parametrize("under", ["dc=org", "dc=other,dc=org", ""])
def test_what_was_not_read_is_refused(under: str) -> None:
    with pytest.raises(Refused, match="not below the base DN"):
        deleted(under, connection(STORESCP))


def test_a_change_record_is_refused_with_its_place() -> None:
    change = DesiredChange(Delete(DN.parse(STORESCP)), location=SourceLocation("file", 7))
    with pytest.raises(Refused, match=r"file:7: .* --prune accepts entries only, not change records"):
        make_surplus_deletes(site(), DN.parse(DEVICES), (change,))

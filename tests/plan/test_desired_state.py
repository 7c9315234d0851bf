"""What pruning deletes, and when it refuses to."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Delete
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.plan.desired_state import describe_surplus, make_surplus_deletes
from dcmcfg.plan.plan import DesiredChange
from dcmcfg.schema.findings import SourceLocation
from tests.trees import ARCHIVE, BASE, DEVICES, STORESCP, connection, network_ae, site, site_entries, tree


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


def warnings(*entries: Entry) -> list[str]:
    return list(describe_surplus(site(), desired_changes(*entries)))


def test_entries_that_an_export_omits_are_named_with_the_options_that_delete_them() -> None:
    capability = f"cn=CT Image Storage SCP,dicomAETitle=STORESCP,{STORESCP}"
    new = connection(STORESCP, name="new")
    export = [each for each in site_entries() if str(each.dn) != capability]
    assert warnings(*export, new) == [
        f"1 entry below {BASE} is not in the file: {capability}. Without --prune, apply deletes no entries. "
        f"To delete it too, add --prune --under {BASE}"
    ]
    ae = f"dicomAETitle=STORESCP,{STORESCP}"
    assert warnings(*(each for each in export if str(each.dn) != ae)) == [
        f"2 entries below {BASE} are not in the file: {ae} with the entries below. Without --prune, apply deletes no "
        f"entries. To delete them too, add --prune --under {BASE}"
    ]


def test_a_subtree_of_an_export_is_recognised_by_its_own_top() -> None:
    device = [each for each in site_entries() if str(each.dn).endswith(ARCHIVE)]
    (warning,) = warnings(*device[:-1])
    assert warning.startswith(f"1 entry below {ARCHIVE} is not in the file: dicomAETitle=AS_RECEIVED,{ARCHIVE}. ")


@pytest.mark.parametrize(
    "entries",
    [
        (),
        site_entries(),
        (*site_entries()[:4], connection(ARCHIVE, name="new")),
        (site_entries()[8], site_entries()[9], network_ae(STORESCP, "NEW")),
        (connection(STORESCP, name="new"), network_ae(STORESCP, "NEW")),
    ],
)
def test_a_file_with_some_entries_does_not_list_their_subtree(entries: tuple[Entry, ...]) -> None:
    assert warnings(*entries) == []


def test_change_records_list_no_subtree() -> None:
    changes = (*desired_changes(*site_entries()[:-1]), DesiredChange(Delete(DN.parse(STORESCP))))
    assert list(describe_surplus(site(), changes)) == []


def test_of_many_subtrees_some_are_named() -> None:
    devices = [site_entries()[8].with_dn(DN.parse(f"dicomDeviceName=d{number},{DEVICES}")) for number in range(5)]
    connections = [connection(str(device.dn), name=name) for device in devices for name in ("a", "b", "c")]
    listed = [each for each in (*devices, *connections) if each.dn.rdn != DN.parse("cn=c").rdn]
    found = list(describe_surplus(tree(*site_entries(), *devices, *connections), desired_changes(*listed)))
    assert [each.split(" ")[0] for each in found] == ["1", "1", "1", "2"]
    assert found[-1] == "2 more subtrees also have entries that are not in the file"

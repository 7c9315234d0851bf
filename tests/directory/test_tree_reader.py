"""What a tree holds of the entries that a server gives."""

from __future__ import annotations

from dcmcfg.directory.tree_reader import remove_operational_attributes
from dcmcfg.entry import Entry
from tests.trees import ARCHIVE, BASE, site_entries

#: As UnboundID's in-memory server (6.0.11) without a schema answers a search for ``*``.
OPERATIONAL = {
    "entryDN": "dc=dcm4che,dc=org",
    "entryUUID": "9542d4f2-7741-4680-ad7b-df9d31451df6",
    "subschemaSubentry": "cn=schema",
    "creatorsName": "cn=admin,dc=dcm4che,dc=org",
    "createTimestamp": "20261130175201.469Z",
    "modifiersName": "cn=admin,dc=dcm4che,dc=org",
    "modifyTimestamp": "20261130175201.469Z",
}


def test_what_a_server_keeps_itself_is_no_part_of_a_tree() -> None:
    own = {BASE: {"objectClass": "domain", "dc": "dcm4che"}, ARCHIVE: {"objectClass": "dicomDevice"}}
    given = [Entry.from_values(dn, values | OPERATIONAL | {"entryCSN": "1"}) for dn, values in own.items()]
    expected = [Entry.from_values(dn, values | {"entryCSN": "1"}) for dn, values in own.items()]
    assert list(remove_operational_attributes(given)) == expected


def test_where_it_keeps_them_apart_the_entries_are_as_given() -> None:
    entries = site_entries()
    assert remove_operational_attributes(entries) is entries
    assert remove_operational_attributes(()) == ()

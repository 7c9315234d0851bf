"""An export made of a server's octets is, to the octet, the one made of the tree."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dcmcfg.directory.live_export import LiveExport
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.model.export import export_ldif, select_entries
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.directory.messages import entry as message
from tests.directory.messages import in_pieces, search_result_done
from tests.directory.test_search_responses import read

ROOT = DN.parse("cn=DICOM Configuration,dc=dcm4che,dc=org")

texts = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    st.text('aA #,+"\\<>;=é', min_size=1, max_size=100),
)
rdns = st.lists(
    st.tuples(st.sampled_from(("cn", "CN", "dicomAETitle", "dicomDeviceName", "2.5.4.3", "unknown-x")), texts),
    min_size=1,
    max_size=2,
).map(lambda parts: RDN(tuple(parts)))
value = st.one_of(
    st.binary(max_size=200),
    texts.map(str.encode),
    st.sampled_from(
        (
            b"TRUE",
            b"dicomNetworkAE",
            b"http://user:pw@host/",
            b"password=x",
            b"http://host/?token=x",
            b"x" * 80,
            b" y" * 60,
        )
    ),
).filter(lambda octets: octets.lower() != b"dicomconfigurationroot")
NAMES = ("objectClass", "OBJECTCLASS", "cn", "dicomAETitle", "userCertificate;binary", "dcmKeyStorePin", "dcmProperty")
attributes = st.lists(
    st.builds(Attribute, st.sampled_from(NAMES), st.lists(value, min_size=1, max_size=3).map(tuple)),
    min_size=1,
    max_size=5,
    unique_by=lambda attribute: attribute.name,
).map(tuple)


@st.composite
def trees(draw: st.DrawFn) -> list[Entry]:
    """Entries below the one root and beside it, once each, in any order; a parent may be missing or spelt otherwise."""
    names = [ROOT.parent, ROOT]
    for rdn in draw(st.lists(rdns, max_size=8)):
        above = draw(st.sampled_from(names))
        names.append(DN((rdn, *above.rdns)))
    once = {load_bundled_schema().normalise_dn(name): name for name in reversed(names)}
    kept = [name for name in once.values() if name not in names[:2] and draw(st.integers(0, 9))]
    held = [Entry(name, draw(attributes)) for name in kept]
    root = Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"})
    return draw(st.permutations([Entry.from_values(ROOT.parent, {"dc": "dcm4che"}), root, *held]))


@settings(max_examples=150, deadline=None)
@given(trees(), st.sampled_from((",", ", ", ";", " ,")), st.booleans())
@example([Entry.from_values(ROOT, {"objectClass": "DICOMconfigurationRoot"})], ",", False)
@example(
    [
        Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"}),
        Entry.from_values(ROOT.parent, {"dc": "dcm4che"}),
    ],
    " ,",
    False,
)
@example([Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "http://user:pw@host/"})], ",", False)
@example([Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "dcmProperty": "password=x"})], ",", False)
@example([Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "http://host/?token=x"})], ",", False)
def test_it_is_the_text_of_the_tree(entries: list[Entry], separator: str, with_secrets: bool) -> None:
    slow = "".join(
        export_ldif(select_entries(Tree.from_entries(load_bundled_schema(), entries), None), with_secrets=with_secrets)
    )
    export = LiveExport(load_bundled_schema(), with_secrets=with_secrets)
    export.add_entries(octets(entries, separator))
    assert "".join(export.generate_ldif()) == slow


def octets(entries: list[Entry], separator: str) -> list[bytes]:
    """The entries as a server sends them, every other one's name with *separator*."""
    sent = b"".join(
        message(
            (",", separator)[number % 2].join(map(str, each.dn.rdns)).encode(),
            [(held.name.encode(), held.values) for held in each.attributes],
        )
        for number, each in enumerate(entries)
    )
    return read(in_pieces(sent + search_result_done()))[0]

"""Hypothesis strategies for what LDIF can hold: names, entries, changes with controls."""

from __future__ import annotations

from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.ldif.fields import KEYWORDS

_LETTERS = "abcXYZ"
attribute_types = st.one_of(
    st.text(_LETTERS, min_size=1, max_size=8).filter(lambda name: name.lower() not in KEYWORDS),
    st.sampled_from(["cn", "dicomAETitle", "dcmTag", "1.2.40.0.13", "a-1", "x" * 60]),
)
attribute_names = st.builds(str.__add__, attribute_types, st.sampled_from(["", ";binary", ";lang-de;x-1"]))
#: Octets, with what is delicate in LDIF well represented.
octets = st.one_of(
    st.binary(max_size=200),
    st.text(" :<#-=\t\r\n\0aä", max_size=8).map(str.encode),
    st.text(" a", min_size=60, max_size=200).map(str.encode),
)


def _as_text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


#: Any octets as text, undecodable ones as surrogates, the way DN.parse returns them.
dn_values = st.one_of(st.binary(max_size=12).map(_as_text), st.text(' ,+="\\#;<>\0aß', max_size=6))
rdns = st.lists(st.tuples(attribute_types, dn_values), min_size=1, max_size=3).map(lambda parts: RDN(tuple(parts)))
dns = st.lists(rdns, max_size=4).map(lambda parts: DN(tuple(parts)))


_values = st.lists(octets, min_size=1, max_size=3).map(tuple)
attributes = st.lists(
    st.builds(Attribute, attribute_names, _values), min_size=1, max_size=4, unique_by=lambda a: a.name.lower()
).map(tuple)
entries = st.builds(Entry, dns, attributes)
oids = st.lists(st.integers(0, 99999), min_size=1, max_size=6).map(lambda arcs: ".".join(map(str, arcs)))
controls = st.lists(st.builds(Control, oids, st.booleans(), st.none() | st.binary(max_size=80)), max_size=2).map(tuple)
modifications = st.one_of(
    st.builds(Modification, st.just(Operation.ADD), attribute_names, _values),
    st.builds(
        Modification,
        st.sampled_from([Operation.DELETE, Operation.REPLACE]),
        attribute_names,
        st.lists(octets, max_size=3).map(tuple),
    ),
    st.builds(Modification, st.just(Operation.INCREMENT), attribute_names, st.tuples(octets)),
)
modifies = st.builds(Modify, dns, st.lists(modifications, min_size=1, max_size=4).map(tuple), controls)
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(Add, entries, controls),
    modifies,
    st.builds(Rename, dns, rdns, delete_old_rdn=st.booleans(), new_superior=st.none() | dns, controls=controls),
    st.builds(Delete, dns, controls),
)

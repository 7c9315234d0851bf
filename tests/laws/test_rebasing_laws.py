"""Laws of names that are taken to another base DN."""

from __future__ import annotations

import contextlib

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dcmcfg.directory.entry_rebaser import EntryRebaser
from dcmcfg.directory.live_export import LiveExport
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.export import export_ldif, select_entries
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.laws.test_dn_laws import dn_like_text
from tests.laws.test_export_laws import ROOT, octets, trees
from tests.ldif.strategies import dns

few = settings(max_examples=150, deadline=None)
bases = dns.filter(lambda dn: bool(dn.rdns))
REFERENCE = "dicomNetworkConnectionReference"


def joined(head: DN, base: DN) -> DN:
    return DN(head.rdns + base.rdns)


def value(dn: DN) -> bytes:
    return str(dn).encode()


@few
@given(dns, bases, bases)
def test_a_name_below_the_old_base_is_the_same_below_the_new_one(head: DN, old: DN, new: DN) -> None:
    there = Rebasing(load_bundled_schema(), old, new)
    assert there.rebase_dn(joined(head, old)) == joined(head, new)
    assert there.rebase_value(REFERENCE, value(joined(head, old))) == value(joined(head, new))


@few
@given(dns, bases, bases)
def test_there_and_back_is_the_same_octets(head: DN, old: DN, new: DN) -> None:
    there, back = Rebasing(load_bundled_schema(), old, new), Rebasing(load_bundled_schema(), new, old)
    was = value(joined(head, old))
    assert back.rebase_value(REFERENCE, there.rebase_value(REFERENCE, was)) == was


@few
@given(dns, bases, bases)
def test_another_spelling_of_the_base_is_the_base(head: DN, old: DN, new: DN) -> None:
    """In a multi-valued RDN order carries no meaning, nor does case in the name of an attribute."""
    spelt = DN(tuple(RDN(tuple((kind.upper(), text) for kind, text in rdn.parts[::-1])) for rdn in old.rdns))
    taken = Rebasing(load_bundled_schema(), old, new).rebase_value(REFERENCE, value(joined(head, spelt)))
    assert taken == value(joined(head, new))


@few
@given(st.sampled_from(["cn=a\\2Cb ,", 'cn = "a,b" + sn=c;', "2.5.4.3=#0401e4,", "cn=\\c3\\a4 ,"]), bases, bases)
def test_what_stands_before_the_base_keeps_its_spelling(head: str, old: DN, new: DN) -> None:
    taken = Rebasing(load_bundled_schema(), old, new).rebase_value(REFERENCE, f"{head} {old}".encode())
    assert taken == f"{head}{new}".encode()


@few
@given(dn_like_text | dns.map(str), bases, bases)
def test_what_is_not_below_the_base_stays(text: str, old: DN, new: DN) -> None:
    there = Rebasing(load_bundled_schema(), old, new)
    with contextlib.suppress(MalformedInput):
        assume(not there.is_affected(DN.parse(text)))
    was = text.encode("utf-8", "surrogatepass")
    assert there.rebase_value(REFERENCE, was) == was


@few
@given(st.binary(max_size=40), bases, bases)
def test_a_value_that_is_no_name_stays(held: bytes, old: DN, new: DN) -> None:
    there = Rebasing(load_bundled_schema(), old, new)
    assert all(there.rebase_value(name, held) == held for name in ("dcmURI", "dicomDescription", "unknown"))


@few
@given(trees(), bases, st.booleans(), st.data())
def test_an_export_as_it_arrives_is_the_one_of_the_tree(
    entries: list[Entry], new: DN, with_secrets: bool, data: st.DataObject
) -> None:
    names = [str(each.dn).encode() for each in entries] + [b"cn=x,dc=other"]
    entries = [
        Entry(each.dn, (*each.attributes, Attribute(REFERENCE, (data.draw(st.sampled_from(names)),))))
        for each in entries
    ]
    rebasing = Rebasing(load_bundled_schema(), ROOT.parent, new)
    fast, slow = RebasingReport(rebasing), RebasingReport(rebasing)
    export = LiveExport(load_bundled_schema(), with_secrets=with_secrets)
    export.add_entries(EntryRebaser(fast).rebase(octets(entries, ", ")))
    whole = select_entries(Tree.from_entries(load_bundled_schema(), entries), None)
    rebased = select_entries(Tree.from_entries(load_bundled_schema(), slow.rebase_entries(whole)), None)
    assert "".join(export.generate_ldif()) == "".join(export_ldif(rebased, with_secrets=with_secrets))

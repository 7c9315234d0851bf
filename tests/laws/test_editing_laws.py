"""Laws of entries as text for an editor: what is not edited is not changed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.edits.text_edit import hide_secrets, make_edit
from dcmcfg.entry import Entry
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_for_editor
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.ldif.strategies import entries

few = settings(max_examples=60, deadline=None)


def read_back(text: str) -> list[Entry]:
    return [record.entry for record in read_all([text.encode()], "law") if isinstance(record, ContentRecord)]


@few
@given(st.lists(entries, max_size=3), st.booleans())
def test_entries_read_back_as_they_were_given_to_the_editor(written: list[Entry], commented: bool) -> None:
    comments = ["Not shown, and unchanged: dn"] if commented else []
    assert read_back("".join(format_for_editor(entry, comments=comments) for entry in written)) == written


@few
@given(st.lists(entries, min_size=1, max_size=4), st.booleans())
def test_a_text_that_stays_as_it_is_is_no_change(held: list[Entry], with_secrets: bool) -> None:
    tree = Tree.from_entries(load_bundled_schema(), held)
    before = [hide_secrets(entry, with_secrets=with_secrets) for entry in tree.sorted_entries()]
    text = "".join(format_for_editor(each.entry) for each in before)
    assert make_edit(tree.schema, tree, before, read_back(text)).changes == ()

"""The facts at the head of a snapshot."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.snapshot.file import SnapshotFacts, format_facts, parse_facts


def test_facts_read_back_as_written_whatever_a_server_says_of_itself() -> None:
    facts = SnapshotFacts(
        DN.parse("o=Spital Zürich\\, West,c=CH"),
        taken="2026-01-02T03:04:05+00:00",
        program="dcmcfg 1",
        server="ldaps://pacs:636",
        vendor_name="a\nb\r\n# c\n\ndn: x",
        naming_contexts=(b"c=CH", b"\xff\x00", b""),
        attribute_types=(b"( 1.2 NAME 'a' DESC '" + b"long " * 90 + b"' )",),
    )
    text = format_facts(facts)
    assert all(line.startswith("# ") for line in text.splitlines())
    assert parse_facts(text.encode(), "file") == facts


@pytest.mark.parametrize("text", [b"", b"# no record\n", b"# dn: o=x\n# changetype: delete\n", b"# version: 1\n"])
def test_facts_that_cannot_be_read_are_refused(text: bytes) -> None:
    with pytest.raises(Refused, match="the metadata in the header of the snapshot"):
        parse_facts(text, "file")

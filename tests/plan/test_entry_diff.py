"""When two entries hold the same, by the rules of the schema."""

from __future__ import annotations

from dcmcfg.entry import Entry
from dcmcfg.plan.entry_diff import are_equal, find_differing_attributes
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import ARCHIVE


def device(*classes: str, **values: str) -> Entry:
    return Entry.from_values(ARCHIVE, {"objectClass": classes, "dicomDeviceName": "dcm4chee-arc", **values})


def test_a_server_that_stores_the_classes_above_holds_the_same() -> None:
    """389 Directory Server does so (RFC 4512 §3.3); what is read back from it is what was planned."""
    stated, stored = device("dicomDevice"), device("top", "DicomDevice")
    assert are_equal(stated, stored, load_bundled_schema())
    assert find_differing_attributes(stated, stored, load_bundled_schema()) == ()


def test_a_class_that_nothing_implies_is_not_the_same() -> None:
    stated, stored = device("dicomDevice"), device("dicomDevice", "dcmDevice")
    assert not are_equal(stated, stored, load_bundled_schema())
    assert find_differing_attributes(stated, stored, load_bundled_schema()) == ("objectClass",)

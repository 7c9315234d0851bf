"""The table of how the archive reads which attribute of which object class."""

from __future__ import annotations

import json
from importlib import resources

from dcmcfg.schema.archive_values import find_value_kinds, get_value_kinds, list_constants
from dcmcfg.schema.definitions import load_bundled_schema

TABLE = json.loads(resources.files("dcmcfg.schema").joinpath("value_kinds.json").read_bytes())


def test_every_row_is_of_an_attribute_that_its_class_allows() -> None:
    schema = load_bundled_schema()
    wrong = []
    for name, attributes in TABLE.items():
        known = schema.object_class(name)
        allowed = (*known.must, *known.may) if known else ()
        wrong += [(name, each) for each in attributes if each.lower() not in map(str.lower, allowed)]
        wrong += [
            (name, each) for each in attributes if (found := schema.attribute(each)) is None or found.name != each
        ]
    assert wrong == []


def test_an_attribute_is_read_otherwise_on_another_class() -> None:
    assert {name: kind.name for name, kind in get_value_kinds("dcmURI").items()} == {
        "dcmArchiveAttributeCoercion2": "coercion-uri",
        "dcmExporter": "uri",
        "dcmPDQService": "uri",
        "dcmStorage": "storage-uri",
        "dcmUPSProcessingRule": "uri-with-properties",
    }
    assert [kind.name for kind in find_value_kinds("dcmProperty", frozenset({"dcmExportRule"}))] == ["condition"]
    assert [kind.name for kind in find_value_kinds("dcmProperty", frozenset({"dcmWebApp"}))] == ["property"]
    assert find_value_kinds("dcmProperty", frozenset({"dcmCollection"})) == ()


def test_an_attribute_that_is_parsed_on_a_device_may_be_plain_text_on_an_ae() -> None:
    assert list(get_value_kinds("dcmWadoThumbnailViewport")) == ["dcmArchiveDevice"]


def test_the_constants_of_an_attribute_are_those_of_all_its_classes() -> None:
    assert list_constants("dicomTransferRole") == ("SCU", "SCP")
    assert list_constants("dcmEntity")[:3] == ("Patient", "Study", "Series")
    assert list_constants("dicomDescription") == ()


def test_an_unknown_attribute_has_no_kind() -> None:
    assert get_value_kinds("dcmFromTheFuture") == {}

"""Which endpoint lists an entry, and what it shows for the values of an attribute."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.entry import Entry
from dcmcfg.nodes.endpoints import (
    ENDPOINTS,
    Endpoint,
    Shown,
    fill_in,
    find_endpoint,
    omit,
    read_field,
    show_list,
    show_sizes,
    show_tags,
    show_text,
    show_true,
)
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import ARCHIVE


def entry(object_class: str, **values: str) -> Entry:
    return Entry.from_values(f"cn=x,{ARCHIVE}", {"objectClass": object_class, **values})


@pytest.mark.parametrize(
    ("found", "path"),
    [
        (entry("dicomNetworkAE"), "/aets"),
        (entry("dcmStorage"), "/storage"),
        (entry("dcmExporter"), "/export"),
        (entry("dcmQueue"), "/queue"),
        (entry("dcmRejectionNote"), "/reject"),
        (entry("dcmMetrics"), "/metrics"),
        (entry("dcmAttributeSet", dcmAttributeSetType="DIFF_RS"), "/attribute-set/DIFF_RS"),
        (entry("dcmAttributeFilter", dcmEntity="Study"), "/attribute-filter/Study"),
    ],
)
def test_the_endpoint_of_an_entry_answers_from_memory(found: Entry, path: str) -> None:
    endpoint = find_endpoint(found)
    assert endpoint is not None
    assert endpoint.get_path(found) == path


def test_a_web_application_has_no_endpoint_because_its_list_comes_from_the_directory() -> None:
    assert find_endpoint(entry("dcmWebApp")) is None


def test_a_name_in_a_path_is_escaped() -> None:
    found = entry("dcmAttributeSet", dcmAttributeSetType="../ctrl/stop?x#y")
    endpoint = find_endpoint(found)
    assert endpoint is not None
    assert endpoint.get_path(found) == "/attribute-set/..%2Fctrl%2Fstop%3Fx%23y"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.path)
def test_every_attribute_of_the_table_is_one_of_its_class(endpoint: Endpoint) -> None:
    schema = load_bundled_schema()
    names = [endpoint.object_class]
    # The archive adds its own attributes of an AE with two more classes.
    names += ["dcmNetworkAE", "dcmArchiveNetworkAE"] if endpoint.object_class == "dicomNetworkAE" else []
    known: set[str] = set()
    while names:
        found = schema.object_class(names.pop())
        if found is not None:
            known |= {each.lower() for each in (*found.must, *found.may)}
            names += found.superiors
    attributes = {endpoint.name_attribute, *(each.attribute for each in endpoint.fields)}
    assert {each for each in attributes if each.lower() not in known} == set()


@pytest.mark.parametrize(
    ("object_class", "values", "expected"),
    [
        ("dicomNetworkAE", {}, True),
        ("dicomNetworkAE", {"dicomInstalled": "TRUE"}, True),
        ("dicomNetworkAE", {"dicomInstalled": "FALSE"}, False),
        ("dcmAttributeSet", {"dicomInstalled": "FALSE"}, False),
        ("dcmQueue", {}, True),
        ("dcmQueue", {"dicomInstalled": "FALSE"}, None),
        ("dcmRejectionNote", {"dcmRejectionNoteType": "QUALITY_ISSUE"}, True),
        ("dcmRejectionNote", {"dcmRejectionNoteType": "REVOKE_REJECTION"}, False),
    ],
)
def test_some_entries_are_not_listed(object_class: str, values: dict[str, str], expected: bool | None) -> None:
    found = entry(object_class, **values)
    endpoint = find_endpoint(found)
    assert endpoint is not None
    assert endpoint.is_listed(found) is expected


@pytest.mark.parametrize(
    ("show", "values", "expected"),
    [
        (show_text, (), None),
        (show_text, ("a",), "a"),
        (show_list, (), None),
        (show_list, ("b", "a"), frozenset({"a", "b"})),
        (show_tags, ("0020000d",), frozenset({"0020000D"})),
        (show_tags, (), None),
        (show_true, ("TRUE",), True),
        (show_true, ("FALSE",), None),
        (show_true, (), None),
        (omit("ONLINE"), ("ONLINE",), None),
        (omit("ONLINE"), ("NEARLINE",), "NEARLINE"),
        (omit("ONLINE"), (), None),
        (fill_in("60"), (), "60"),
        (fill_in("60"), ("5",), "5"),
        (show_sizes, (), None),
        (show_sizes, ("1MB",), frozenset({"=1000000"})),
        (show_sizes, ("1MiB", "[hour=1-5]2GB"), frozenset({"=1048576", "[hour=1-5]=2000000000"})),
        (show_sizes, ("7",), frozenset({"=7"})),
        (show_sizes, ("10GB", "1.5GB"), frozenset()),
        (show_sizes, ("much",), frozenset()),
    ],
)
def test_a_field_shows_the_values_of_its_attribute(
    show: Callable[[tuple[str, ...]], Shown], values: tuple[str, ...], expected: Shown
) -> None:
    assert show(values) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, None),
        ({"x": "a"}, "a"),
        ({"x": 60}, "60"),
        ({"x": True}, True),
        ({"x": False}, False),
        ({"x": ["b", "a"]}, frozenset({"a", "b"})),
        ({"x": []}, None),
        ({"x": [{"": 1000000}]}, frozenset({"=1000000"})),
        ({"x": {"y": 1}}, None),
        ({"x": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_field_is_read_from_json(item: object, expected: Shown) -> None:
    assert read_field(item, "x") == expected


@given(st.sampled_from(["ONLINE", "PERMANENT"]), st.text(min_size=1))
def test_an_omitted_default_is_shown_as_its_absence(default: str, other: str) -> None:
    """So a change from no value to the default, which the archive does not see either, shows nothing."""
    assert omit(default)((default,)) is omit(default)(()) is None
    assert (omit(default)((other,)) is None) == (other == default)


@given(st.integers(0, 10**15), st.sampled_from("kMGTP"))
def test_equal_sizes_are_shown_alike(number: int, unit: str) -> None:
    factor = 1000 ** (1 + "kMGTP".index(unit))
    assert show_sizes((f"{number}{unit}B",)) == frozenset({f"={number * factor}"})
    assert show_sizes((f"{number}{unit}iB",)) == frozenset({f"={number * 1024 ** (1 + 'kMGTP'.index(unit))}"})


@given(st.lists(st.text(min_size=1), max_size=4))
def test_the_order_of_a_list_has_no_meaning(values: list[str]) -> None:
    assert show_list(tuple(values)) == show_list(tuple(reversed(values))) == read_field({"x": values}, "x")

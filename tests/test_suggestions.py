"""Names in a message, those first that were meant."""

from __future__ import annotations

from dcmcfg.suggestions import format_known_names


def test_few_are_listed_all_and_none_is_said() -> None:
    assert format_known_names("pacs", ["b", "a"]) == "b, a"
    assert format_known_names("pacs", []) == "none"


def test_of_many_those_spelt_alike_and_those_that_begin_so_come_first() -> None:
    many = [f"modality-{number}" for number in range(1000)]
    assert format_known_names("dcm", [*many, "dcm4chee-arc"]) == (
        "dcm4chee-arc, " + ", ".join(f"modality-{number}" for number in range(9)) + " and 991 more"
    )
    assert format_known_names("strocsp", [*many, "STORESCP"]).startswith("STORESCP, modality-0, ")


def test_never_is_just_one_hidden() -> None:
    names = [str(number) for number in range(12)]
    assert format_known_names("x", names[:10]) == ", ".join(names[:10])
    assert format_known_names("x", names[:11]) == ", ".join(names[:11])
    assert format_known_names("x", names) == ", ".join(names[:10]) + " and 2 more"

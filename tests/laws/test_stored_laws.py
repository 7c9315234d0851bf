"""Whatever an archive answers to a search is read, or refused as no DICOM JSON: nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.archive.stored_studies import InvalidDicomJson, parse_instances, parse_studies

_TAGS = ("0020000D", "00080018", "00201208", "00080056", "00100020", "77770010", "77770012", "77771028", "77771245")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("DCM4CHEE Archive 5"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_ELEMENTS = st.dictionaries(st.just("Value") | st.just("vr"), st.lists(_JSON, max_size=3) | _JSON, max_size=2)
_DATA_SETS = st.dictionaries(st.sampled_from(_TAGS) | st.text(max_size=8), _ELEMENTS | _JSON, max_size=6)


@given(st.lists(_DATA_SETS, max_size=3) | _JSON)
def test_any_json_is_read_or_refused(content: Any) -> None:
    for read in (parse_studies, parse_instances):
        with suppress(InvalidDicomJson):
            read(json.dumps(content))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidDicomJson):
        assert parse_studies(text) == ()


@given(st.integers(0x10, 0xFF), st.text(alphabet="ABC_1", min_size=1, max_size=16))
def test_the_external_archive_is_found_in_whichever_block(block: int, title: str) -> None:
    empty = {f"7777{block:02X}{element}": {"vr": "UN"} for element in ("25", "26", "28")}
    answer = empty | {
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
        f"777700{block:02X}": {"vr": "LO", "Value": ["DCM4CHEE Archive 5"]},
        f"7777{block:02X}45": {"vr": "AE", "Value": [title]},
    }
    (study,) = parse_studies(json.dumps([answer]))
    assert (study.external_ae_title, study.storage_ids) == (title, ())

from __future__ import annotations

import pytest

from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import MalformedInput


@pytest.mark.parametrize("text", ["1.2.840.10008", "2.25." + "9" * 39, "1.2.03"])
def test_uids_are_let_through(text: str) -> None:
    assert parse_uid(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "1.2.*",
        "1.2\\1.3",
        "1.2.",
        ".1",
        "1..2",
        "1",
        "1.2 ",
        "1.2\n",
        "1.2.x",
        "1." + "2" * 63,
        "\u0661.\u0662",
    ],
)
def test_what_would_match_other_studies_or_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput, match="not a UID"):
        parse_uid(text)

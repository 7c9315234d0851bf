"""The keywords of DICOM data elements (PS3.6), which the archive accepts as well as hexadecimal tags.

Kept apart: several kinds use this module and do not import each other.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from dcmcfg.schema.value_kinds.parsing import parse_hexadecimal, split_values

#: dcm4che returns this number for an unknown keyword, so it rejects the text ``-1`` too.
_NO_TAG = -1


@cache
def load_keywords() -> frozenset[str]:
    """Return all keywords. The file is read at first use."""
    return frozenset(resources.files(__package__).joinpath("keywords.txt").read_text("ascii").split())


def is_tag_or_keyword(text: str) -> bool:
    """Return whether *text* is a tag (hexadecimal digits, as Java's ``Integer.parseInt`` reads them) or a keyword."""
    number = parse_hexadecimal(text)
    return number != _NO_TAG if number is not None else text in load_keywords()


def is_attribute_path(text: str) -> bool:
    """Return whether *text* is a path of data elements: ``ReferencedSOPSequence.ReferencedSOPInstanceUID``."""
    return all(map(is_tag_or_keyword, split_values(text, ".")))

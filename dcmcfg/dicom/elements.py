"""Read text from unvalidated data sets.

Kept apart: dicom.find and dicom.move use it and do not load dicom.query.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.dicom.pydicom_lazy import get_tag


def read_texts(elements: Mapping[int, bytes], keyword: str) -> tuple[str, ...]:
    """Return the values of the element *keyword* as text, without padding and without empty values.

    *elements* maps tags to the octets as received. A wrong VR or length, or characters outside ASCII, do not make it
    fail. An absent element gives an empty tuple.
    """
    values = _get_value(elements, keyword).decode("latin-1").split("\\")
    return tuple(text for value in values if (text := value.strip(" \0")))


def read_text(elements: Mapping[int, bytes], keyword: str) -> str:
    """Return the first value of the element *keyword* as text; ``""`` if there is none."""
    return next(iter(read_texts(elements, keyword)), "")


def read_octets(elements: Mapping[int, bytes], keyword: str) -> bytes:
    """Return the octets of *keyword* as received, without padding; empty if there are none."""
    return _get_value(elements, keyword).strip(b" \0")


def _get_value(elements: Mapping[int, bytes], keyword: str) -> bytes:
    tag = get_tag(keyword)
    return b"" if tag is None else elements.get(tag, b"")

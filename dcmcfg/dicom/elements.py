"""Text out of a data set that nobody has checked."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of the element *keyword* as text, without padding and without empty values.

    Works on the octets as they were sent, so a wrong VR or length, or characters outside ASCII, cannot make
    it fail: what is absent, or not text, gives an empty tuple.
    """
    value = _value(dataset, keyword)
    if isinstance(value, bytes):
        value = value.decode("latin-1").split("\\")
    elif isinstance(value, str):
        value = value.split("\\")
    elif not isinstance(value, Iterable):
        return ()
    return tuple(text for part in value if (text := str(part).strip(" \0")))


def text(dataset: Dataset, keyword: str) -> str:
    """Return the first value of the element *keyword* as text; ``""`` when there is none."""
    return next(iter(texts(dataset, keyword)), "")


def octets(dataset: Dataset, keyword: str) -> bytes:
    """Return the value of *keyword* as it was sent, without padding; empty where there is none, or it was decoded."""
    value = _value(dataset, keyword)
    return value.strip(b" \0") if isinstance(value, bytes) else b""


def _value(dataset: Dataset, keyword: str) -> object:
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return None
    element = dataset.get_item(tag)
    return element.value if isinstance(element, RawDataElement) else getattr(element, "value", None)

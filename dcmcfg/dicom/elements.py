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
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return ()
    element = dataset.get_item(tag)
    value = element.value if isinstance(element, RawDataElement) else getattr(element, "value", None)
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


def comment(status: Dataset) -> str:
    """Return the Error Comment (0000,0902) of a response; ``""`` when there is none."""
    return text(status, "ErrorComment")

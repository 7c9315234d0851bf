"""What the archive's own web form says of an attribute: its name there, the values offered, the default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dcmcfg.schema_names import DICOM_PRIMARY_DEVICE_TYPE

#: Attributes whose list in the form is open: it grows with releases, and stock data holds other values.
EXTENSIBLE_ATTRIBUTES = frozenset({"dcmuiAction", DICOM_PRIMARY_DEVICE_TYPE})


@dataclass(frozen=True, kw_only=True)
class FormField:
    """A field of the form.

    ``values`` are those it offers (none: any), ``default`` what it fills in, ``format`` its own word for the kind of
    value, ``minimum`` and ``maximum`` the bounds of a number.
    """

    label: str
    values: tuple[str, ...] = ()
    default: tuple[str, ...] = ()
    format: str = ""
    minimum: int | None = None
    maximum: int | None = None


@cache
def get_form_fields(attribute: str) -> Mapping[str, FormField]:
    """Return the form's fields for *attribute* (a name as the schema spells it) by object class; may be empty."""
    return {name: _build_field(fact) for name, fact in _read_form().get(attribute, {}).items()}


@cache
def _read_form() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return what the file holds; only commands that ask pay for reading it."""
    facts: Mapping[str, Mapping[str, Mapping[str, Any]]]
    facts = json.loads(resources.files(__package__).joinpath("ui.json").read_bytes())
    return facts


def _build_field(fact: Mapping[str, Any]) -> FormField:
    return FormField(
        label=fact.get("label", ""),
        values=tuple(fact.get("values", ())),
        default=tuple(fact.get("default", ())),
        format=fact.get("format", ""),
        minimum=fact.get("minimum"),
        maximum=fact.get("maximum"),
    )

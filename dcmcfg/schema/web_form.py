"""The fields of the archive's web form for attributes: label, offered values, default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dcmcfg.schema_names import DICOM_PRIMARY_DEVICE_TYPE

#: Attributes with an open list in the form: it grows with releases, and the stock configuration has other values.
EXTENSIBLE_ATTRIBUTES = frozenset({"dcmuiAction", DICOM_PRIMARY_DEVICE_TYPE})


@dataclass(frozen=True, kw_only=True)
class FormField:
    """A field of the web form.

    ``values`` are the offered values (empty: any value), ``default`` is the preset, ``format`` is the form's name for
    the kind of value, ``minimum`` and ``maximum`` are the bounds of a number.
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
    """Return the file's content. Reading is lazy: most commands do not need it."""
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

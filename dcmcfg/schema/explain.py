"""Explain an attribute: its definition in the schema and its field in the archive's web form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.errors import NotFound
from dcmcfg.schema.archive_values import get_value_kinds
from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema
from dcmcfg.schema.formats import AE_TITLE, holds_ae_titles
from dcmcfg.schema.structure import add_superiors
from dcmcfg.schema.value_kinds.catalogue import ENUMERATION_NAME
from dcmcfg.schema.web_form import FormField, get_form_fields
from dcmcfg.suggestions import ATTRIBUTE_SIMILARITY, suggest_names


@dataclass(frozen=True, kw_only=True)
class AttributeUse:
    """The use of an attribute on an object class, with its field in the web form (None if the form has no field).

    ``format`` describes the archive's value format, ``values`` are the values that the form offers. With ``enforced``,
    the archive refuses all other values.
    """

    object_class: str
    required: bool
    field: FormField | None
    format: str
    values: tuple[str, ...]
    enforced: bool


@dataclass(frozen=True)
class Explanation:
    """An attribute type with its uses, ordered by the name of the object class."""

    attribute: AttributeType
    uses: tuple[AttributeUse, ...]


def explain_attribute(schema: Schema, name: str, object_class: str | None = None) -> Explanation:
    """Return the explanation of attribute *name*; with *object_class*, of its use on that object class only.

    Raises :class:`NotFound` for an attribute or class that *schema* does not know, with similar names, and for a class
    that does not allow the attribute, with the classes that do.
    """
    attribute = get_attribute_type(schema, name)
    uses = tuple(sorted(_find_uses(schema, attribute), key=lambda use: use.object_class.lower()))
    if object_class is None:
        return Explanation(attribute, uses)
    requested = schema.object_class(object_class)
    if requested is None:
        similar = suggest_names(
            object_class, (each.name for each in schema.object_classes), min_similarity=ATTRIBUTE_SIMILARITY
        )
        raise NotFound(f"unknown object class {object_class}", next_step=_format_suggestions(similar))
    # A class allows the attributes of its superiors too, and the uses name the class that defines them.
    superiors = {each.name for each in add_superiors(schema, [requested])}
    matching = tuple(use for use in uses if use.object_class in superiors)
    if not matching:
        classes = ", ".join(use.object_class for use in uses) or "none"
        raise NotFound(
            f"{requested.name} does not allow {attribute.name}", next_step=f"object classes that allow it: {classes}"
        )
    return Explanation(attribute, matching)


def get_attribute_type(schema: Schema, name: str) -> AttributeType:
    """Return the attribute type *name* (options ignored); raises :class:`NotFound` with similar names."""
    attribute = schema.attribute(name)
    if attribute is None:
        similar = suggest_names(name, (each.name for each in schema.attributes), min_similarity=ATTRIBUTE_SIMILARITY)
        raise NotFound(f"unknown attribute {name}", next_step=_format_suggestions(similar))
    return attribute


def _find_uses(schema: Schema, attribute: AttributeType) -> Iterator[AttributeUse]:
    fields = get_form_fields(attribute.name)
    for object_class in schema.object_classes:
        if attribute.name.lower() in _lower((*object_class.must, *object_class.may)):
            yield _build_use(attribute.name, object_class, fields.get(object_class.name))


def _build_use(name: str, object_class: ObjectClass, field: FormField | None) -> AttributeUse:
    kind = get_value_kinds(name).get(object_class.name)
    # The archive's enumeration takes precedence over the web form's list: Enum.valueOf refuses all other values.
    enforced = kind is not None and kind.name == ENUMERATION_NAME
    value_kind = kind or (AE_TITLE if holds_ae_titles(name, field.format if field else "") else None)
    return AttributeUse(
        object_class=object_class.name,
        required=name.lower() in _lower(object_class.must),
        field=field,
        format="" if value_kind is None or enforced else value_kind.description,
        values=tuple(filter(None, kind.constants))
        if kind is not None and enforced
        else (field.values if field else ()),
        enforced=enforced,
    )


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _format_suggestions(similar: tuple[str, ...]) -> str:
    return f"did you mean {', '.join(similar)}?" if similar else ""

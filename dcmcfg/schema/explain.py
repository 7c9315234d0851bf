"""What is known of an attribute: its place in the schema with what the archive's web form says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.errors import NotFound
from dcmcfg.schema.archive_values import value_kinds
from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema
from dcmcfg.schema.formats import AE_TITLE, holds_ae_titles
from dcmcfg.schema.structure import with_superiors
from dcmcfg.schema.value_kinds.catalogue import ENUMERATION
from dcmcfg.schema.web_form import FormField, form_fields
from dcmcfg.suggestions import LIKE_ATTRIBUTES, near_misses


@dataclass(frozen=True)
class Use:
    """An object class that an attribute stands on, and the form's field for it there (None: it has none).

    ``format`` is the archive's value format in words, ``values`` those that the form offers; ``enforced`` says that
    the archive refuses any other.
    """

    object_class: str
    required: bool
    field: FormField | None
    format: str
    values: tuple[str, ...]
    enforced: bool


@dataclass(frozen=True)
class Explanation:
    """An attribute type with the classes it stands on, in the order of their names."""

    attribute: AttributeType
    uses: tuple[Use, ...]


def explain(schema: Schema, name: str, on: str | None = None) -> Explanation:
    """Return what is known of attribute *name*; with *on*, of its use on that object class only.

    Raises :class:`NotFound` for an attribute or class that *schema* does not know, with near misses, and for a class
    that does not allow the attribute, with those that do.
    """
    attribute = known_attribute(schema, name)
    uses = tuple(sorted(_uses(schema, attribute), key=lambda use: use.object_class.lower()))
    if on is None:
        return Explanation(attribute, uses)
    asked = schema.object_class(on)
    if asked is None:
        near = near_misses(on, (each.name for each in schema.object_classes), likeness=LIKE_ATTRIBUTES)
        raise NotFound(f"no object class {on} is known", next_step=_near(near))
    above = {each.name for each in with_superiors(schema, [asked])}
    fitting = tuple(use for use in uses if use.object_class in above)
    if not fitting:
        classes = ", ".join(use.object_class for use in uses) or "no object class"
        raise NotFound(f"{asked.name} does not allow {attribute.name}", next_step=f"it is allowed on: {classes}")
    return Explanation(attribute, fitting)


def known_attribute(schema: Schema, name: str) -> AttributeType:
    """Return the attribute type *name* (options ignored); raises :class:`NotFound` with near misses."""
    attribute = schema.attribute(name)
    if attribute is None:
        near = near_misses(name, (each.name for each in schema.attributes), likeness=LIKE_ATTRIBUTES)
        raise NotFound(f"no attribute {name} is known", next_step=_near(near))
    return attribute


def _uses(schema: Schema, attribute: AttributeType) -> Iterator[Use]:
    fields = form_fields(attribute.name)
    for known in schema.object_classes:
        if attribute.name.lower() in _lower((*known.must, *known.may)):
            yield _use(attribute.name, known, fields.get(known.name))


def _use(name: str, known: ObjectClass, field: FormField | None) -> Use:
    kind = value_kinds(name).get(known.name)
    enforced = kind is not None and kind.name == ENUMERATION
    read = kind or (AE_TITLE if holds_ae_titles(name, field.format if field else "") else None)
    return Use(
        known.name,
        name.lower() in _lower(known.must),
        field,
        "" if read is None or enforced else read.in_words,
        tuple(filter(None, kind.constants)) if kind is not None and enforced else (field.values if field else ()),
        enforced,
    )


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _near(near: tuple[str, ...]) -> str:
    return f"near misses: {', '.join(near)}" if near else ""

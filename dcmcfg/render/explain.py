"""Render the explanation of an attribute as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.model.effective_settings import AESetting, AttributeOccurrence, AttributeUsage
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.effect_timing import effect_timing_json, print_effect_timing
from dcmcfg.render.terminal.cells import SECRET_PLACEHOLDER
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.schema.explain import AttributeUse, Explanation
from dcmcfg.schema.syntaxes import describe_syntax
from dcmcfg.secret_values import is_secret

_MAX_VALUE_LENGTH = 200
_EQUALITY = {
    "caseExactIA5Match": "case-sensitive, extra spaces ignored",
    "caseExactMatch": "case-sensitive, extra spaces ignored",
    "caseIgnoreIA5Match": "case-insensitive, extra spaces ignored",
    "caseIgnoreMatch": "case-insensitive, extra spaces ignored",
    "distinguishedNameMatch": "as DNs",
    "octetStringMatch": "octet by octet",
}
_COLUMNS = (
    Column("Object class"),
    Column(""),
    Column("Allowed values", WrapMode.AT_SPACES),
    Column("Default", WrapMode.AUTO),
)
_BOOLEAN = "Boolean"  # RFC 4517 §3.3.3
_NO_EQUALITY = "single values cannot be removed or replaced; replace all values together"


def print_explanation(
    console: Console, explanation: Explanation, usage: AttributeUsage | None, skip_reason: str
) -> None:
    """Print *explanation* of an attribute, then its *usage*, or *skip_reason* if the usage was not looked up."""
    attribute = explanation.attribute
    print_line(console, escape_unprintable(f"{attribute.name} ({attribute.oid})"))
    names = dict.fromkeys(use.field.label for use in explanation.uses if use.field and use.field.label)
    server_rows = [("Description", attribute.description)] if attribute.description else []
    for heading, text in (
        *server_rows,
        ("Web form label", ", ".join(names) or "(none)"),
        ("Syntax", f"{describe_syntax(attribute.syntax)} ({attribute.syntax})"),
        ("Matching", _describe_equality(attribute.equality_rule)),
        ("Cardinality", "one" if attribute.single_valued else "any number"),
    ):
        print_line(console, f"  {heading + ':':<16}{escape_unprintable(text)}")
    print_table(console, _COLUMNS, list(_build_use_rows(explanation)))
    print_effect_timing(console, attribute.name)
    if usage is None:
        print_line(console, f"Current values were not looked up: {escape_unprintable(skip_reason)}.")
        return
    _print_usage(console, usage, attribute.name)


def explanation_json(explanation: Explanation, usage: AttributeUsage | None, skip_reason: str) -> dict[str, Any]:
    """Return *explanation* for ``--json``: the attribute, ``object_classes`` by name, ``effect_timing``, and its usage.

    ``entries`` and ``effective_values`` are null, with *skip_reason*, if no directory was queried. The value of a
    secret is null, and ``secret`` beside it is true.
    """
    attribute = explanation.attribute
    return {
        "attribute": attribute.name,
        "oid": attribute.oid,
        "description": attribute.description or None,
        "syntax": attribute.syntax,
        "equality": attribute.equality_rule,
        "single_valued": attribute.single_valued,
        "object_classes": {each.object_class: _object_class_json(each) for each in explanation.uses},
        **effect_timing_json(attribute.name),
        "entries": None if usage is None else [_entry_json(attribute.name, each) for each in usage.occurrences],
        "effective_values": None if usage is None else [_effective_json(each) for each in usage.effective_settings],
        "skip_reason": skip_reason or None,
    }


def _describe_equality(equality: str | None) -> str:
    return _EQUALITY.get(equality, "by meaning") if equality else _NO_EQUALITY


def _build_use_rows(explanation: Explanation) -> Iterator[tuple[str, ...]]:
    for use in explanation.uses:
        default = ", ".join(use.field.default) if use.field else ""
        allowed_values = _describe_allowed_values(use, explanation.attribute.syntax)
        yield escape_unprintable(use.object_class), "must" if use.required else "may", allowed_values, default


def _describe_allowed_values(use: AttributeUse, syntax: str) -> str:
    if use.values:
        return ("only " if use.enforced else "the web form offers ") + ", ".join(use.values)
    if use.field and (use.field.minimum is not None or use.field.maximum is not None):
        low, high = use.field.minimum, use.field.maximum
        range_text = (
            f"the web form accepts values from {low if low is not None else '(no minimum)'} "
            f"to {high if high is not None else '(no maximum)'}"
        )
        return f"{use.format}; {range_text}" if use.format else range_text
    return use.format or ("TRUE, FALSE" if syntax == _BOOLEAN else "(any)")


def _print_usage(console: Console, usage: AttributeUsage, name: str) -> None:
    if usage.occurrences:
        print_line(console, "Set on:")
    else:
        print_line(console, "Not set on any entry.")
    for occurrence in usage.occurrences:
        print_line(console, f"  {escape_unprintable(str(occurrence.dn))}")
        for value in occurrence.values:
            print_line(console, f"    {_format_value(name, value)}")
    if usage.effective_settings:
        print_line(console, "Effective values (the value of an AE overrides the value of its device):")
    for each in usage.effective_settings:
        values = ", ".join(_format_value(name, value.encode()) for value in each.setting.values)
        value_text = f"{values} (from the {each.setting.level})" if values else "(not set)"
        print_line(console, f"  {escape_unprintable(each.device)}/{escape_unprintable(each.ae_title)}: {value_text}")


def _format_value(name: str, value: bytes) -> str:
    text = _get_value_text(name, value)
    return escape_unprintable(
        text if len(text) <= _MAX_VALUE_LENGTH else f"{text[:_MAX_VALUE_LENGTH]}… ({len(value)} octets)"
    )


def _get_value_text(name: str, value: bytes) -> str:
    return SECRET_PLACEHOLDER if is_secret(name, value) else value.decode("utf-8", "backslashreplace")


def _object_class_json(use: AttributeUse) -> dict[str, Any]:
    field = use.field
    return {
        "required": use.required,
        "label": field.label if field else None,
        "values": list(use.values),
        "enforced": use.enforced,
        "default": list(field.default) if field else [],
        "minimum": field.minimum if field else None,
        "maximum": field.maximum if field else None,
        "format": use.format or None,
    }


def _entry_json(name: str, occurrence: AttributeOccurrence) -> dict[str, Any]:
    return {"dn": str(occurrence.dn), **_values_json(name, occurrence.values)}


def _values_json(name: str, values: Sequence[bytes]) -> dict[str, Any]:
    return {
        "values": [None if is_secret(name, value) else _get_value_text(name, value) for value in values],
        "secret": any(is_secret(name, value) for value in values),
    }


def _effective_json(setting: AESetting) -> dict[str, Any]:
    return {
        "device": setting.device,
        "ae_title": setting.ae_title,
        **_values_json(setting.setting.name, [value.encode() for value in setting.setting.values]),
        "level": setting.setting.level or None,
    }

"""What is known of an attribute as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from dcmcfg.model.effective_settings import Effective, Held, InUse
from dcmcfg.render.taking_effect import print_taking_effect, taking_effect_json
from dcmcfg.render.terminal.cells import SECRET
from dcmcfg.render.terminal.console import print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table
from dcmcfg.schema.explain import Explanation, Use
from dcmcfg.schema.syntaxes import in_words
from dcmcfg.secret_values import is_secret

_SHOWN_VALUE = 200
_EQUALITY = {
    "caseExactIA5Match": "case counts, surplus blanks do not",
    "caseExactMatch": "case counts, surplus blanks do not",
    "caseIgnoreIA5Match": "neither case nor surplus blanks count",
    "caseIgnoreMatch": "neither case nor surplus blanks count",
    "distinguishedNameMatch": "as the names that they are",
    "octetStringMatch": "octet by octet",
}
_COLUMNS = (
    Column("object class"),
    Column(""),
    Column("allowed values", Breaks.AT_BLANKS),
    Column("default", Breaks.AS_VALUE),
)
_BOOLEAN = "Boolean"  # RFC 4517 §3.3.3
_NO_EQUALITY = "not at all: values can only be replaced as a whole"


def print_explanation(console: Console, known: Explanation, use: InUse | None, not_looked: str) -> None:
    """Print what is *known* of an attribute, then where it is in *use*, or why nobody looked."""
    attribute = known.attribute
    print_line(console, visible(f"{attribute.name} ({attribute.oid})"))
    names = dict.fromkeys(use.field.label for use in known.uses if use.field and use.field.label)
    server = [("the server says", attribute.description)] if attribute.description else []
    for word, text in (
        *server,
        ("in the web form", ", ".join(names) or "(not there)"),
        ("a value is", f"{in_words(attribute.syntax)} ({attribute.syntax})"),
        ("values compare", _compared(attribute.equality)),
        ("values", "one" if attribute.single_valued else "any number"),
    ):
        print_line(console, f"  {word + ':':<17}{visible(text)}")
    print_table(console, _COLUMNS, list(_uses(known)))
    print_taking_effect(console, attribute.name)
    if use is None:
        print_line(console, f"Where it is set was not looked up: {visible(not_looked)}.")
        return
    _print_use(console, use, attribute.name)


def explanation_json(known: Explanation, use: InUse | None, not_looked: str) -> dict[str, Any]:
    """Return it for ``--json``: the attribute, ``classes`` by name, ``takes_effect``, ``set`` and ``effective``.

    ``set`` is null, with the reason in ``not_looked``, when no directory was asked; a secret's value is ``(secret)``.
    """
    attribute = known.attribute
    return {
        "attribute": attribute.name,
        "oid": attribute.oid,
        "description": attribute.description or None,
        "syntax": attribute.syntax,
        "equality": attribute.equality,
        "single_valued": attribute.single_valued,
        "classes": {each.object_class: _use_json(each) for each in known.uses},
        **taking_effect_json(attribute.name),
        "set": None if use is None else [_held_json(attribute.name, each) for each in use.held],
        "effective": None if use is None else [_effective_json(each) for each in use.effective],
        "not_looked": not_looked or None,
    }


def _compared(equality: str | None) -> str:
    return _EQUALITY.get(equality, "as what they mean") if equality else _NO_EQUALITY


def _uses(known: Explanation) -> Iterator[tuple[str, ...]]:
    for use in known.uses:
        default = ", ".join(use.field.default) if use.field else ""
        allowed = _allowed(use, known.attribute.syntax)
        yield visible(use.object_class), "must" if use.required else "may", allowed, default


def _allowed(use: Use, syntax: str) -> str:
    if use.values:
        return ("only " if use.enforced else "the form offers ") + ", ".join(use.values)
    if use.field and (use.field.minimum is not None or use.field.maximum is not None):
        low, high = use.field.minimum, use.field.maximum
        taken = f"the form takes {low if low is not None else '…'} to {high if high is not None else '…'}"
        return f"{use.format}; {taken}" if use.format else taken
    return use.format or ("TRUE, FALSE" if syntax == _BOOLEAN else "(any)")


def _print_use(console: Console, use: InUse, name: str) -> None:
    if use.held:
        print_line(console, "Set on:")
    else:
        print_line(console, "It is set nowhere.")
    for held in use.held:
        print_line(console, f"  {visible(str(held.dn))}")
        for value in held.values:
            print_line(console, f"    {_shown(name, value)}")
    if use.effective:
        print_line(console, "What counts, since an AE's own value wins over its device's:")
    for each in use.effective:
        values = ", ".join(_shown(name, value.encode()) for value in each.setting.values)
        what = f"{values} (from the {each.setting.level})" if values else "(not set)"
        print_line(console, f"  {visible(each.device)}/{visible(each.title)}: {what}")


def _shown(name: str, value: bytes) -> str:
    text = _value(name, value)
    return visible(text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}… ({len(value)} octets)")


def _value(name: str, value: bytes) -> str:
    return SECRET if is_secret(name, value) else value.decode("utf-8", "backslashreplace")


def _use_json(use: Use) -> dict[str, Any]:
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


def _held_json(name: str, held: Held) -> dict[str, Any]:
    return {"dn": str(held.dn), "values": [_value(name, value) for value in held.values]}


def _effective_json(each: Effective) -> dict[str, Any]:
    name = each.setting.name
    return {
        "device": each.device,
        "ae": each.title,
        "values": [_value(name, value.encode()) for value in each.setting.values],
        "from": each.setting.level or None,
    }

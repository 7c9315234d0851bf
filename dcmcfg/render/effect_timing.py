"""Render the time when a change of an attribute takes effect, and the archive's behaviour, as text and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.render.terminal.console import print_line, wrap_text
from dcmcfg.schema.effect_timing import describe_behaviour, find_all_effect_timings

_INDENT = 2


def print_effect_timing(console: Console, attribute: str) -> None:
    """Print the effect timing of *attribute*; nothing if the archive does not read it and nothing else is known."""
    blocks = {
        "Takes effect:": [f"on {each.affected_entries}: {each.timing}." for each in find_all_effect_timings(attribute)],
        "Archive behaviour:": list(describe_behaviour(attribute)),
    }
    for heading, paragraphs in blocks.items():
        if not paragraphs:
            continue
        print_line(console, heading)
        for paragraph in paragraphs:
            for line in wrap_text(Text(paragraph), console, _INDENT):
                line.rstrip()
                console.print(Text.assemble(" " * _INDENT, line), soft_wrap=True)
        print_line(console, "")


def effect_timing_json(attribute: str) -> dict[str, Any]:
    """Return for ``--json`` the actions that a change of *attribute* requires, and the archive's behaviour."""
    return {
        "effect_timing": [
            {
                "affected_entries": each.affected_entries,
                "required_action": each.required_action.value,
                "timing": each.timing,
            }
            for each in find_all_effect_timings(attribute)
        ],
        "behaviour": list(describe_behaviour(attribute)),
    }

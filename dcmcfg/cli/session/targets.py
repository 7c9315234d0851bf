"""The target of a command, with a note if it can be mistaken. Kept apart: only some commands have a target."""

from __future__ import annotations

from dcmcfg.cli.printing import print_message
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target, describe_ae_with_title, resolve_target


def resolve_target_with_note(configuration: Configuration, text: str) -> Target:
    """Return the target that *text* names, as :func:`resolve_target` does.

    If it is a device, and an AE has the title *text*, a note on standard error says so.
    """
    found = resolve_target(configuration, text)
    if note := describe_ae_with_title(configuration, text, found):
        print_message(f"note: {note}")
    return found

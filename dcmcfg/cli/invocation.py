"""What one run of the program keeps from the group to its end."""

from __future__ import annotations

from dataclasses import dataclass, field

import click


@dataclass
class Invocation:
    """One run of the program.

    ``site`` holds the site options given before the command, by name. ``writing`` is true from the first request
    that may change something: a failure that nobody foresaw is exit code 4 from there on, and 3 before.
    """

    site: dict[str, str] = field(default_factory=dict)
    writing: bool = False


def current() -> Invocation:
    """Return the run that the calling command belongs to; only valid while a command runs."""
    return click.get_current_context().ensure_object(Invocation)

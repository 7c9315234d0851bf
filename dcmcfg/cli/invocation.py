"""What one run of the program keeps from the group to its end."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

import click

_NAMED = (
    "apply|check|diff|explain|export-ldif|history|reload|restore|set-external-retrieve|show|snapshot|status|undo|verify"
)
_COMMAND = re.compile(rf"\bdcmcfg (?=(?:{_NAMED})\b)")


@dataclass
class Invocation:
    """One run of the program.

    ``site`` holds the site options given before the command, by name; once it runs, those after it too. ``writing``
    is true from the first request that may change something: a failure that nobody foresaw is exit code 4 from there
    on, and 3 before. ``words`` are the arguments that the program was called with.
    """

    words: tuple[str, ...] = ()

    site: dict[str, str] = field(default_factory=dict)
    writing: bool = False

    @property
    def command_line(self) -> str:
        """What was called, as one would type it into a shell."""
        return shlex.join(("dcmcfg", *self.words))

    def spoken(self, text: str) -> str:
        """Return *text* with the site options of this run in each command line that it tells the user to type."""
        options = "".join(f"{_option(name, value)} " for name, value in self.site.items())
        return _COMMAND.sub(lambda _: f"dcmcfg {options}", text)


def _option(name: str, value: str) -> str:
    option = f"--{name.replace('_', '-')}"
    return option if name == "starttls" else f"{option} {shlex.quote(value)}"


def current() -> Invocation:
    """Return the run that the calling command belongs to; only valid while a command runs."""
    return click.get_current_context().ensure_object(Invocation)

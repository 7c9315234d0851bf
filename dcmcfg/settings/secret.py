"""A secret that is known by where it is kept until it is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dcmcfg.errors import MalformedInput, NotFound


@dataclass(frozen=True)
class Secret:
    """A password or token: in the file *path*, else *text*. Its text is in no ``repr``."""

    origin: str
    path: Path | None = None
    text: str = field(default="", repr=False)

    def read(self) -> str:
        """Return the secret; of a file, its one line without the line end.

        Raises :class:`NotFound` when the file is missing, :class:`MalformedInput` when it cannot be read as one
        line of UTF-8 text, or is empty.
        """
        if self.path is None:
            return self.text
        try:
            content = self.path.read_text("utf-8")
        except FileNotFoundError:
            raise NotFound(f"there is no such file (named by {self.origin})", on=str(self.path)) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise MalformedInput(
                f"the secret cannot be read: {reason} (named by {self.origin})", on=str(self.path)
            ) from None
        lines = content.splitlines()
        if len(lines) != 1 or not lines[0]:
            held = "nothing" if not content.strip() else f"{len(lines)} lines"
            raise MalformedInput(f"the file should hold one line, the secret, and holds {held}", on=str(self.path))
        return lines[0]

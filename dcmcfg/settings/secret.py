"""A secret, represented by its location and read only when it is used."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.settings.keychain import read_keychain_secret


@dataclass(frozen=True)
class Secret:
    """A password or token: in the file ``path``, in the keychain for ``user`` of ``service``, or as ``text``.

    ``repr`` never contains the text.
    """

    origin: str
    path: Path | None = None
    _: KW_ONLY
    text: str = field(default="", repr=False)
    service: str = ""
    user: str = ""

    def for_user(self, user: str) -> Secret:
        """Return this secret for *user*, which a keychain lookup requires."""
        return replace(self, user=user)

    def read(self) -> str:
        """Return the secret; from a file, its only line without the line end.

        Raises :class:`NotFound` if the file or the keychain item is missing, :class:`MalformedInput` if the secret is
        not UTF-8 text or the file does not have exactly one line, and the errors of :func:`read_keychain_secret`.
        """
        if self.service:
            return read_keychain_secret(self.service, self.user, self.origin)
        if self.path is not None:
            return _read_single_line(self.path, self.origin)
        if not _is_utf_8(self.text):
            raise MalformedInput("cannot read the secret: not UTF-8 text", subject=self.origin)
        return self.text


def _read_single_line(path: Path, origin: str) -> str:
    try:
        content = path.read_text("utf-8")
    except FileNotFoundError:
        next_step = "to start the lab: dcmcfg lab up" if origin == "profile lab" else ""
        raise NotFound(
            f"the file does not exist (specified by {origin})", subject=str(path), next_step=next_step
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise MalformedInput(f"cannot read the secret that {origin} specifies: {reason}", subject=str(path)) from None
    lines = content.splitlines()
    if len(lines) != 1 or not lines[0]:
        content_text = "nothing" if not content.strip() else f"{len(lines)} lines"
        raise MalformedInput(
            f"the file must contain only the secret, on one line, but the file contains {content_text}",
            subject=str(path),
        )
    return lines[0]


def _is_utf_8(text: str) -> bool:
    """Return whether *text* is valid; invalid octets in an environment variable appear as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)

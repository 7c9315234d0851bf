"""A secret that is known by where it is kept until it is needed."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.settings.keychain import read_keychain_secret


@dataclass(frozen=True)
class Secret:
    """A password or token: in the file ``path``, in the keychain for ``user`` of ``service``, else ``text``.

    Its text is in no ``repr``.
    """

    origin: str
    path: Path | None = None
    _: KW_ONLY
    text: str = field(default="", repr=False)
    service: str = ""
    user: str = ""

    def for_user(self, user: str) -> Secret:
        """Return this secret as that of *user*, by whom a keychain finds it."""
        return replace(self, user=user)

    def read(self) -> str:
        """Return the secret; of a file, its one line without the line end.

        Raises :class:`NotFound` when the file is missing or the keychain keeps nothing, :class:`MalformedInput` when
        it is not UTF-8 text, or the file not one line of it, and what :func:`read_keychain_secret` raises.
        """
        if self.service:
            return read_keychain_secret(self.service, self.user, self.origin)
        if self.path is not None:
            return _read_single_line(self.path, self.origin)
        if not _is_utf_8(self.text):
            raise MalformedInput("the secret cannot be read: not UTF-8 text", subject=self.origin)
        return self.text


def _read_single_line(path: Path, origin: str) -> str:
    try:
        content = path.read_text("utf-8")
    except FileNotFoundError:
        next_step = "if this is the lab's profile: dcmcfg lab up starts the lab" if origin == "profile lab" else ""
        raise NotFound(f"there is no such file (named by {origin})", subject=str(path), next_step=next_step) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise MalformedInput(f"the secret cannot be read: {reason} (named by {origin})", subject=str(path)) from None
    lines = content.splitlines()
    if len(lines) != 1 or not lines[0]:
        content_text = "nothing" if not content.strip() else f"{len(lines)} lines"
        raise MalformedInput(f"the file should hold one line, the secret, and holds {content_text}", subject=str(path))
    return lines[0]


def _is_utf_8(text: str) -> bool:
    """Tell whether *text*, from the environment maybe, stands for UTF-8: other octets come as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)

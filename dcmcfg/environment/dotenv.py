"""Read ``.env`` files, in the syntax of Docker Compose: ``NAME=VALUE`` on each line, with quotes and comments."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dcmcfg.environment.container import Variable
from dcmcfg.environment.interpolation import Interpolation
from dcmcfg.errors import DcmcfgError
from dcmcfg.schema.findings import SourceLocation

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:[=:](.*))?", re.DOTALL)
_COMMENT = re.compile(r"\s+#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def read_dotenv(name: str, text: str, outside: Mapping[str, str | None] | None = None) -> dict[str, Variable]:
    """Return the variables of *text*, the file *name*; later lines can use variables of earlier lines and *outside*.

    A name without ``=`` comes from outside. A value with an unknown variable is None. Raises :class:`DcmcfgError` with
    the line of anything else.
    """
    known: dict[str, str | None] = dict(outside or {})
    found: dict[str, Variable] = {}
    lines = text.removeprefix("\ufeff").splitlines()
    number = 0
    while number < len(lines):
        line, first = lines[number], number + 1
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None:
            raise DcmcfgError("expected NAME=VALUE", subject=f"{name}:{first}")
        written = match[2]
        if written is None:
            value = known.get(match[1])
        else:
            written = written.lstrip()
            # A quoted value can have several lines.
            while written[:1] in ('"', "'") and _find_quote(written) < 0 and number < len(lines):
                written = f"{written}\n{lines[number]}"
                number += 1
            value = _read_value(written, known)
        known[match[1]] = value
        found[match[1]] = Variable(match[1], value, SourceLocation(name, first))
    return found


def _read_value(written: str, known: Mapping[str, str | None]) -> str | None:
    end = _find_quote(written)
    if written[:1] == "'" and end > 0:
        return written[1:end]
    if written[:1] == '"' and end > 0:
        return Interpolation(known).replace(_ESCAPE.sub(_unescape, written[1:end]))
    return Interpolation(known).replace(_COMMENT.sub("", f" {written}").strip())


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])


def _find_quote(written: str) -> int:
    """Return the position of the quote that ends *written*, which begins with one; -1 if there is none."""
    quote = written[:1]
    position = 1
    while position < len(written):
        if quote == '"' and written[position] == "\\":
            position += 1
        elif written[position] == quote:
            return position
        position += 1
    return -1

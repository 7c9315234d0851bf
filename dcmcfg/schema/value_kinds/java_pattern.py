"""Format of regular expressions, as ``java.util.regex.Pattern`` compiles them.

A pattern is reported only if Java certainly rejects it.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from dcmcfg.schema.value_kinds.kind import ValueKind

_FLAGS = "cdimsuxU"
_QUANTITY = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{0,9}))?\}", re.ASCII)
_GROUP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*>", re.ASCII)
_INLINE_FLAGS = re.compile(rf"[{_FLAGS}]*(?:-[{_FLAGS}]*)?([:)])", re.ASCII)
#: Letters with a meaning after a backslash. Any other letter is an error; any other character stands for itself.
_ESCAPES_OUTSIDE = frozenset("0123456789AbBcdDefGhHkNnpPQrRsStuvVwWxXzZa")
#: Anchors, back references, ``\R`` and ``\X`` are not allowed in a character class.
_ESCAPES_INSIDE = _ESCAPES_OUTSIDE - frozenset("AbBGkRXzZ123456789")
_LETTERS = frozenset(string.ascii_letters + string.digits)
#: The rest of an escape that is longer than two characters, by its letter.
_LONG_ESCAPES = {
    "p": re.compile(r"\{[^{}]+\}|[A-Z]"),
    "P": re.compile(r"\{[^{}]+\}|[A-Z]"),
    "x": re.compile(r"[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]+\}"),
    "u": re.compile(r"[0-9A-Fa-f]{4}"),
    "0": re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?"),
    "c": re.compile(r".", re.DOTALL),
    "N": re.compile(r"\{[^{}]+\}"),
    "k": re.compile(r"<[^<>]+>"),
}


class _Refused(Exception):
    """Java rejects the pattern; the text is the reason."""


class _Uncertain(Exception):
    """The pattern uses syntax that this module does not parse."""


def find_pattern_problem(text: str) -> str:
    """Return why Java does not compile *text*; empty if it does, or if this is not certain."""
    try:
        _Reader(text).read()
    except _Refused as reason:
        return f"not a regular expression: {reason}"
    # Very deep nesting exceeds Python's stack. Java may still compile the pattern.
    except (_Uncertain, RecursionError):
        return ""
    return ""


def find_negatable_pattern_problem(text: str) -> str:
    """Return why Java does not compile *text*, which may begin with ``!`` (RSForwardRule)."""
    return find_pattern_problem(text.removeprefix("!"))


def _remove_quoting(text: str) -> str:
    r"""Return a pattern without ``\Q…\E`` quoting that is valid exactly if *text* is (Pattern.RemoveQEQuoting)."""
    pieces, position = [], 0
    while position < len(text):
        if text[position : position + 2] == "\\Q":
            end = text.find("\\E", position + 2)
            quoted = text[position + 2 : end if end >= 0 else len(text)]
            pieces += ["a" if character in _LETTERS else f"\\{character}" for character in quoted]
            position = end + 2 if end >= 0 else len(text)
            continue
        length = 2 if text[position] == "\\" else 1
        pieces.append(text[position : position + length])
        position += length
    return "".join(pieces)


@dataclass
class _Reader:
    text: str
    position: int = 0

    def read(self) -> None:
        self.text = _remove_quoting(self.text)
        self._alternatives()
        if self.position < len(self.text):
            raise _Refused("a ) has no matching (")

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _take(self) -> str:
        character = self._peek()
        self.position += 1
        return character

    def _alternatives(self) -> None:
        while True:
            character = self._peek()
            if character in ("", ")"):
                return
            if character == "|":
                self.position += 1
            else:
                self._atom()

    def _atom(self) -> None:
        match self._take():
            case "(":
                if not self._group():
                    return  # flags alone cannot be repeated
            case "[":
                self._character_class()
            case "\\":
                self._escape(_ESCAPES_OUTSIDE)
            case "*" | "+" | "?":
                raise _Refused("there is nothing to repeat before *, + or ? (for any text, use .*)")
            case "{":
                self.position -= 1  # Java repeats the empty text before the brace
            case _:
                pass
        self._quantifier()

    def _quantifier(self) -> None:
        character = self._peek()
        if character in ("*", "+", "?") and character:
            self.position += 1
        elif character == "{":
            quantity = _QUANTITY.match(self.text, self.position)
            if quantity is None:
                raise _Refused("{ and } must contain a number of repetitions, as in {1,3}")
            if quantity[3] and int(quantity[3]) < int(quantity[1]):
                raise _Refused(f"in {quantity[0]}, the second number is less than the first number")
            self.position = quantity.end()
        else:
            return
        if self._peek() in ("?", "+") and self._peek():
            self.position += 1

    def _group(self) -> bool:
        """Read the rest of a group; return whether a quantifier may follow."""
        if self._peek() == "?":
            self.position += 1
            character = self._peek()
            rest = self.text[self.position :]
            if character in (":", "=", "!", ">") and character:
                self.position += 1
            elif rest.startswith(("<=", "<!")):
                self.position += 2  # Java limits the content of a look-behind; this check ignores these limits
            elif character == "<":
                name = _GROUP_NAME.match(self.text, self.position + 1)
                if name is None:
                    raise _Refused("a group name must consist of letters and digits")
                self.position = name.end()
            else:
                flags = _INLINE_FLAGS.match(self.text, self.position)
                if flags is None:
                    raise _Refused("unknown characters after (?")
                if "x" in flags[0]:
                    raise _Uncertain  # Java ignores blanks and comments from here on
                self.position = flags.end()
                if flags[1] == ")":
                    return False
        self._alternatives()
        if self._take() != ")":
            raise _Refused("a ( is not closed")
        return True

    def _escape(self, known: frozenset[str]) -> None:
        character = self._take()
        if not character:
            raise _Refused("the pattern ends with a single backslash")
        if character in _LETTERS and character not in known:
            raise _Refused(f"unknown escape \\{character}")
        if character in _LONG_ESCAPES:
            # Properties, codes and names have rules of their own. Only their end is determined here.
            end = _LONG_ESCAPES[character].match(self.text, self.position)
            if end is None:
                raise _Uncertain
            self.position = end.end()

    def _character_class(self) -> None:
        if self._peek() == "^":
            self.position += 1
        first = True
        low = ""
        while True:
            character = self._take()
            if not character:
                raise _Refused("a [ is not closed")
            # A ``]`` in first place stands for itself.
            if character == "]" and not first:
                return
            if character == "[":
                self._character_class()
                low = ""
            elif character == "\\":
                self._escape(_ESCAPES_INSIDE)
                low = ""
            elif character == "&" and self._peek() == "&":
                self.position += 1
                low = ""
            elif character == "-" and low and self._peek() not in ("]", "[", "\\", ""):
                high = self._take()
                if high < low:
                    raise _Refused("a range in [ and ] is in reverse order, such as [z-a]")
                low = ""
            else:
                low = character
            first = False


PATTERN = ValueKind("pattern", "a regular expression (Java)", find_pattern_problem)
NEGATABLE_PATTERN = ValueKind(
    "negatable-pattern",
    "a Java regular expression; a ! at the start negates the expression",
    find_negatable_pattern_problem,
)

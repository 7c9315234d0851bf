"""Regular expressions as ``java.util.regex.Pattern`` compiles them.

Nothing is said against a pattern unless Java certainly refuses it.
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
#: Letters that have a meaning after a backslash; any other letter is an error, any other character stands for itself.
_ESCAPES_OUTSIDE = frozenset("0123456789AbBcdDefGhHkNnpPQrRsStuvVwWxXzZa")
_ESCAPES_INSIDE = _ESCAPES_OUTSIDE - frozenset("AbBGkRXzZ123456789")
_LETTERS = frozenset(string.ascii_letters + string.digits)


class _Refused(Exception):
    """Java refuses the pattern, for the reason that the text names."""


class _Uncertain(Exception):
    """The pattern uses what is not followed here."""


def pattern_problem(text: str) -> str:
    """Return why Java does not compile *text*; empty where it does, or where that is not certain."""
    try:
        _Reader(text).read()
    except _Refused as reason:
        return f"not a regular expression: {reason}"
    except (_Uncertain, RecursionError):
        return ""
    return ""


def negatable_pattern_problem(text: str) -> str:
    """Return why Java does not compile *text*, which may begin with ``!`` (RSForwardRule)."""
    return pattern_problem(text.removeprefix("!"))


@dataclass
class _Reader:
    text: str
    at: int = 0

    def read(self) -> None:
        if "(?x" in self.text or re.search(rf"\(\?[{_FLAGS}]*x", self.text) or "\\Q" in self.text:
            raise _Uncertain
        self._alternatives()
        if self.at < len(self.text):
            raise _Refused("a ) has no (")

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        character = self._peek()
        self.at += 1
        return character

    def _alternatives(self) -> None:
        while True:
            character = self._peek()
            if character in ("", ")"):
                return
            if character == "|":
                self.at += 1
            else:
                self._atom()

    def _atom(self) -> None:
        match self._take():
            case "(":
                if not self._group():
                    return  # flags alone: nothing to repeat
            case "[":
                self._character_class()
            case "\\":
                self._escape(_ESCAPES_OUTSIDE)
            case "*" | "+" | "?":
                raise _Refused("*, + or ? has nothing to repeat (any text is .*)")
            case "{":
                self.at -= 1  # Java repeats the empty text before it
            case _:
                pass
        self._quantifier()

    def _quantifier(self) -> None:
        character = self._peek()
        if character in ("*", "+", "?") and character:
            self.at += 1
        elif character == "{":
            quantity = _QUANTITY.match(self.text, self.at)
            if quantity is None:
                raise _Refused("{ and } hold no number of repetitions, as in {1,3}")
            if quantity[3] and int(quantity[3]) < int(quantity[1]):
                raise _Refused("in {m,n} n is less than m")
            self.at = quantity.end()
        else:
            return
        if self._peek() in ("?", "+") and self._peek():
            self.at += 1

    def _group(self) -> bool:
        """Read the rest of a group; return whether it can be repeated."""
        if self._peek() == "?":
            self.at += 1
            character = self._peek()
            rest = self.text[self.at :]
            if character in (":", "=", "!", ">") and character:
                self.at += 1
            elif rest.startswith(("<=", "<!")):
                raise _Uncertain  # Java limits what may stand in a look-behind
            elif character == "<":
                name = _GROUP_NAME.match(self.text, self.at + 1)
                if name is None:
                    raise _Refused("the name of a group has letters and digits only")
                self.at = name.end()
            else:
                flags = _INLINE_FLAGS.match(self.text, self.at)
                if flags is None:
                    raise _Refused("after (? something unknown follows")
                self.at = flags.end()
                if flags[1] == ")":
                    return False
        self._alternatives()
        if self._take() != ")":
            raise _Refused("a ( is not closed")
        return True

    def _escape(self, known: frozenset[str]) -> None:
        character = self._take()
        if not character:
            raise _Refused("it ends in a lone backslash")
        if character in _LETTERS and character not in known:
            raise _Refused(f"\\{character} has no meaning")
        if character in "pPxu0cNk":
            raise _Uncertain  # properties, codes and names have rules of their own

    def _character_class(self) -> None:
        if self._peek() == "^":
            self.at += 1
        first = True
        low = ""
        while True:
            character = self._take()
            if not character:
                raise _Refused("a [ is not closed")
            if character == "]" and not first:
                return
            if character == "[":
                self._character_class()
                low = ""
            elif character == "\\":
                self._escape(_ESCAPES_INSIDE)
                low = ""
            elif character == "&" and self._peek() == "&":
                raise _Uncertain
            elif character == "-" and low and self._peek() not in ("]", "[", "\\", ""):
                high = self._take()
                if high < low:
                    raise _Refused("a range in [ and ] runs backwards")
                low = ""
            else:
                low = character
            first = False


PATTERN = ValueKind("pattern", "a regular expression (Java)", pattern_problem)
NEGATABLE_PATTERN = ValueKind(
    "negatable-pattern", "a regular expression (Java), with ! before it for its opposite", negatable_pattern_problem
)

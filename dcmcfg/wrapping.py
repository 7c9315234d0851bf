"""Line wrapping for the terminal: lines break between words, but never inside text that users copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

_QUOTED = r"(?<!\w)'[^'\n]*'"
_DN = r"\b[A-Za-z]\w*=[^,;:\n]*(?:,[A-Za-z]\w*=[^,;:\n]*)*,[A-Za-z]\w*=[^\s,;:]+"
_OPTION = rf"--[a-z][\w-]*(?:[ =](?:{_QUOTED}|[^\s-]\S*))?"
_ARGUMENT = rf"(?:{_QUOTED}|\S*[A-Z\d/@=]\S*)"  # the first word of prose after a command contains none of these
_NAME = r"(?:(?:ae|capability|connection|device|lab) )?[a-z][a-z-]*"
_COMMAND = rf"\bdcmcfg(?: {_OPTION})*(?: {_NAME})?(?: (?:{_OPTION}|{_ARGUMENT}))*"
_UNBREAKABLE = re.compile(f"{_COMMAND}|{_DN}|{_QUOTED}")
_SHELL_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\\.|\S)+""")
_WORD = re.compile(r"\S+")
_SPACE_PLACEHOLDER = "\0"  # as wide as the space that it replaces
_HANGING = 2  # columns
_LONGEST = 2000  # characters; a longer line is not a sentence, and finding its unbreakable parts takes too long


def find_break_points(line: str, width: int, hanging_indent: int = 0) -> list[int]:
    """Return the offsets of the words in *line* that start a new line, which is indented by *hanging_indent* columns.

    Commands, DNs, quoted text and words are not broken. If they are wider than *width* columns, they get a line of
    their own. A line of more than 2,000 characters is not broken.
    """
    if len(line) > _LONGEST:
        return []
    points = []
    start, available = 0, width
    for word in _WORD.finditer(_UNBREAKABLE.sub(lambda match: match[0].replace(" ", _SPACE_PLACEHOLDER), line)):
        # A break before the first word of a line would not help.
        if line[start : word.start()].strip() and _display_width(line[start : word.end()]) > available:
            points.append(word.start())
            start, available = word.start(), width - hanging_indent
    return points


def wrap_lines(text: str, width: int) -> Iterator[str]:
    """Yield the lines of *text*, wrapped to *width* columns; continuation lines have a hanging indent."""
    for line in text.split("\n"):
        hanging = len(line) - len(line.lstrip()) + _HANGING
        ends = [*find_break_points(line, width, hanging), len(line)]
        start = 0
        for end in ends:
            yield (" " * hanging if start else "") + line[start:end].rstrip()
            start = end


def split_command_lines(command: str, width: int, indent: str = "  ") -> Iterator[str]:
    """Yield the shell command *command*, indented by *indent*, in one or more lines of up to *width* columns.

    Each line but the last ends with a backslash, so that the copied text is the same command. A wider word is not
    broken.
    """
    line = ""
    for word in _SHELL_WORD.findall(command):
        candidate = f"{line} {word}" if line else indent + word
        if line and _display_width(candidate) > width - len(" \\"):
            yield f"{line} \\"
            candidate = indent * 2 + word
        line = candidate
    if line:
        yield line


def _display_width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)

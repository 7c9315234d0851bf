"""The AE title of a DICOM application entity (PS3.5 §6.2, VR AE).

Kept apart: all layers use it, and it loads nothing but the errors.
"""

from __future__ import annotations

from dcmcfg.errors import MalformedInput

MAXIMUM_LENGTH = 16


def parse_ae_title(text: str) -> str:
    """Return *text* when it is a usable AE title, exactly as given: case is significant.

    One to 16 characters of the default repertoire, no backslash, no control characters, no blank at either end
    (leading and trailing blanks are not significant in PS3.5, but the archive compares them and finds nothing).
    Raises :class:`MalformedInput`.
    """
    if problem := _find_problem(text):
        raise MalformedInput(
            f"not an AE title: {problem}",
            subject=repr(text),
            next_step="an AE title has 1 to 16 characters, e.g. DCM4CHEE",
        )
    return text


def _find_problem(text: str) -> str:
    if not text or not text.strip(" "):
        return "it is empty"
    if len(text) > MAXIMUM_LENGTH:
        return f"it has {len(text)} characters"
    if text != text.strip(" "):
        return "it begins or ends with a blank"
    if "\\" in text:
        return "it holds a backslash"
    if not all(" " <= character <= "~" for character in text):
        return "it holds a control character or one outside ASCII"
    return ""

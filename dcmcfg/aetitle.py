"""The AE title of a DICOM application entity (PS3.5 §6.2, VR AE).

Kept apart: all layers use this module, and it imports only the errors.
"""

from __future__ import annotations

from dcmcfg.errors import MalformedInput

MAXIMUM_LENGTH = 16


def parse_ae_title(text: str) -> str:
    """Return *text* unchanged if it is a valid AE title; case is significant.

    A valid title has 1 to 16 characters of the default repertoire, without backslashes and control characters. It does
    not start or end with a space: PS3.5 ignores such spaces, but the archive compares them and finds no AE.
    Raises :class:`MalformedInput` for any other text.
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
        return "the title is empty"
    if len(text) > MAXIMUM_LENGTH:
        return f"the title has {len(text)} characters"
    if text != text.strip(" "):
        return "the title starts or ends with a space"
    if "\\" in text:
        return "the title contains a backslash"
    if not all(" " <= character <= "~" for character in text):
        return "the title contains a control character or a non-ASCII character"
    return ""

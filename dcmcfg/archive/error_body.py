"""Extract the reason from the body of an error response, in the formats of the archive and its web server."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_CHARACTERS = 300  # characters shown of a text from the archive
_MEMBER = '"errorMessage"'
_CAUSE = "Caused by: "
_SUPPRESSED = "Suppressed: "
#: Wrappers of the application server, which add nothing to the wrapped exception.
_WRAPPERS = ("EJBException: ", "EJBTransactionRolledbackException: ")
_PACKAGE = re.compile(r"(?:[a-z0-9_]+\.)+(?=[A-Z])")
_EXCEPTION = re.compile(r"[A-Z][A-Za-z0-9_$]*")


@dataclass(frozen=True)
class ErrorBody:
    """The body of an error response.

    ``message`` is its first line and ``cause`` the last ``Caused by``, each as one bounded line without Java packages;
    ``cause`` is empty if it adds nothing to the message. ``frames`` are the lines of the stack traces. ``is_page`` is
    True for a web page, which contains no reason.
    """

    message: str = ""
    cause: str = ""
    frames: tuple[str, ...] = ()
    is_page: bool = False

    @property
    def reason(self) -> str:
        """Message and cause in one line; empty if the body has none."""
        return f"{self.message}; cause: {self.cause}" if self.cause else self.message

    @property
    def exception(self) -> str:
        """The class name of the exception at the beginning of the message; empty if there is none."""
        name, colon, _ = self.message.partition(":")
        return name if _EXCEPTION.fullmatch(name) and (colon or name.endswith(("Exception", "Error"))) else ""

    @property
    def text(self) -> str:
        """The message without the class name of the exception."""
        return self.message.removeprefix(self.exception).removeprefix(":").strip() if self.exception else self.message

    def has_frame_of(self, method: str) -> bool:
        """Return whether a stack trace contains *method*, such as ``Device.rebindConnections``."""
        call = f".{method}("
        return any(call in frame for frame in self.frames)


def read_error(body: str) -> ErrorBody:
    """Return the reason in *body*, in time linear in its length.

    The archive (``ArchiveCtrl``) answers 409 with ``{"errorMessage":"…"}``, without escaping, and 500 with a Java stack
    trace. Its web server (WildFly) answers with an HTML page.
    """
    content = body.strip()
    if content.startswith("<"):
        return ErrorBody(is_page=True)
    message = _parse_error_message(content)
    if message is not None:
        return ErrorBody(_clean_message(message))
    messages, frames = _parse_stack_trace(content)
    message = _clean_message(messages[0])
    cause = _clean_message(messages[-1]) if len(messages) > 1 else ""
    return ErrorBody(message, "" if cause in message else cause, tuple(frames))


def format_one_line(text: str) -> str:
    """Return a text from a server as one bounded line without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _MAX_CHARACTERS else line[: _MAX_CHARACTERS - 1] + "…"


def _parse_error_message(content: str) -> str | None:
    """Return the value of ``errorMessage`` in *content*; None if it is not such an object."""
    if not content.startswith("{"):
        return None
    # The archive does not escape the text, so a JSON parser would fail at a quotation mark in it.
    object_content = content[1:].removesuffix("}").strip()
    if not object_content.startswith(_MEMBER):
        return None
    value = object_content[len(_MEMBER) :].lstrip()
    if not value.startswith(":"):
        return None
    value = value[1:].strip()
    return value[1:].removesuffix('"') if value.startswith('"') else None


def _parse_stack_trace(content: str) -> tuple[list[str], list[str]]:
    """Return the text of each exception in a stack trace, the outermost first, and all frames."""
    messages: list[list[str]] = [[]]
    frames: list[str] = []
    in_frames = in_suppressed = False
    for line in content.split("\n"):
        text = line.strip()
        if _is_frame(line, text):
            frames.append(text)
            in_frames = True
        # Java indents the causes of a suppressed exception, which are not the causes of the failure.
        elif text.startswith(_CAUSE) and not (in_suppressed and line[:1].isspace()):
            in_frames = in_suppressed = False
            messages.append([text[len(_CAUSE) :]])
        elif text.startswith(_SUPPRESSED):
            in_suppressed = True
        elif text and not in_frames and not in_suppressed:
            messages[-1].append(text)
    return [" ".join(lines) for lines in messages], frames


def _is_frame(line: str, text: str) -> bool:
    return line[:1].isspace() and (text.startswith("at ") or (text.startswith("... ") and text.endswith(" more")))


def _clean_message(text: str) -> str:
    """Return *text* as one line, without wrappers of the application server and without Java packages."""
    line = format_one_line(text)
    while True:
        line = _PACKAGE.sub("", line, count=1) if _PACKAGE.match(line) else line
        wrapper = next((each for each in _WRAPPERS if line.startswith(each)), None)
        if wrapper is None:
            return line
        line = line[len(wrapper) :]

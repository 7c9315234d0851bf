"""A syslog message in the format of RFC 5424."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from dcmcfg.printable import escape_unprintable

#: A header field has printable ASCII characters only, and an upper limit (§6).
_NOT_PRINTABLE = re.compile(r"[^!-~]")
_MAX_HOSTNAME, _MAX_APP_NAME, _MAX_PROCESS_ID, _MAX_MESSAGE_ID = 255, 48, 128, 32
#: Characters of a parameter value that a backslash precedes (§6.3.3).
_SPECIAL = re.compile(r'(["\\\]])')
_ABSENT = "-"
_BYTE_ORDER_MARK = "\ufeff"


class Facility(IntEnum):
    """The facility of a message (§6.2.1); only those that dcmcfg uses."""

    AUTHPRIV = 10
    AUDIT = 13


class Severity(IntEnum):
    """The severity of a message (§6.2.1); only those that dcmcfg uses."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5


@dataclass(frozen=True, kw_only=True)
class SyslogMessage:
    """A message; ``structured_data`` has the parameters of each element by the ID of the element.

    ``text`` is free text, or a document without characters outside ASCII. Unprintable characters of ``text`` and of
    parameters are escaped, so that a value cannot look like another message.
    """

    facility: Facility
    severity: Severity
    time: datetime
    host: str
    program: str
    process_id: int
    message_id: str
    text: str
    structured_data: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the octets of the message, without framing."""
        time = f"{self.time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        header = (
            f"<{self.facility * 8 + self.severity}>1",
            time,
            _format_field(self.host, _MAX_HOSTNAME),
            _format_field(self.program, _MAX_APP_NAME),
            _format_field(str(self.process_id), _MAX_PROCESS_ID),
            _format_field(self.message_id, _MAX_MESSAGE_ID),
            "".join(map(_format_element, self.structured_data.items())) or _ABSENT,
        )
        text = escape_unprintable(self.text)
        # Text with characters outside ASCII must begin with a byte order mark (§6.4).
        mark = "" if text.isascii() else _BYTE_ORDER_MARK
        return f"{' '.join(header)} {mark}{text}".encode("utf-8", "backslashreplace")


def _format_field(value: str, max_length: int) -> str:
    return _NOT_PRINTABLE.sub("_", value)[:max_length] or _ABSENT


def _format_element(element: tuple[str, Mapping[str, str]]) -> str:
    identifier, parameters = element
    formatted = (f' {name}="{_escape_parameter(value)}"' for name, value in parameters.items())
    return f"[{identifier}{''.join(formatted)}]"


def _escape_parameter(value: str) -> str:
    return _SPECIAL.sub(r"\\\1", escape_unprintable(value))

"""Messages of RFC 5424, read by the parser of another project (hat-syslog)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hat.syslog import encoder
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.printable import escape_unprintable
from dcmcfg.syslog.message import Facility, Severity, SyslogMessage

TIME = datetime(2026, 12, 1, 8, 0, 0, 123456, UTC)
#: Texts that look like the end of a parameter, of an element or of a message, among all others.
HOSTILE = st.text() | st.sampled_from(
    ['"', "]", "\\", '\\"]', '"] <34>1 - - - - - -', "a\nb", "\x1b[31m", "\ud800", "-", ""]
)


def message(**changes: Any) -> SyslogMessage:
    fields: dict[str, Any] = {
        "facility": Facility.AUDIT,
        "severity": Severity.NOTICE,
        "time": TIME,
        "host": "pacs",
        "program": "dcmcfg",
        "process_id": 12,
        "message_id": "Change",
        "text": "text",
    }
    return SyslogMessage(**fields | changes)


def test_the_octets_are_those_of_the_rfc() -> None:
    sent = message(structured_data={"dcmcfg@32473": {"dn": 'cn="a\\]"'}}, text="Köln")
    header, data = "<109>1 2026-12-01T08:00:00.123456Z pacs dcmcfg 12 Change", '[dcmcfg@32473 dn="cn=\\"a\\\\\\]\\""]'
    assert sent.encode() == f"{header} {data} \ufeffKöln".encode()
    assert message().encode().endswith(b" Change - text")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_another_parser_reads_what_was_sent(one: str, other: str, text: str) -> None:
    octets = message(structured_data={"dcmcfg@32473": {"one": one, "other": other}}, text=text).encode()
    assert not re.search(rb"[\x00-\x1f\x7f]", octets)
    read = encoder.msg_from_str(octets.decode())
    assert (read.facility.value, read.severity.value, read.version) == (13, 5, 1)
    assert (read.hostname, read.app_name, read.procid, read.msgid) == ("pacs", "dcmcfg", "12", "Change")
    assert read.timestamp == TIME.timestamp()
    parameters = {"one": escape_unprintable(one), "other": escape_unprintable(other)}
    assert json.loads(read.data) == {"dcmcfg@32473": parameters}
    assert (read.msg or "").removeprefix("\ufeff") == escape_unprintable(text)


@pytest.mark.parametrize(
    ("host", "field"), [("", "-"), ("Köln 1", "K_ln_1"), ("a\n<1>1", "a_<1>1"), ("h" * 300, "h" * 255)]
)
def test_a_header_field_has_printable_ascii_only(host: str, field: str) -> None:
    assert message(host=host).encode().split(b" ")[2] == field.encode()

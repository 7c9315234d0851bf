"""``.env`` files are read as Docker Compose reads them."""

from __future__ import annotations

import pytest

from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.errors import DcmcfgError

TEXT = """\
# a comment
LDAP_BASE_DN=dc=dcm4che,dc=org
 export AE_TITLE = ARC  # the title

SINGLE='$AE_TITLE # "x"'
DOUBLE="a\\n${AE_TITLE} \\$x \\"y\\""
LINES='one
two'
EMPTY=
HASH=a#b
YAML: value
FROM_OUTSIDE
UNKNOWN=$NOWHERE
AFTER=${EMPTY:-d}
"""


def test_lines_quotes_and_comments_are_read() -> None:
    found = read_dotenv("x.env", TEXT, {"FROM_OUTSIDE": "o"})
    assert {name: each.value for name, each in found.items()} == {
        "LDAP_BASE_DN": "dc=dcm4che,dc=org",
        "AE_TITLE": "ARC",
        "SINGLE": '$AE_TITLE # "x"',
        "DOUBLE": 'a\nARC $x "y"',
        "LINES": "one\ntwo",
        "EMPTY": "",
        "HASH": "a#b",
        "YAML": "value",
        "FROM_OUTSIDE": "o",
        "UNKNOWN": None,
        "AFTER": "d",
    }
    assert {name: each.location.line for name, each in found.items()} == {
        "LDAP_BASE_DN": 2,
        "AE_TITLE": 3,
        "SINGLE": 5,
        "DOUBLE": 6,
        "LINES": 7,
        "EMPTY": 9,
        "HASH": 10,
        "YAML": 11,
        "FROM_OUTSIDE": 12,
        "UNKNOWN": 13,
        "AFTER": 14,
    }


def test_a_line_that_is_no_assignment_is_an_error_without_its_text() -> None:
    with pytest.raises(DcmcfgError) as raised:
        read_dotenv("x.env", "A=1\nhunter2 is the password\n")
    assert str(raised.value) == "x.env:2: expected NAME=VALUE"


def test_a_quote_that_does_not_end_is_read_to_the_end_of_the_file() -> None:
    found = read_dotenv("x.env", "A='x\nB=2\n")
    assert list(found) == ["A"]

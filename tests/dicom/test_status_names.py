"""The numbers of statuses have one home, and are those of PS3.7 Annex C and PS3.4, as pynetdicom writes them down."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pynetdicom import status as table

import dcmcfg
from dcmcfg.dicom import status
from dcmcfg.route import request_checks

_PACKAGE = Path(dcmcfg.__file__).parent
_CONSTANTS = {name: value for name, value in vars(status).items() if name.isupper() and isinstance(value, int)}
_GENERAL, _STORE = table.GENERAL_STATUS, table.STORAGE_SERVICE_CLASS_STATUS
_FIND, _MOVE = table.QR_FIND_SERVICE_CLASS_STATUS, table.QR_MOVE_SERVICE_CLASS_STATUS
#: Constant → the table that has it, and its words there.
_NAMED: Mapping[str, tuple[Mapping[int, tuple[str, str]], str]] = {
    "SUCCESS": (_GENERAL, ""),
    "ATTRIBUTE_LIST_ERROR": (_GENERAL, "Attribute List Error"),
    "PROCESSING_FAILURE": (_GENERAL, "Processing Failure"),
    "ATTRIBUTE_VALUE_OUT_OF_RANGE": (_GENERAL, "Attribute Value Out of Range"),
    "INVALID_SOP_INSTANCE": (_GENERAL, "Invalid Object Instance"),
    "SOP_CLASS_UNSUPPORTED": (_GENERAL, "Refused: SOP Class Not Supported"),
    "UNRECOGNIZED_OPERATION": (_GENERAL, "Unrecognised Operation"),
    "RESOURCE_LIMITATION": (_GENERAL, "Resource Limitation"),
    "CANCELLED": (_GENERAL, ""),
    "PENDING": (_MOVE, "Sub-operations are continuing"),
    "PENDING_WITHOUT_OPTIONAL_KEYS": (_FIND, "Matches are continuing, warning"),
    "OPTIONAL_ATTRIBUTES_UNSUPPORTED": (
        table.PROCEDURE_STEP_STATUS,
        "Requested optional attributes are not supported",
    ),
    "INVALID_PRIOR_RECORD_KEY": (_FIND, "Invalid Prior Record Key"),
    "MATCHES_NOT_COUNTED": (_MOVE, "Refused: Out of resources, unable to calculate number of matches"),
    "UNABLE_TO_PERFORM_SUB_OPERATIONS": (_MOVE, "Refused: Out of resources, unable to perform sub-operations"),
    "MOVE_DESTINATION_UNKNOWN": (_MOVE, "Move destination unknown"),
    "IDENTIFIER_MISMATCH": (_MOVE, "Identifier does not match SOP class"),
    "SOME_SUB_OPERATIONS_FAILED": (_MOVE, "Sub-operations completed, one or more failures"),
    "MATCHES_LIMITED": (
        _FIND,
        "Matching reached response limit, subsequent request may return additional matches",
    ),
    "UNABLE_TO_PROCESS": (_MOVE, "Unable to Process"),
    "OUT_OF_RESOURCES": (_STORE, "Refused: Out of Resources"),
    "ELEMENTS_COERCED": (_STORE, "Coercion of Data Elements"),
    "ELEMENTS_DISCARDED": (_STORE, "Element Discarded"),
    "DATA_SET_MISMATCH_WARNING": (_STORE, "Data Set Does Not Match SOP Class"),
    "CANNOT_UNDERSTAND": (_STORE, "Cannot Understand"),
}
#: Constant → its source, if the status is a vendor's own: the standard has no words for it.
_OF_VENDORS: Mapping[str, str] = {"MOVE_DESTINATION_NOT_ALLOWED": "RetrieveService of dcm4chee-arc"}
#: Modules that hold the same numbers for something else.
_EXCEPTIONS = {
    "dicom/status.py": "the home",
    "dicom/ul/command_set.py": "tags of elements and command fields",
    "dicom/storage/files.py": "tags of the file meta information",
}
#: Below that, a number in hexadecimal digits is one when it has four of them.
_SMALL = 0x100


def _statuses_in(source: str) -> Iterator[int]:
    """Yield the lines of *source* in which a status stands as a number."""
    numbers = frozenset(_CONSTANTS.values())
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in numbers:
            spelled = ast.get_source_segment(source, node) or ""
            if node.value >= _SMALL or (spelled.lower().startswith("0x") and len(spelled) == len("0x0000")):
                yield node.lineno


def test_each_constant_has_the_words_of_the_standard_or_is_of_a_vendor() -> None:
    assert _CONSTANTS.keys() == _NAMED.keys() | _OF_VENDORS.keys(), (
        "add a row for the constant to _NAMED, or for a status of a vendor to _OF_VENDORS"
    )
    assert _NAMED.keys().isdisjoint(_OF_VENDORS)


@pytest.mark.parametrize("name", sorted(_NAMED))
def test_a_status_is_what_the_standard_calls_so(name: str) -> None:
    known, words = _NAMED[name]
    assert known[_CONSTANTS[name]][1] == words


@pytest.mark.parametrize(
    ("found", "known", "words"),
    [
        (status.OUT_OF_RESOURCES_RANGE, _STORE, "Refused: Out of Resources"),
        (status.IDENTIFIER_MISMATCH_RANGE, _STORE, "Data Set Does Not Match SOP Class"),
        (status.UNABLE_TO_PROCESS_RANGE, _MOVE, "Unable to Process"),
    ],
)
def test_a_range_is_that_of_the_standard(found: range, known: Mapping[int, tuple[str, str]], words: str) -> None:
    assert list(found) == sorted(code for code, (kind, said) in known.items() if (kind, said) == ("Failure", words))


def test_warnings_are_what_begins_with_b() -> None:
    assert [code for code in range(0x10000) if f"{code:04X}"[0] == "B"] == list(status.WARNING_RANGE)


def test_a_route_names_the_same_statuses() -> None:
    """The core may not import what speaks DICOM, and only shows them."""
    assert f"{status.MOVE_DESTINATION_UNKNOWN:04X}" == request_checks.UNKNOWN_DESTINATION
    assert f"{status.MOVE_DESTINATION_NOT_ALLOWED:04X}" == request_checks.DESTINATION_NOT_ALLOWED


def test_a_status_stands_as_a_number_in_one_module() -> None:
    sources = {path.relative_to(_PACKAGE).as_posix(): path.read_text("utf-8") for path in _PACKAGE.rglob("*.py")}
    assert len(sources) > 400
    found = [f"{name}:{line}" for name in sorted(sources.keys() - _EXCEPTIONS) for line in _statuses_in(sources[name])]
    assert not found, f"import it from dcmcfg.dicom.status: {found}"
    assert all(any(_statuses_in(sources[name])) for name in _EXCEPTIONS)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 0xA702", True),
        ("x = 0xa702", True),
        ("x = 42754", True),
        ("x = y == 0x0000", True),
        ("x = 0", False),
        ("x = 0x00", False),
        ("x = 0xA703", False),
        ('x = "A702"', False),
        ("x = True", False),
    ],
)
def test_the_rule_finds_what_it_is_about(source: str, found: bool) -> None:
    assert any(_statuses_in(source)) is found

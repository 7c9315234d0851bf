"""What a server means by invalidAttributeSyntax: the class that it does not know, the value that it does not take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.directory.failures import explain_invalid_syntax
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError

STORESCP = "dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
SAID = "{}: value #{} invalid per syntax"
EXPLAIN = "to see the correct syntax: dcmcfg explain {}"


def connection(port: str = "104", *classes: str) -> Add:
    values = {"objectClass": ("dicomNetworkConnection", *classes), "cn": "x", "dicomHostname": "h", "dicomPort": port}
    return Add(Entry.from_values(f"cn=x,{STORESCP}", values))


def setting(*modifications: tuple[Operation, str, bytes]) -> Modify:
    made = (Modification(operation, name, (value,)) for operation, name, value in modifications)
    return Modify(DN.parse(STORESCP), tuple(made))


def alone(directory: LdapDirectory, change: Change) -> None:
    directory.apply(change)


def in_transaction(directory: LdapDirectory, change: Change) -> None:
    description = setting((Operation.REPLACE, "dicomDescription", b"x"))
    directory.apply_in_transaction((description, change))


@pytest.mark.real
@pytest.mark.parametrize("carry_out", [alone, in_transaction])
def test_slapd_is_understood(directory: LdapDirectory, carry_out: Callable[[LdapDirectory, Change], None]) -> None:
    with pytest.raises(DirectoryError) as unknown:
        carry_out(directory, connection("104", "dcmFooBar"))
    assert str(unknown.value) == (
        f"cn=x,{STORESCP}: the server's schema does not define the object class dcmFooBar (LDAP result 21: "
        "objectClass: value #1 invalid per syntax) — check the spelling of the name. If the name is correct, upgrade "
        "the server's schema"
    )
    with pytest.raises(DirectoryError) as wrong:
        carry_out(directory, setting((Operation.REPLACE, "dicomInstalled", b"true")))
    assert str(wrong.value) == (
        f"{STORESCP}: the value of dicomInstalled has the wrong syntax: 'true' (LDAP result 21: "
        f"dicomInstalled: value #0 invalid per syntax) — {EXPLAIN.format('dicomInstalled')}"
    )
    assert (unknown.value.result_code, wrong.value.result_code) == (21, 21)


def test_a_class_of_the_archives_that_the_server_lacks_is_an_older_schema() -> None:
    explanation = explain_invalid_syntax(SAID.format("objectClass", 1), connection("104", "dcmArchiveDevice"))
    assert explanation == (
        "the server's schema does not define the object class dcmArchiveDevice",
        "this class is part of the archive's schema: upgrade the server's schema",
    )


def test_of_several_modifications_the_value_that_is_meant_is_told_where_it_is_plain() -> None:
    deleted, added = (Operation.DELETE, "dicomPort", b"1"), (Operation.ADD, "dicomPort", b"x")
    reason, _ = explain_invalid_syntax(SAID.format("dicomPort", 0), setting(deleted, added)) or ("", "")
    assert reason == "the value of dicomPort has the wrong syntax: 'x'"
    reason, _ = explain_invalid_syntax(SAID.format("dicomPort", 0), setting(added, added)) or ("", "")
    assert reason == "the value of dicomPort has the wrong syntax"


def test_a_secret_is_not_told() -> None:
    change = setting((Operation.REPLACE, "dcmKeycloakClientSecret", b"hidden"))
    explanation = explain_invalid_syntax(SAID.format("dcmKeycloakClientSecret", 0), change)
    assert explanation == (
        "the value of dcmKeycloakClientSecret has the wrong syntax: (secret)",
        EXPLAIN.format("dcmKeycloakClientSecret"),
    )


@pytest.mark.parametrize("message", ["", "no idea", "objectClass: value #99999999999 invalid per syntax"])
def test_other_words_of_a_server_are_left_as_they_are(message: str) -> None:
    assert explain_invalid_syntax(message, connection()) is None


def test_a_value_that_is_not_in_the_change_is_not_made_up() -> None:
    assert explain_invalid_syntax(SAID.format("dicomPort", 7), connection()) == (
        "the value of dicomPort has the wrong syntax",
        EXPLAIN.format("dicomPort"),
    )
    assert explain_invalid_syntax(SAID.format("objectClass", 7), None) == (
        "the server's schema does not define an object class of the entry",
        "upgrade the server's schema",
    )

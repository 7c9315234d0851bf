"""What the reader refuses: each fault with its line and a reason, and reading goes on."""

from __future__ import annotations

import pytest

from dcmcfg.errors import DcmcfgError, LdifError
from dcmcfg.ldif.reader import LdifErrors, iter_records, read_all, refuse_url

MODIFY = "dn: cn=a\nchangetype: modify\n"
RENAME = "dn: cn=a\nchangetype: modrdn\n"

FAULTS = [
    # text, line of the fault, what the message says
    ("cn: cn=a\nobjectClass: top\n", 1, "the record begins with 'cn', not with 'dn:'"),
    ("include: file:///x.ldif\n", 1, "not with 'dn:'"),
    ("\ufeffdn: cn=a\ncn: a\n", 1, "byte order mark"),
    ("\ufeffversion: 1\n", 1, "byte order mark"),
    ("\ufeff# comment\ndn: cn=a\ncn: a\n", 1, "byte order mark"),
    ("version: 2\ndn: cn=a\ncn: a\n", 1, "unknown LDIF version '2'"),
    ("dn: cn=a\n", 1, "nothing follows the DN"),
    ("dn: cn=a\ncontrol: 1.2\n", 1, "nothing follows the DN"),
    ("dn: cn=a,,o=x\ncn: a\n", 1, "not a DN"),
    ("dn: hello\ncn: a\n", 1, "not a DN"),
    ("dn:: !!\ncn: a\n", 1, "'dn::' is not base64"),
    ("dn:: /w==\ncn: a\n", 1, "is not UTF-8"),
    ("dn:: Y249YQBi\ncn: a\n", 1, r"a NUL must be written as \00"),
    (RENAME + "newrdn:: Y249YQBi\ndeleteoldrdn: 1\n", 3, r"a NUL must be written as \00"),
    ("dn:< file:x\ncn: a\n", 1, "'dn:' must not have a URL as value"),
    ("dn: cn=a\ncn:: YQ\n", 2, "'cn::' is not base64"),
    ("dn: cn=a\ncn:: YQ==YQ==\n", 2, "'cn::' is not base64"),
    ("dn: cn=a\ncn:: YW Jj\n", 2, "'cn::' is not base64"),
    ("dn: cn=a\ncn:: Y\u00e4==\n", 2, "'cn::' is not base64"),
    (
        "dn: cn=a\ncn:< file:secret\n",
        2,
        "cn: the value is in another file, and dcmcfg does not read this file: file:secret",
    ),
    ("dn: cn=a\ncn: a\rb\n", 2, "NUL or a carriage return"),
    ("dn: cn=a\ncn: a\0b\n", 2, "NUL or a carriage return"),
    ("dn: cn=a\nc n: a\n", 2, "no attribute name before the colon"),
    ("dn: cn=a\ncn : a\n", 2, "spaces or tabs before or after 'cn'"),
    ("dn : cn=a\ncn: a\n", 1, "spaces or tabs before or after 'dn'"),
    ("dn: cn=a\nchangetype : delete\n", 2, "spaces or tabs before or after 'changetype'"),
    ("dn: cn=a\n: a\n", 2, "the line begins with a colon"),
    ("dn: cn=a\ncn: a\nnothing here\n", 3, "this line of 12 octets has no colon"),
    ("dn: cn=a\nchangetype\n", 2, "no colon after 'changetype'"),
    ("dn: cn=a\ncn: a\n-\n", 3, "a '-' without modification"),
    ("dn: cn=a\ncn: a\ndn: cn=b\ncn: b\n", 3, "a 'dn:' line inside a record"),
    ("dn: cn=a\ncn: a\nchangetype: add\n", 3, "'changetype:' is misplaced or repeated"),
    ("dn: cn=a\nchangetype: add\nchangetype: add\ncn: a\n", 3, "'changetype:' is misplaced or repeated"),
    ("dn: cn=a\nchangetype: add\ncontrol: 1.2\ncn: a\n", 3, "'control:' is misplaced"),
    ("dn: cn=a\ncn: a\nadd: cn\ncn: b\n", 3, "'add:' inside an entry"),
    ("dn: cn=a\nnewrdn: cn=b\ndeleteoldrdn: 1\n", 2, "'changetype:' is missing before 'newrdn:'"),
    ("dn: cn=a\ncontrol: 1.2 true\ncn: a\n", 3, "'changetype:' is missing before 'cn:'"),
    ("dn: cn=a\ncontrol: x\nchangetype: delete\n", 2, "not a control: 'x'"),
    ("dn: cn=a\ncontrol: 1.2 maybe\nchangetype: delete\n", 2, "not a control"),
    ("dn: cn=a\ncontrol: 1.2:: !\nchangetype: delete\n", 2, "'control::' is not base64"),
    ("dn: cn=a\nchangetype: modify \nadd: a\na: 1\n", 2, "unknown changetype 'modify '"),
    ("dn: cn=a\nchangetype: upsert\n", 2, "unknown changetype 'upsert'"),
    ("dn: cn=a\nchangetype: add\n", 2, "the add record has no attributes"),
    ("dn: cn=a\nchangetype: delete\ncn: a\n", 3, "extra lines at the end of a delete"),
    ("dn: cn=a\nchangetype: delete\n-\n", 3, "extra lines at the end of a delete"),
    ("dn: cn=a\nchangetype: delete\ndn: cn=b\n", 3, "a 'dn:' line inside a record"),
    (MODIFY, 2, "the modify record has no modifications"),
    (MODIFY + "add: a\n-\n", 3, "'add: a' has no values"),
    (MODIFY + "add: a\n", 3, "'add: a' has no values"),
    (MODIFY + "increment: a\n-\n", 3, "exactly one value"),
    (MODIFY + "increment: a\na: 1\na: 2\n", 3, "exactly one value"),
    (MODIFY + "add: a\na: 1\n- \n", 5, "spaces or tabs after the '-'"),
    (MODIFY + "add: a\na: 1\n_\n", 5, "no colon in '_'"),
    (MODIFY + "add: a\na: 1\n-\n-\n", 6, "a '-' without modification"),
    (MODIFY + "-\n", 3, "a '-' without modification"),
    (MODIFY + "add: a\nb: 1\n", 4, "'b:' inside a modification of a"),
    (MODIFY + "add: a;binary\na: 1\n", 4, "'a:' inside a modification of a;binary"),
    (
        MODIFY + "add: a\na: 1\nreplace: b\nb: 1\n",
        5,
        "if a new modification begins here, add a line with '-' before this line",
    ),
    (MODIFY + "add: a\na: 1\n-\ndn: cn=b\n", 6, "a 'dn:' line inside a record"),
    (MODIFY + "add: a\na: 1\ndn: cn=b\n", 5, "a 'dn:' line inside a record"),
    (MODIFY + "changetype: modify\nadd: a\na: 1\n", 3, "'changetype:' is misplaced or repeated"),
    (MODIFY + "cn: a\n", 3, "expected 'add:', 'delete:' or 'replace:', not 'cn:'"),
    (MODIFY + "replace: a \na: 1\n", 3, "the text after 'replace:' is not an attribute name: 'a '"),
    (MODIFY + "replace:\n-\n", 3, "the text after 'replace:' is not an attribute name: ''"),
    (RENAME, 2, "'newrdn:' is missing"),
    (RENAME + "newrdn: cn=b\n", 2, "'deleteoldrdn:' is missing"),
    (RENAME + "deleteoldrdn: 1\nnewrdn: cn=b\n", 3, "expected 'newrdn:', not 'deleteoldrdn:'"),
    (RENAME + "newrdn: b\ndeleteoldrdn: 1\n", 3, "not a DN"),
    (RENAME + "newrdn: cn=b,o=x\ndeleteoldrdn: 1\n", 3, "must be one RDN"),
    (RENAME + "newrdn: cn=b\ndeleteoldrdn: yes\n", 4, "must be 0 or 1, not 'yes'"),
    (RENAME + "newrdn: cn=b\ndeleteoldrdn: 1\ncn: b\n", 5, "expected 'newsuperior:'"),
    (RENAME + "newrdn: cn=b\ndeleteoldrdn: 1\nnewsuperior: o=y\ncn: b\n", 6, "extra lines at the end of a rename"),
    (" dn: cn=a\ncn: a\n", 1, "there is no previous line"),
    ("dn: cn=a\ncn: a\n \nchangetype: delete\n", 4, "'changetype:' is misplaced"),
]


@pytest.mark.parametrize(("text", "line", "says"), FAULTS)
def test_a_fault_is_told_with_its_line_and_reading_goes_on(text: str, line: int, says: str) -> None:
    source = f"{text}\ndn: cn=next\ncn: next\n".encode()
    problem, following = iter_records([source], "site.ldif")
    assert isinstance(problem, LdifError)
    assert problem.subject == f"site.ldif:{line}"
    assert says in str(problem)
    assert "\n" not in str(problem)
    assert not isinstance(following, LdifError)


def test_utf16_is_named_once() -> None:
    (problem,) = iter_records(["dn: cn=a\r\ncn: a\r\n\r\ndn: cn=b\r\ncn: b\r\n".encode("utf-16")], "notepad.ldif")
    assert "UTF-16" in str(problem)


def test_only_the_first_fault_of_a_record_is_told() -> None:
    items = list(iter_records([b"dn: cn=a\nx\ny\nz\n\ncn: b\n"], "t"))
    assert [getattr(item, "subject", None) for item in items] == ["t:2", "t:6"]


def test_all_faults_of_a_source_are_raised_together() -> None:
    with pytest.raises(LdifErrors) as caught:
        read_all([b"cn: a\n\ndn: cn=b\ncn: b\n\ndn: x\ncn: y\n"], "t")
    assert [problem.subject for problem in caught.value.problems] == ["t:1", "t:6"]
    assert str(caught.value).startswith("t:1: the record begins with 'cn', not with 'dn:'")
    assert "the first of 2 problems" in str(caught.value)


def test_a_value_never_shows_in_a_message() -> None:
    with pytest.raises(LdifErrors) as caught:
        read_all([b"dn: cn=a\ndcmKeyStorePin:: c2VjcmV0!\n\ndn: cn=b\nreplace: cn\ndcmKeyStorePin: c2VjcmV0\n"], "t")
    assert len(caught.value.problems) == 2
    assert not any("c2VjcmV0" in str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize("folded", ["hunter2hunter2", "hunter2 hunter2: x", "hunter2=;:hunter2", "\u00e4hunter2:"])
def test_the_rest_of_a_folded_secret_that_lost_its_blank_never_shows_in_a_message(folded: str) -> None:
    for record in ("dcmKeyStorePin: correct horse\n", "changetype: modify\nadd: dcmKeyStorePin\ndcmKeyStorePin: x\n"):
        (problem,) = iter_records([f"dn: cn=a\n{record}{folded}\n".encode()], "t")
        assert isinstance(problem, LdifError)
        assert "if this line continues the previous line, add a space at the start" in str(problem)
        assert "hunter2" not in str(problem)


def test_the_value_of_a_control_never_shows_in_a_message() -> None:
    (problem,) = iter_records([b"dn: cn=a\ncontrol: 1.3.6.1.1.12 ture: hunter2\nchangetype: delete\n"], "t")
    assert "not a control: '1.3.6.1.1.12 ture'" in str(problem)
    assert "hunter2" not in str(problem)


def test_a_long_line_is_cut_in_the_message() -> None:
    (problem,) = iter_records([b"dn: cn=a\n" + b"x" * 5000 + b"\n"], "t")
    assert len(str(problem)) < 200


def test_what_a_resolver_refuses_is_told_with_the_line() -> None:
    def resolve(url: str) -> bytes:
        raise LdifError("no such file", subject="/x/vendor-data.zip", next_step="copy it there")

    (problem,) = iter_records([b"dn: cn=a\ncn:< file:vendor-data.zip\n"], "t", resolve_url=resolve)
    assert str(problem) == "t:2: cn: /x/vendor-data.zip: no such file — copy it there"


def test_no_file_is_read_unless_asked_for() -> None:
    with pytest.raises(LdifError, match="does not read this file: file:x"):
        refuse_url("file:x")


def test_ldif_errors_belong_to_the_family() -> None:
    assert issubclass(LdifErrors, DcmcfgError)
    assert LdifErrors.exit_code == 3

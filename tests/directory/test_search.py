"""Searches in pages, and ones that go wrong, on a real slapd."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dcmcfg.ber import encode_integer
from dcmcfg.changes import Add
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.referrals import Referral
from dcmcfg.directory.server import Scope
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError
from dcmcfg.lab.large_tree import generate_large_ldif
from dcmcfg.lab.slapd import Slapd
from dcmcfg.limits import override_limits
from tests.connecting import server_at, server_of
from tests.directory.messages import element
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.scripted_ldap import number_of

BASE = DN.parse("dc=dcm4che,dc=org")


@contextmanager
def limited(folder: Path, limits: str, count: int) -> Iterator[LdapDirectory]:
    """An anonymous connection to a server with *count* entries and *limits* for everybody."""
    slapd = Slapd(folder / "slapd", port=free_port(), root_password=PASSWORD, extra_database=f"limits * {limits}")
    slapd.prepare()
    slapd.load_ldif(generate_large_ldif(count))
    with slapd, connect(server_of(RunningSlapd(slapd), bind_dn="", password="")) as directory:
        yield directory


@pytest.mark.real
@pytest.mark.parametrize(
    "limits",
    [
        "size=500 size.prtotal=unlimited",
        "size=500 size.pr=200 size.prtotal=unlimited",
        "size=unlimited size.prtotal=disabled",
    ],
)
def test_a_tree_is_read_whole_in_the_pages_that_the_server_allows(tmp_path: Path, limits: str) -> None:
    with limited(tmp_path, limits, 700) as directory:
        assert len(read_tree(directory).entries) == 700


@pytest.mark.real
def test_a_tree_of_several_pages_is_read_whole(tmp_path: Path) -> None:
    with limited(tmp_path, "size=unlimited", 10_001) as directory:
        assert len(read_tree(directory).entries) == 10_001


@pytest.mark.real
@pytest.mark.parametrize("limits", ["size=500", "size=500 size.pr=200", "size=500 size.prtotal=disabled"])
def test_a_tree_beyond_the_size_limit_is_an_error_and_not_a_part_of_it(tmp_path: Path, limits: str) -> None:
    with limited(tmp_path, limits, 700) as directory, pytest.raises(DirectoryError, match="size limit") as refusal:
        read_tree(directory)
    assert refusal.value.result_code == 4


@pytest.mark.real
def test_a_part_of_the_tree_on_another_server_is_passed_over_and_reported_once(directory: LdapDirectory) -> None:
    before = read_tree(directory)
    elsewhere = BASE.child("cn", "elsewhere")
    url = "ldap://other.example/dc=x"
    referral = {"objectClass": ("referral", "extensibleObject"), "cn": "elsewhere", "ref": url}
    directory.apply(Add(Entry.from_values(elsewhere, referral)))
    reported: list[Referral] = []
    with connect(directory.server, reported.append) as again:
        tree = read_tree(again)
        assert read_tree(again).entries == tree.entries == before.entries
        assert again.referrals == (Referral(elsewhere, (url,)),)
        assert reported == [*again.referrals]
        with again.reopen() as anew:
            read_tree(anew)
            assert (len(reported), anew.referrals) == (1, again.referrals)
    assert tree.referrals == {tree.key(elsewhere): url}


@pytest.mark.real
@pytest.mark.parametrize("scope", ["base", "subtree"])
def test_a_base_that_another_server_holds_is_an_error(directory: LdapDirectory, scope: Scope) -> None:
    elsewhere = BASE.child("cn", "elsewhere")
    referral = {"objectClass": ("referral", "extensibleObject"), "cn": "elsewhere", "ref": "ldap://other.example/dc=x"}
    directory.apply(Add(Entry.from_values(elsewhere, referral)))
    with pytest.raises(DirectoryError, match=r"LDAP result 10"):
        directory.read(elsewhere, scope)


@pytest.mark.real
def test_an_entry_that_is_not_there_leaves_the_connection_as_it_was(directory: LdapDirectory) -> None:
    assert directory.read_entry(BASE.child("cn", "nowhere")) is None
    assert directory.read_entry(BASE) is not None


@pytest.mark.real
def test_a_read_that_is_given_up_closes_the_connection(directory: LdapDirectory) -> None:
    """What is still to come must not be taken for the answer to the next request."""
    found = directory.search(BASE)
    assert next(iter(found)) is not None
    found.close()  # type: ignore[attr-defined] # it is a generator
    with pytest.raises(DirectoryError):
        directory.read_entry(BASE)
    with directory.reopen() as again:
        assert again.read_entry(BASE) is not None


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that takes any bind and then answers the first search as told; its port."""

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            request = client.recv(4096)
            number = request[2 : 4 + request[3]]
            result = element(0x0A, b"\0") + element(0x04, b"") * 2
            client.sendall(element(0x30, number + element(0x61, result)))
            client.recv(4096)
            answer(client)
            client.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1]
    server.join(10)


def test_silence_in_the_midst_of_an_answer_is_given_up_after_the_time_limit() -> None:
    with (
        answering(lambda client: client.sendall(b"\x30\x84\x00\x00\x10\x00\x02\x01")) as port,
        connect(server_at(port, receive_timeout_s=1)) as directory,
        pytest.raises(DirectoryError, match="no answer in time"),
    ):
        directory.read(BASE)


def test_a_server_that_does_not_speak_ldap_is_told() -> None:
    with (
        answering(lambda client: client.sendall(b"220 mail.example ESMTP\r\n")) as port,
        connect(server_at(port, receive_timeout_s=5)) as directory,
        pytest.raises(
            DirectoryError,
            match=r"cannot be read: a message starts with the invalid tag 0x32.*the URL of an LDAP server",
        ),
    ):
        directory.read(BASE)


@contextmanager
def paging(each: bytes) -> Iterator[int]:
    """A server that takes any bind, and answers each search with the entries *each* and always the same cookie."""

    def serve() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.settimeout(10)
            result = element(0x0A, b"\0") + element(0x04, b"") * 2
            request = client.recv(4096)
            client.sendall(element(0x30, request[2 : 4 + request[3]] + element(0x61, result)))
            value = element(0x30, element(0x02, b"\0") + element(0x04, b"again"))
            control = element(0x30, element(0x04, b"1.2.840.113556.1.4.319") + element(0x04, value))
            while request := client.recv(4096):
                number = encode_integer(number_of(request))
                found = element(0x30, number + each) if each else b""
                client.sendall(found + element(0x30, number + element(0x65, result) + element(0xA0, control)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1]
    server.join(10)


def test_a_cookie_that_leads_to_the_same_page_again_and_again_is_given_up() -> None:
    entry = element(0x64, element(0x04, b"dc=org") + element(0x30, b""))
    with (
        paging(entry) as port,
        connect(server_at(port, receive_timeout_s=5)) as directory,
        override_limits({"ldap-entries": 50}),
        pytest.raises(DirectoryError, match="sent too much: more than 50 entries") as refused,
    ):
        directory.read(BASE)
    assert refused.value.next_step.endswith("--max ldap-entries=100")


def test_the_answer_to_a_bind_that_does_not_end_is_given_up() -> None:
    def serve() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.recv(4096)
            client.sendall(b"\x30\x84\x7f\xff\xff\xff")
            while True:
                client.sendall(b"\0" * 65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        with pytest.raises(DirectoryError, match="sent too much: more than 1M octets") as refused:
            connect(server_at(listener.getsockname()[1], receive_timeout_s=5))
    server.join(10)
    assert refused.value.next_step.endswith("--max ldap-setup=2M")

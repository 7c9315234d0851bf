"""The form ``AET@host:port``."""

from __future__ import annotations

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.network_address import format_host_port, parse_ae_address, parse_host_or_port


@pytest.mark.parametrize(
    ("text", "title", "host", "port"),
    [
        ("WS1@ws1.example.org:104", "WS1", "ws1.example.org", 104),
        ("WS 1@10.1.2.3:65535", "WS 1", "10.1.2.3", 65535),
        ("WS1@[2001:db8::1]:11112", "WS1", "2001:db8::1", 11112),
        ("WS1@orthanc_a:4242", "WS1", "orthanc_a", 4242),
        ("WS1@4.ward.example.org:104", "WS1", "4.ward.example.org", 104),
        ("WS1@10.1.2.x:104", "WS1", "10.1.2.x", 104),
    ],
)
def test_title_host_and_port_are_read_and_written_again(text: str, title: str, host: str, port: int) -> None:
    assert parse_ae_address(text) == (title, host, port)
    assert f"{title}@{format_host_port(host, port)}" == text


def test_a_port_may_be_missing_where_nothing_listens() -> None:
    assert parse_ae_address("CT 1@ct1") == ("CT 1", "ct1", None)
    assert parse_ae_address("CT1@[2001:db8::1]") == ("CT1", "2001:db8::1", None)
    assert parse_ae_address("CT1@ct1:104") == ("CT1", "ct1", 104)
    with pytest.raises(MalformedInput, match="not the address of an AE"):
        parse_ae_address("ct1:104")


@pytest.mark.parametrize(
    ("text", "address"),
    [("ct1:104", ("ct1", 104)), ("ct1", ("ct1", None)), (":104", (None, 104)), ("[::1]:104", ("::1", 104))],
)
def test_a_new_address_may_be_only_a_port(text: str, address: tuple[str | None, int | None]) -> None:
    assert parse_host_or_port(text) == address


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "not a host name"), (":", "not a TCP port"), (":0", "not a TCP port"), ("::1", "requires brackets")],
)
def test_a_new_address_is_refused_with_its_problem(text: str, problem: str) -> None:
    with pytest.raises(MalformedInput, match=problem):
        parse_host_or_port(text)


def test_a_place_without_a_port_is_its_host() -> None:
    assert (format_host_port("2001:db8::1", None), format_host_port("h", 1)) == ("[2001:db8::1]", "h:1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not the address of an AE"),
        ("WS1", "not the address of an AE"),
        ("host:104", "not the address of an AE"),
        ("@host:104", "not an AE title: the title is empty"),
        ("WS1@:104", "not a host name"),
        ("WS1@host:", "not a TCP port"),
        ("WS1@host:0", "not a TCP port"),
        ("WS1@host:70000", "not a TCP port"),
        ("WS1@host:104x", "not a TCP port"),
        ("WS1@host:٤", "not a TCP port"),
        ("WS1@host:" + "1" * 5000, "not a TCP port"),
        ("WS1@a b:104", "not a host name"),
        ("WS1@a@b:104", "not a host name"),
        ("WS1@häuschen:104", "not a host name"),
        ("WS1@" + "a" * 300 + ":104", "not a host name"),
        (
            "WS1@999.1.1.1:104",
            "'999.1.1.1': not a valid IPv4 address — use four numbers from 0 to 255",
        ),
        ("WS1@10.1.2:104", "not a valid IPv4 address"),
        ("WS1@10.1.2.3.4:104", "not a valid IPv4 address"),
        ("WS1@10.01.2.3:104", "not a valid IPv4 address"),
        ("WS1@10.1.2.3.:104", "not a valid IPv4 address"),
        ("WS1@12345:104", "not a valid IPv4 address"),
        ("WS1@2001:db8::1:104", "an IPv6 address requires brackets"),
        ("WS1@[2001::g]:104", "not a host name"),
        ("WS1@[2001:db8::1]:", "not a TCP port"),
        ("WS1@[2001:db8::1]104", "an IPv6 address requires brackets"),
        ("SEVENTEENLETTERSX@h:1", "not an AE title: the title has 17 characters"),
        ("WS1 @h:1", "the title starts or ends with a space"),
        ("WS\x1b@h:1", "the title contains a control character"),
    ],
)
def test_what_is_no_address_is_told(text: str, problem: str) -> None:
    with pytest.raises(MalformedInput, match=problem):
        parse_ae_address(text)

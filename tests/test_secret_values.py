"""Which values are secrets, and which only look like one."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.secret_values import _PROPERTY, _SECRET_ATTRIBUTES, is_secret, redact_command
from tests.conftest import UPSTREAM_FILES

#: Stock PINs, which are in every default configuration.
PINS = {"dcmKeyStorePin", "dcmTrustStorePin"}


@pytest.mark.parametrize(
    "name", ["dcmKeyStorePin", "DCMKEYSTOREKEYPIN", "userPassword", "userPassword;x-old", "2.5.4.35"]
)
def test_an_attribute_of_secrets_is_secret_whatever_its_value(name: str) -> None:
    assert is_secret(name, b"x")


def test_the_oids_of_secret_attributes_are_those_of_the_schema() -> None:
    schema = load_bundled_schema()
    named = [schema.attribute(name) for name in sorted(_SECRET_ATTRIBUTES | _PROPERTY)]
    assert all(each is not None and each.oid in _SECRET_ATTRIBUTES | _PROPERTY for each in named)


def test_a_property_named_by_its_oid_is_secret_for_its_key() -> None:
    assert is_secret("1.2.40.0.13.1.15.0.3.62", b"password=x")


@settings(deadline=None)
@given(
    user=st.text(st.characters(exclude_characters="/:\r\n", codec="utf-8"), max_size=20),
    password=st.text(st.characters(codec="utf-8"), min_size=1),
    times=st.integers(1, 5_000),
)
def test_a_password_in_a_url_is_secret_whatever_its_length(user: str, password: str, times: int) -> None:
    seen = re.sub(r"[\r\n]", "", password)  # what a parser of URLs leaves of it
    if not seen or re.match(r"[0-9]+[/?#]|\$?{", seen):  # no password, or one that reads like a port
        password = f"x{password}"
    assert is_secret("dcmURI", f"https://{user}:{password * times}@host:8080/x".encode())


@given(
    digits=st.integers(0, 99_999).map(str) | st.sampled_from(["{x}", "${x}", "{{x}}"]),
    after=st.sampled_from("/?#"),
    rest=st.text(st.characters(exclude_characters="/?#@", exclude_categories=("Z", "C"), codec="utf-8")),
)
def test_a_password_that_begins_like_a_port_is_secret(digits: str, after: str, rest: str) -> None:
    assert is_secret("dcmURI", f"https://svc:{digits}{after}{rest}@pacs.example/x".encode())


@pytest.mark.parametrize(
    "key",
    [
        "credential",
        "jclouds.oauth.credential",
        "password",
        "PASSWD",
        "db.pwd",
        "pass",
        "client-secret",
        "token",
        "accessToken",
        "bearer_token",
        "apikey",
        "api-key",
        "x.api_key",
        "accessKey",
        "private.key",
        "keyPassphrase",
        "pin",
        "card.pin",
        "basic-auth",
        "Authorization",
        "http.header.authorization",
        "keyStorePass",
        "keypass",
    ],
)
def test_a_property_whose_key_names_a_credential_is_secret(key: str) -> None:
    assert is_secret("dcmProperty", f"{key}=x".encode())


@pytest.mark.parametrize(
    "line",
    [
        "roles=user,token",
        "identity=AKIA",
        "accessKeyId=AKIA",
        "tokenURL=https://idp/token",
        "token_endpoint=https://idp",
        "tokenLifetime=PT5M",
        "authorization_endpoint=https://idp",
        "authorizationURL=https://idp",
        "keyPassive=1",
        "mapping=x",
        "spinner=1",
        "bypass=1",
        "passive=true",
        "compassion=1",
        "pathFormat={now,date,yyyy/MM/dd}/{0020000D,hash}",
    ],
)
def test_a_property_whose_key_only_looks_like_it_is_not(line: str) -> None:
    assert not is_secret("dcmProperty", line.encode())


@pytest.mark.parametrize(
    "value",
    [
        "https://joe:pw@host/x",
        "ldap://joe:p/w@host",
        "http://joe:geheim/2024/x@host:8080/y",
        "http://:pw@host",
        "https://joe:my secret pw@host/x",
        "s3://key:my secret/pw@bucket",
        "https://joe doe:1234 5678@host",
        "https://joe:tab\tand (more), too!@host",
        "https://joe:@pw@host",
        "https://joe@example.org:p/w@host",
        "https://joe:{p/w@host",
        "https://joe:{pw}x/y@host",
        "https://svc:2024/Sommer@pacs.example/x",
        "https://u:{x}/real@host",
        "https://u:${x}/real@host",
        "https://u:{x}?real@host",
        "http://u:pw\n@h",
        "http://u:pw\r\n@h",
        "http://u\n:pw@h",
        "http:/\n/u:pw@h",
        "http://u:20\n24/pw@h",
        f"https://joe:{'long' * 100}@host",
        f"https://{'joe' * 100}:pw@host",
        f"joe:{'long' * 100}@proxy:3128",
        "see https://host:8443/x and https://joe:my pw@host",
        "joe:pw@proxy:3128",
        "https://host/x?token=abc",
        "https://host/x?a=b&access_token=abc",
        "https://host/x;pwd=abc",
        "https://host/x?API-key=abc",
        "https://host/x?auth_token=abc",
        "https://host/x?client_secret=abc",
        "https://host/x?X-Amz-Signature=abc",
        "https://host/x?sv=1&sig=abc",
        "https://host/x#access_token=abc",
    ],
)
def test_a_password_inside_a_value_is_secret(value: str) -> None:
    assert is_secret("dcmURI", value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "http://host:8080/users/joe@example.org",
        "http://host:${port}/joe@example.org",
        "http://{{host}}:{{port}}/joe@example.org",
        "https://host/x?AWSAccessKeyId=AKIA&design=abc",
        "http://host/a:b",
        "file:///opt/storage/",
        "mailto:joe@example.org",
        "Contact (mailto:joe@example.org), room: 12",
        "Contact: joe@example.org",
        "http://host:8080/x, contact: joe@example.org",
        "http://host:8080/x joe@example.org",
        "http://host:${HTTP_PORT}/joe@example.org",
        "http://host:{x}/a/joe@example.org",
        "https://host/x\nmail: joe@example.org",
        "joe@example.org",
        "../viewer?token={{access_token}}",
        "../viewer?token=${token}",
        "https://host/token?grant=x",
        "CT:1@",
        "12:30",
    ],
)
def test_what_only_looks_like_one_is_not(value: str) -> None:
    assert not is_secret("dcmURI", value.encode())


@pytest.mark.parametrize(
    "piece",
    [
        b"://a:",
        b"a:b",
        b"?token=",
        b"a",
        b"://a:b/",
        b"a:b@ ",
        b"://a:1/",
        b"://a:{",
        b"://a:{b/",
        b"://",
        b"a:@",
        b"a b ",
        b"?a",
        b"://a:{{",
        b"://a@b:",
        b"://a:1/b",
        b"://a:{port}",
        b"://a:\n",
        b"port",
    ],
)
@pytest.mark.parametrize("start", [b"", b"://a:{"])
def test_a_long_value_is_looked_through_in_no_time(start: bytes, piece: bytes) -> None:
    """Quadratic searches took minutes on these."""
    value = start + piece * (200_000 // len(piece)) + b" @"
    before = time.process_time()
    is_secret("dicomVendorData", value)
    assert time.process_time() - before < 2


def held_secrets(files: list[Path]) -> set[str]:
    found = set()
    for path in files:
        with path.open("rb") as source:
            records = read_all(source, path.name)
        for record in records:
            if isinstance(record, ContentRecord):
                found |= {a.name for a in record.entry.attributes for v in a.values if is_secret(a.name, v)}
    return found


@pytest.mark.parametrize("release", ["5.29.0", "5.31.0", "5.33.1"])
def test_the_default_configuration_holds_no_other_secrets_than_pins(upstream: Path, release: str) -> None:
    assert held_secrets([upstream / release / name for name in UPSTREAM_FILES]) <= PINS


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("dcmcfg set arc 'dicomDescription=a b'", "dcmcfg set arc 'dicomDescription=a b'"),
        ("dcmcfg set arc dcmKeyStorePin=1234 --yes", "dcmcfg set arc dcmKeyStorePin=(secret) --yes"),
        ("dcmcfg set arc 'dcmKeyStorePin+=1 2'", "dcmcfg set arc dcmKeyStorePin+=(secret)"),
        ("dcmcfg set arc dcmProperty=api-key=x", "dcmcfg set arc dcmProperty=(secret)"),
        ("dcmcfg set arc dcmKeyStorePin=@/root/pin", "dcmcfg set arc dcmKeyStorePin=@/root/pin"),
        ("dcmcfg set arc dicomVendorData=x", "dcmcfg set arc dicomVendorData=(hidden)"),
        ("dcmcfg reload --archive-url https://a:b@host", "dcmcfg reload --archive-url (secret)"),
        ("dcmcfg set 'a", "(not shown, contains a secret)"),
        ("", ""),
    ],
)
def test_a_command_line_is_shown_without_its_secrets(command: str, shown: str) -> None:
    assert redact_command(command, {"dicomvendordata"}) == shown

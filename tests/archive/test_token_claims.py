"""What is read off a token, whoever made it, and whose signature it carries."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from joserfc.jwt import encode

from dcmcfg.archive.token_claims import (
    SignatureStatus,
    TokenClaims,
    check_signature,
    looks_truncated,
    read_token_claims,
)

RSA = RSAKey.generate_key(2048, auto_kid=True)
EC = ECKey.generate_key("P-256", auto_kid=True)
ED = OKPKey.generate_key("Ed25519", auto_kid=True)
KEYS: dict[str, Any] = dict(KeySet([RSA, EC, ED]).as_dict(private=False))


def token(key: Any, algorithm: str, said: dict[str, Any] | None = None, **header: str) -> str:
    return encode({"alg": algorithm} | header, said or {"iss": "i"}, key, algorithms=[algorithm])


def test_claims_of_keycloak_are_read() -> None:
    payload = {
        "iss": "https://k/realms/r",
        "azp": "c",
        "client_id": "other",
        "preferred_username": "service-account-c",
        "sub": "0f3",
        "aud": "account",
        "iat": 1_700_000_000,
        "exp": 1_700_000_300,
        "realm_access": {"roles": ["auth"]},
        "resource_access": {"account": {"roles": ["a", "b"]}, "empty": {"roles": []}},
        "scope": "profile",
    }
    claims = read_token_claims(token(RSA, "RS256", payload, kid="k"))
    assert claims == TokenClaims(
        issuer="https://k/realms/r",
        client="c",
        user="service-account-c",
        audience=("account",),
        issued=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        expires=datetime(2023, 11, 14, 22, 18, 20, tzinfo=UTC),
        realm_roles=("auth",),
        client_roles={"account": ("a", "b")},
        scope="profile",
        key_id="k",
        algorithm="RS256",
    )


@pytest.mark.parametrize(
    "said",
    [
        {"aud": 7, "iss": ["x"], "exp": "soon", "iat": True, "realm_access": [], "resource_access": "x"},
        {"aud": [1, "a", None], "exp": 1e300, "nbf": -1e300, "realm_access": {"roles": "auth"}},
        {"resource_access": {"a": None, "b": {"roles": {"x": 1}}}},
    ],
)
def test_claims_of_any_kind_are_survived(said: dict[str, Any]) -> None:
    claims = read_token_claims(token(RSA, "RS256", said))
    assert claims is not None
    assert (claims.issuer, claims.expires, claims.client_roles) == ("", None, {})


def test_encrypted_and_bottomless_tokens_are_none() -> None:
    encrypted = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d"
    assert (read_token_claims(encrypted), looks_truncated(encrypted)) == (None, False)
    deep = base64.urlsafe_b64encode(b'{"a":' * 100_000).decode().rstrip("=")
    assert read_token_claims(f"eyJhbGciOiJSUzI1NiJ9.{deep}.x") is None


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_what_is_no_token_is_none(text: str) -> None:
    assert read_token_claims(text) is None or text.count(".") == 2


@given(st.integers(min_value=1, max_value=400))
def test_cut_token_is_never_taken_for_a_whole_one(octets: int) -> None:
    whole = token(RSA, "RS256", kid=RSA.kid or "")
    cut = whole[:-octets]
    claims = read_token_claims(cut)
    if claims is None:
        assert looks_truncated(cut) == cut.startswith("eyJ")
    else:
        assert check_signature(cut, claims, KEYS) is SignatureStatus.INVALID


def signature(text: str, keys: dict[str, Any] = KEYS) -> SignatureStatus | None:
    claims = read_token_claims(text)
    assert claims is not None
    return check_signature(text, claims, keys)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS512"), (EC, "ES256")])
def test_signature_is_verified_by_the_issuers_key(key: Any, algorithm: str) -> None:
    assert signature(token(key, algorithm, kid=key.kid)) is SignatureStatus.VERIFIED
    assert signature(token(key, algorithm)) is SignatureStatus.VERIFIED
    assert signature(token(key, algorithm, kid="gone")) is SignatureStatus.UNKNOWN_KEY


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864, which issuers do not know yet
def test_edwards_curve_is_verified() -> None:
    registry = jws.JWSRegistry(algorithms=["EdDSA"])
    signed = jws.serialize_compact({"alg": "EdDSA", "kid": ED.kid}, b'{"iss":"i"}', ED, registry=registry)
    assert signature(signed) is SignatureStatus.VERIFIED


def test_token_of_another_key_by_the_same_name_is_wrong() -> None:
    assert signature(token(RSAKey.generate_key(2048), "RS256", kid=RSA.kid or "")) is SignatureStatus.INVALID


def test_key_that_both_sides_know_is_no_signature() -> None:
    """The classic forgery is an HMAC with something published as its secret."""
    forged = jwt.encode({"iss": "i"}, "x" * 32, algorithm="HS256", headers={"kid": RSA.kid})
    assert signature(forged) is SignatureStatus.INVALID
    secret = OctKey.generate_key(256, auto_kid=True)
    published = dict(KeySet([secret]).as_dict(private=True))
    assert signature(token(secret, "HS256", kid=secret.kid or ""), published) is not SignatureStatus.VERIFIED


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": 7}, {"keys": [7]}, {"keys": [{"kty": "?"}]}])
def test_what_are_no_keys_verify_nothing(keys: dict[str, Any]) -> None:
    assert signature(token(RSA, "RS256"), keys) is None

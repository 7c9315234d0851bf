"""Why a token is refused: each reason by itself, from evidence that is made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dcmcfg.archive.token_check import TokenCheck, TokenOutcome
from dcmcfg.archive.token_claims import SignatureStatus, TokenClaims
from dcmcfg.archive.token_refusal import explain_token_refusal, format_duration

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ISSUER = "https://keycloak.example.org/realms/dcm4che"
CLAIMS = TokenClaims(
    issuer=ISSUER,
    client="dcmcfg",
    user="service-account-dcmcfg",
    audience=("account",),
    issued=NOW - timedelta(seconds=10),
    expires=NOW + timedelta(minutes=5),
    realm_roles=("auth",),
    token_type="Bearer",
    key_id="k1",
)
GOOD = TokenCheck(
    outcome=TokenOutcome.REFUSED,
    has_token=True,
    is_truncated=False,
    claims=CLAIMS,
    issuer=ISSUER,
    super_user_role="root",
    signature=SignatureStatus.VERIFIED,
    signature_unchecked_reason="",
    http_status=401,
    refusal_message="",
    archive_clock=NOW,
    checked_at=NOW,
)


def explain(found: TokenCheck, role: str = "auth") -> list[str]:
    return [reason.message for reason in explain_token_refusal(found, role)]


@pytest.mark.parametrize("verdict", [TokenOutcome.ACCEPTED, TokenOutcome.NOT_REQUIRED])
def test_token_that_is_not_refused_needs_no_reason(verdict: TokenOutcome) -> None:
    assert explain(replace(GOOD, outcome=verdict)) == []


def test_want_of_a_token_tells_whose() -> None:
    bare = replace(GOOD, has_token=False, claims=None, signature=None)
    assert explain(bare) == [f"the archive requires a token of {ISSUER}, but no token is set"]
    assert explain(replace(bare, issuer="")) == ["the archive requires a token, but no token is set"]


def test_opaque_and_cut_tokens_are_told_apart() -> None:
    opaque = replace(GOOD, claims=None, signature=None)
    assert explain(opaque) == ["the token is not a JSON Web Token, but the archive requires this format"]
    assert explain(replace(opaque, is_truncated=True)) == ["the token is truncated or damaged"]


def test_expiry_counts_by_the_archives_clock() -> None:
    slow = replace(GOOD, checked_at=NOW + timedelta(hours=1))
    assert not any("expired" in reason for reason in explain(slow))
    fast = replace(GOOD, archive_clock=NOW + timedelta(minutes=8))
    assert explain(fast) == ["according to the archive's clock, the token expired 3 min 0 s ago"]
    assert explain(replace(fast, archive_clock=None)) != explain(fast)


def test_token_from_the_future_tells_of_clocks() -> None:
    claims = replace(CLAIMS, not_before=NOW + timedelta(seconds=90))
    (reason,) = explain_token_refusal(replace(GOOD, claims=claims), "auth")
    assert (
        reason.message == "according to the archive's clock, the token is not valid yet: it becomes valid in 1 min 30 s"
    )
    assert "NTP" in reason.next_step


def test_when_it_was_issued_is_no_reason_as_the_archive_does_not_look() -> None:
    ahead = replace(GOOD, claims=replace(CLAIMS, issued=NOW + timedelta(seconds=90)))
    assert explain(ahead) == explain(GOOD)
    assert explain(GOOD)[0].startswith("dcmcfg found no problem in the token")


@pytest.mark.parametrize(
    ("kind", "said"), [("ID", "the type (typ) of the token is ID"), ("", "the token has no type (typ)")]
)
def test_token_that_is_no_access_token_is_told(kind: str, said: str) -> None:
    (reason,) = explain_token_refusal(replace(GOOD, claims=replace(CLAIMS, token_type=kind)), "auth")
    assert reason.message == f"{said}, but the archive accepts access tokens only (typ Bearer)"


def test_issuer_by_another_name_is_told_before_its_key() -> None:
    by_address = replace(CLAIMS, issuer="https://10.0.0.5/realms/dcm4che")
    (reason,) = explain_token_refusal(replace(GOOD, claims=by_address, signature=SignatureStatus.UNKNOWN_KEY), "auth")
    assert reason.message == (
        f"the token's issuer is https://10.0.0.5/realms/dcm4che, but the archive accepts only tokens of {ISSUER}. If "
        "both are names of the same server, the archive still treats them as different issuers"
    )
    assert reason.next_step == f"use the name that the archive accepts: set oidc_issuer to {ISSUER}"
    other_realm = replace(CLAIMS, issuer=ISSUER.replace("dcm4che", "master"))
    assert "two names" not in explain(replace(GOOD, claims=other_realm))[0]


def test_key_and_signature_are_told() -> None:
    assert explain(replace(GOOD, signature=SignatureStatus.UNKNOWN_KEY)) == [
        "the token is signed with key k1, but the issuer does not publish this key"
    ]
    assert explain(replace(GOOD, signature=SignatureStatus.INVALID)) == [
        "the signature is invalid: the token is truncated, altered or from another realm"
    ]


def test_token_without_an_end_is_told() -> None:
    assert explain(replace(GOOD, claims=replace(CLAIMS, expires=None))) == [
        "the token has no expiry time, but the archive requires an expiry time"
    ]


def test_several_reasons_are_told_together() -> None:
    claims = replace(CLAIMS, issuer="https://other", expires=NOW - timedelta(days=3))
    assert [reason[:13] for reason in explain(replace(GOOD, claims=claims))] == ["according to ", "the token's i"]


def test_nothing_wrong_with_it_leaves_the_audience() -> None:
    (reason,) = explain(GOOD)
    assert (
        reason
        == "dcmcfg found no problem in the token. The audience of the token is 'account'. The archive might accept "
        "only tokens whose audience contains the archive's client ID"
    )
    assert "dcmcfg does not know which issuer the archive expects" in explain(replace(GOOD, issuer=""))[0]


def test_missing_role_is_403_and_says_where_it_is_assigned() -> None:
    forbidden = replace(GOOD, http_status=403)
    (reason,) = explain_token_refusal(replace(forbidden, claims=replace(CLAIMS, realm_roles=("user",))), "auth")
    assert reason.message == "the token does not have the realm role auth"
    assert reason.next_step.startswith(
        "assign the realm role auth (in Keycloak: Clients > the client > Service accounts roles)"
    )
    person = replace(CLAIMS, realm_roles=(), user="admin")
    assert (
        "Users > admin > Role mapping" in explain_token_refusal(replace(forbidden, claims=person), "auth")[0].next_step
    )
    of_client = replace(CLAIMS, realm_roles=(), client_roles={"b": ("auth",), "a": ("auth", "x"), "c": ("x",)})
    assert explain(replace(forbidden, claims=of_client)) == [
        "the token has the client role auth (a, b), but the archive requires the realm role auth"
    ]
    assert explain(forbidden, "archivist") == ["the token does not have the realm role archivist"]
    assert explain(forbidden) == [
        "the token has the role that a standard archive requires, but this archive might require another role"
    ]


def test_spans_are_spoken_by_their_largest_unit() -> None:
    spans = [0, 45, 299, 3600, 11400, 90000, 172800]
    assert [format_duration(timedelta(seconds=each)) for each in spans] == [
        "0 s", "45 s", "4 min 59 s", "1 h 0 min", "3 h 10 min", "25 h 0 min", "2 days",
    ]  # fmt: skip

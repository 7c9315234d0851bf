"""Render the check of a token at the archive as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dcmcfg.archive.token_check import TokenCheck, TokenOutcome
from dcmcfg.archive.token_claims import TokenClaims
from dcmcfg.archive.token_refusal import RefusalReason, format_duration
from dcmcfg.printable import capitalise_sentence, escape_unprintable
from dcmcfg.render.terminal.console import make_stdout_console, print_line
from dcmcfg.timestamps import format_iso, format_timestamp

_CLOCK_TOLERANCE_S = 2.0  # seconds; a Date header has no fractions of a second
_LABEL = 10


def print_token(
    source: str, archive_url: str, *, check: TokenCheck, role: str, reasons: tuple[RefusalReason, ...]
) -> None:
    """Print the results of *check*, one fact a line; *source* is the source of the token."""
    console = make_stdout_console()
    lines = [("Token", source), *_build_claims_lines(check), *_build_archive_lines(check, archive_url, role)]
    for reason in reasons:
        lines += [("Reason", reason.message), ("Next step", capitalise_sentence(reason.next_step))]
    for label, text in lines:
        print_line(console, f"{label:<{_LABEL}}{escape_unprintable(text)}")


def token_json(
    source: str, archive_url: str, *, check: TokenCheck, role: str, reasons: tuple[RefusalReason, ...]
) -> dict[str, Any]:
    """Return the object for ``token --json``, without the token; times are in RFC 3339, durations in seconds."""
    return {
        "archive_url": archive_url,
        "outcome": check.outcome.value,
        "source": source,
        "token": _claims_json(check, check.claims) if check.claims else None,
        "is_jwt": check.claims is not None if check.has_token else None,
        "expected": {"issuer": check.issuer or None, "role": role, "super_user_role": check.super_user_role or None},
        "archive": {
            "http_status": check.http_status or None,
            "message": check.refusal_message or None,
            "time": _format_iso_or_none(check.archive_clock),
            "clock_offset_seconds": round(_compute_clock_offset_s(check)),
        },
        "reasons": [{"message": reason.message, "next_step": reason.next_step} for reason in reasons],
    }


def _build_claims_lines(found: TokenCheck) -> Iterator[tuple[str, str]]:
    claims = found.claims
    if claims is None:
        if found.has_token:
            truncated_text = "unreadable JSON Web Token: truncated or damaged"
            yield (
                "",
                truncated_text if found.is_truncated else "not a JSON Web Token: only the issuer can read the token",
            )
        return
    yield "Issuer", claims.issuer or "none"
    yield "Client", claims.client + (f", as {claims.user}" if claims.user else "") if claims.client else claims.user
    yield "Audience", ", ".join(claims.audience) or "none"
    if claims.issued:
        yield "Issued", format_timestamp(claims.issued)
    yield "Expires", _format_expiry(claims, found) if claims.expires else "never"
    yield "Roles", ", ".join(claims.realm_roles) or "no realm roles"
    for client, roles in claims.client_roles.items():
        yield "", f"client {client}: {', '.join(roles)}"
    yield "Signature", found.signature.value if found.signature else f"not checked: {found.signature_unchecked_reason}"


def _format_expiry(claims: TokenClaims, found: TokenCheck) -> str:
    remaining = (claims.expires or found.checked_at) - found.archive_time
    # The archive compares the expiry with its own clock, which may differ from that of this machine.
    span = f"in {format_duration(remaining)}" if remaining.total_seconds() > 0 else f"{format_duration(-remaining)} ago"
    clock_name = "the archive's clock" if found.archive_clock else "this machine's clock"
    return f"{format_timestamp(claims.expires or found.checked_at)}, {span} according to {clock_name}"


def _build_archive_lines(found: TokenCheck, archive_url: str, role: str) -> Iterator[tuple[str, str]]:
    outcome_texts = {
        TokenOutcome.ACCEPTED: "accepts the token",
        TokenOutcome.NOT_CHECKED: "could not be checked",
        TokenOutcome.REFUSED: f"refuses the token (HTTP {found.http_status})"
        if found.has_token
        else "requires a token",
        TokenOutcome.NOT_REQUIRED: "requires no token"
        + (", so this check does not prove that the token is valid" if found.has_token else ""),
    }
    yield "Archive", f"{archive_url} {outcome_texts[found.outcome]}"
    if found.refusal_message:
        yield "", f"message: {found.refusal_message}"
    clock_offset_s = _compute_clock_offset_s(found)
    if abs(clock_offset_s) > _CLOCK_TOLERANCE_S:
        yield (
            "",
            f"the archive's clock is {round(abs(clock_offset_s))} s "
            f"{'ahead of' if clock_offset_s > 0 else 'behind'} this machine's clock",
        )
    if found.outcome in (TokenOutcome.ACCEPTED, TokenOutcome.REFUSED):
        yield "Requires", f"issuer {found.issuer or 'unknown'}"
        super_user_note = f", {found.super_user_role} for super users" if found.super_user_role else ""
        yield "", f"realm role {role} (property auth-user-role){super_user_note}"


def _compute_clock_offset_s(found: TokenCheck) -> float:
    return (found.archive_clock - found.checked_at).total_seconds() if found.archive_clock else 0.0


def _claims_json(found: TokenCheck, claims: TokenClaims) -> dict[str, Any]:
    remaining_s = (claims.expires - found.archive_time).total_seconds() if claims.expires else None
    return {
        "issuer": claims.issuer,
        "client": claims.client,
        "user": claims.user,
        "audience": list(claims.audience),
        "scope": claims.scope,
        "issued_at": _format_iso_or_none(claims.issued),
        "not_before": _format_iso_or_none(claims.not_before),
        "expires_at": _format_iso_or_none(claims.expires),
        "expires_in_seconds": None if remaining_s is None else round(remaining_s),
        "realm_roles": list(claims.realm_roles),
        "client_roles": {client: list(roles) for client, roles in claims.client_roles.items()},
        "key_id": claims.key_id,
        "algorithm": claims.algorithm,
        "signature": found.signature.value if found.signature else None,
        "signature_unchecked_reason": None if found.signature else found.signature_unchecked_reason,
    }


def _format_iso_or_none(timestamp: datetime | None) -> str | None:
    return format_iso(timestamp) if timestamp else None

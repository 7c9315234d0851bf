"""A token held against the archive that it is for: what it says, what the archive expects, and what it answers.

What the archive itself says of the tokens that it takes, before it is given one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import httpx

from dcmcfg.archive.control import status_url
from dcmcfg.archive.error_body import one_line
from dcmcfg.archive.failures import TokenError, not_answered, unexpected_answer
from dcmcfg.archive.http_client import Answer, Web
from dcmcfg.archive.issuer import discover, json_object, published_keys
from dcmcfg.archive.token_claims import Claims, Signature, claims_of, looks_cut, signature_of
from dcmcfg.errors import ArchiveError

_LOGIN = re.compile(r"(https?://[^\s?#]+/realms/[^\s/?#]+)/protocol/openid-connect/auth(?:[?#]|$)")
_WEB_PAGE = re.compile(r"https?://[\x21-\x7e]+")


@dataclass(frozen=True)
class Expectations:
    """``issuer`` is the URL of the realm whose tokens the archive takes; each is empty where it does not say."""

    issuer: str = ""
    super_user_role: str = ""


def expectations(archive_url: str, web: Web) -> Expectations:
    """Return what the archive at *archive_url* says; no token is sent, and whatever fails is not known.

    Its web interface reads ``ui2/rs/keycloak.json`` and ``ui2/rs/dcm4chee-arc`` (``Resource`` of dcm4chee-arc-ui2)
    before the user has logged in; where those want a login too, its address is the issuer's.
    """
    bootstrap = f"{archive_url}/ui2/rs"
    asked = (_issuer_of(_asked(url, web)) for url in (f"{bootstrap}/keycloak.json", f"{archive_url}/ctrl/status"))
    issuer = next(filter(None, asked), "")
    answer = _asked(f"{bootstrap}/dcm4chee-arc", web)
    content = json_object(answer.body) if answer is not None and answer.status == httpx.codes.OK else None
    role = content.get("super-user-role") if content else None
    return Expectations(issuer, role if isinstance(role, str) and role.isprintable() else "")


def _asked(url: str, web: Web) -> Answer | None:
    try:
        return web.request("GET", url)
    except httpx.TransportError:
        return None


def login_issuer(answer: Answer) -> str:
    """Return the issuer whose login page *answer* sends to; empty when it sends to none."""
    found = _LOGIN.match(answer.headers.get("location", "")) if answer.is_redirect else None
    return found.group(1) if found else ""


def _issuer_of(answer: Answer | None) -> str:
    if answer is None:
        return ""
    if issuer := login_issuer(answer):
        return issuer
    content = json_object(answer.body) if answer.status == httpx.codes.OK else None
    server, realm = (content.get(name) if content else None for name in ("auth-server-url", "realm"))
    if not (isinstance(server, str) and isinstance(realm, str) and _WEB_PAGE.fullmatch(f"{server}{realm}")):
        return ""
    return f"{server.rstrip('/')}/realms/{realm}"


_DESCRIPTION = re.compile(r'error_description="([^"]*)"')
_REFUSALS = frozenset({401, 403})
_NONE = Answer(0, {}, "")


class Verdict(Enum):
    """What the archive does with a token, or without one."""

    TAKEN = "taken"
    REFUSED = "refused"
    NOT_WANTED = "not wanted"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Examination:
    """What was found.

    ``claims`` is None for no token, and for one that is no JSON Web Token, or is ``cut``. ``issuer`` is what the
    expected issuer calls itself. ``signature`` is None where no issuer's keys were at hand, and ``unchecked`` then says
    why. ``said`` is the archive's own word on a refusal, ``clock`` its time, ``now`` this machine's, of one moment.
    ``failure`` is why the archive could not be asked, or answered as none does; then nothing of that is known.
    """

    verdict: Verdict
    has_token: bool
    cut: bool
    claims: Claims | None
    issuer: str
    super_user_role: str
    signature: Signature | None
    unchecked: str
    http_status: int
    said: str
    clock: datetime | None
    now: datetime
    failure: ArchiveError | None = None

    @property
    def archive_time(self) -> datetime:
        """The time by the archive's clock, by this machine's where it does not tell its own."""
        return self.clock or self.now


def examine(archive_url: str, token: str | None, issuer: str, web: Web) -> Examination:
    """Ask the archive at *archive_url* for its status with *token*, and hold the token against what it expects.

    *issuer* is the one that is known from the settings, or empty; the archive's own word counts more.
    """
    asked = _ask(archive_url, token, web)
    expected = Expectations() if asked.failure else expectations(archive_url, web)
    claims = claims_of(token) if token else None
    keys = _keys_of(expected, issuer, web)
    return Examination(
        asked.verdict,
        token is not None,
        token is not None and claims is None and looks_cut(token),
        claims,
        keys.issuer,
        expected.super_user_role,
        signature_of(token, claims, keys.keys) if token and claims and keys.keys else None,
        keys.why_none,
        asked.answer.status,
        one_line(" ".join(_DESCRIPTION.findall(asked.answer.headers.get("www-authenticate", "")))),
        _clock(asked.answer),
        asked.now,
        asked.failure,
    )


@dataclass(frozen=True)
class _Asked:
    verdict: Verdict
    answer: Answer
    now: datetime
    failure: ArchiveError | None = None


def _ask(archive_url: str, token: str | None, web: Web) -> _Asked:
    url = status_url(archive_url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = _NONE
    try:
        answer = web.request("GET", url, headers=headers, secrets=(token,) if token else ())
        now = _now()
        # An archive that is not secured takes any token, which proves nothing.
        bare = web.request("GET", url) if token and answer.status == httpx.codes.OK else answer
    except httpx.TransportError as error:
        return _Asked(Verdict.NOT_ASKED, answer, _now(), not_answered(error, url, web.seconds(error)))
    verdict = _verdict(answer, bare)
    failure = unexpected_answer(answer, url, with_token=token is not None) if verdict is Verdict.NOT_ASKED else None
    return _Asked(verdict, answer, now, failure)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # as a Date header is cut


def _verdict(answer: Answer, bare: Answer) -> Verdict:
    """Return what *answer* and, without a token, *bare* mean; not asked is who answered, if not an archive."""
    if answer.status in _REFUSALS or login_issuer(answer):
        return Verdict.REFUSED
    if answer.status != httpx.codes.OK or json_object(answer.body) is None:
        return Verdict.NOT_ASKED
    return Verdict.NOT_WANTED if bare.status == httpx.codes.OK else Verdict.TAKEN


@dataclass(frozen=True)
class _Keys:
    issuer: str = ""
    keys: dict[str, object] | None = None
    why_none: str = ""


def _keys_of(expected: Expectations, known: str, web: Web) -> _Keys:
    """Return the keys of the issuer that the archive goes by, else of the one that is *known*."""
    asked = expected.issuer or known
    if not asked:
        return _Keys(why_none="the issuer is not known")
    issuer = expected.issuer
    try:
        found = discover(asked, web)
        issuer = issuer and found.issuer.rstrip("/")
        return _Keys(issuer, published_keys(found, web))
    except TokenError as error:
        return _Keys(issuer, why_none=f"{error.on}: {error.what}")


def _clock(answer: Answer) -> datetime | None:
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

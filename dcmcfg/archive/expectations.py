"""What the archive itself says of the tokens that it takes, before it is given one."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

from dcmcfg.archive.issuer import json_object
from dcmcfg.archive.web import Answer, Web

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

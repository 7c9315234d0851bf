"""Translate LDAP failures into dcmcfg's errors: exceptions of ldap3, and result codes (RFC 4511 appendix A).

For the result invalidAttributeSyntax (RFC 4511 A.1), the error names the class or value of the change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ldap3.core import exceptions

from dcmcfg.changes import Add, Change, Modify, Operation
from dcmcfg.directory.messages import LdapResponse
from dcmcfg.errors import ConnectionLost, DirectoryError, NotFound
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.secret_values import format_value

INVALID_ATTRIBUTE_SYNTAX = 21
#: The message of OpenLDAP and 389 Directory Server: the attribute, and the position of the sent value, from 0.
_SERVER_MESSAGE = re.compile(r"(?P<name>[\w.;-]+): value #(?P<position>[0-9]{1,6}) invalid per syntax")


def explain_invalid_syntax(diagnostic_message: str, change: Change | None) -> tuple[str, str] | None:
    """Return the problem and the next step from the server's *diagnostic_message* about *change*.

    Returns None if the message has another form.
    """
    match = _SERVER_MESSAGE.search(diagnostic_message)
    if match is None:
        return None
    name = match["name"]
    value = _find_value(change, name, int(match["position"]))
    if name.lower() == OBJECT_CLASS.lower():
        return _explain_unknown_class(value)
    shown = f": {format_value(name, value)}" if value is not None else ""
    return f"the value of {name} has the wrong syntax{shown}", f"to see the correct syntax: dcmcfg explain {name}"


def _explain_unknown_class(value: bytes | None) -> tuple[str, str]:
    """Return the problem and the next step: servers report invalid syntax for unknown object classes only."""
    if value is None:
        return "the server's schema does not define an object class of the entry", "upgrade the server's schema"
    name = value.decode("utf-8", "backslashreplace")
    message = f"the server's schema does not define the object class {name}"
    if load_bundled_schema().object_class(name) is not None:
        return message, "this class is part of the archive's schema: upgrade the server's schema"
    return message, "check the spelling of the name. If the name is correct, upgrade the server's schema"


def _find_value(change: Change | None, name: str, position: int) -> bytes | None:
    """Return the value of the attribute *name* at *position* in *change*; None if it is ambiguous."""
    match change:
        case Add(entry):
            lists = [entry.values(name)]
        case Modify(_, modifications):
            new = (each for each in modifications if each.operation is not Operation.DELETE)
            lists = [each.values for each in new if each.name.lower() == name.lower()]
        case _:
            return None
    values = [each[position] for each in lists if position < len(each)]
    return values[0] if len(values) == 1 else None


SUCCESS = 0
REFERRAL = 10
ADMIN_LIMIT_EXCEEDED = 11
UNAVAILABLE_CRITICAL_EXTENSION = 12
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
ASSERTION_FAILED = 122

#: Result code → the meaning for the user, and the next step.
_MEANINGS: Mapping[int, tuple[str, str]] = {
    3: ("the server's time limit was reached", "raise the limit for this bind DN, or bind as the administrator"),
    4: ("the server truncated the result (size limit)", "bind with a DN without a size limit, e.g. the root DN"),
    7: (
        "the server does not support this authentication method",
        "SASL EXTERNAL requires ldapi:// or a client certificate that the server verifies. Otherwise, use --bind-dn",
    ),
    8: ("the server requires stronger authentication", "specify --bind-dn, or use ldaps:// or --starttls"),
    10: ("the server refers to another server", "use the URL of the writable server"),
    11: (
        "the server's limits for this bind DN do not allow the request",
        "bind with a DN without limits, e.g. the root DN",
    ),
    12: ("the server does not support the request (unavailable critical extension)", ""),
    13: ("the server requires an encrypted connection", "use --starttls or ldaps://"),
    16: ("there is no such attribute or value", ""),
    17: (
        "the server's schema does not define the attribute",
        "check the spelling of the name. If the name is correct, upgrade the server's schema",
    ),
    18: (
        "the attribute has no equality matching rule, so the server cannot add or delete single values",
        "replace the attribute as a whole",
    ),
    19: ("the value violates a constraint, e.g. a second value of a single-valued attribute", ""),
    20: ("the value already exists", ""),
    21: ("the value has the wrong syntax", ""),
    32: ("there is no such entry", ""),
    34: ("the server does not accept this DN", ""),
    48: ("the server does not support this authentication method", "specify --bind-dn"),
    49: (
        "the server refused the bind DN or the password",
        "check --bind-dn and the source of the password",
    ),
    50: ("the bind DN does not have permission to do this", "bind as the administrator"),
    51: ("the server is busy", "try again"),
    52: ("the server is unavailable", "try again"),
    53: ("the server refuses to perform the request", ""),
    64: ("the RDN does not match the attributes of the entry", ""),
    65: ("the entry would violate the rules of its object classes", ""),
    66: ("the entry has child entries", "delete the child entries first"),
    67: ("the value is part of the RDN", "rename the entry instead"),
    68: ("the entry already exists", ""),
    80: ("the server failed with an internal error", ""),
    122: ("the configuration has changed since this change was planned", "plan again"),
}


#: Part of the message with which OpenLDAP replicas (consumers without updateref) refuse writes.
_REPLICA_MESSAGE = "shadow context"


class NoSuchEntry(NotFound):
    """The entry does not exist, or the bind DN may not see it; ``matched_dn`` is the nearest entry above it, if known.

    A server names it (RFC 4511 §4.1.9) unless it hides that the entry exists.
    """

    def __init__(self, message: str, *, subject: str = "", next_step: str = "", matched_dn: str = "") -> None:
        super().__init__(message, subject=subject, next_step=next_step)
        self.matched_dn = matched_dn


#: The next step if the server does not respond in time.
NO_ANSWER_STEP = "the server may hang or be overloaded: check its process and its log. Then run the command again"


class LdapResponseTimeout(ConnectionLost):
    """The server did not respond in time; it may still process the request."""


def raise_for_result(result: Mapping[str, Any], subject: str) -> None:
    """Raise the error for *result*, a response in the form of ldap3; return if it is a success.

    Raises :class:`NotFound` for noSuchObject, and otherwise :class:`DirectoryError` with the result code.
    """
    default_meaning = result.get("description", "an unknown result")
    code, matched_dn, diagnostic_message = (
        int(result["result"]),
        str(result.get("dn") or ""),
        str(result.get("message") or ""),
    )
    _raise_for_response(
        LdapResponse(
            message_id=0,
            result_code=code,
            matched_dn=matched_dn,
            message=diagnostic_message,
            referrals=tuple(result.get("referrals") or ()),
        ),
        subject,
        default_meaning=default_meaning,
    )


def raise_for_response(response: LdapResponse, subject: str, change: Change | None = None) -> None:
    """Raise the error for *response*, as :func:`raise_for_result` does; for a *change*, it names the invalid value."""
    _raise_for_response(response, subject, change, default_meaning="an unknown result")


def _raise_for_response(
    response: LdapResponse, subject: str, change: Change | None = None, *, default_meaning: str
) -> None:
    code = response.result_code
    if code == SUCCESS:
        return
    meaning, next_step = _MEANINGS.get(code, (f"the server answered {default_meaning}", ""))
    diagnostic_message = " ".join(response.message.split())
    if code == INVALID_ATTRIBUTE_SYNTAX:
        meaning, next_step = explain_invalid_syntax(diagnostic_message, change) or (meaning, next_step)
    message = f"{meaning} (LDAP result {code}{': ' + diagnostic_message if diagnostic_message else ''})"
    if code == NO_SUCH_OBJECT:
        next_step = f"the nearest existing entry is {response.matched_dn}" if response.matched_dn else next_step
        raise NoSuchEntry(message, subject=subject, next_step=next_step, matched_dn=response.matched_dn)
    if _REPLICA_MESSAGE in diagnostic_message:
        next_step = "the server is a replica: use the URL of its provider"
    if response.referrals:
        next_step = f"{next_step}: {' or '.join(response.referrals)}"
    raise DirectoryError(message, subject=subject, next_step=next_step, result_code=code)


class ServerUnreachable(DirectoryError):
    """No connection to the directory server could be opened."""


@contextmanager
def translate_ldap_errors(url: str, *, request_sent: bool) -> Iterator[None]:
    """Translate the exceptions of ldap3 and its socket into :class:`DirectoryError`.

    With *request_sent*, a lost connection raises :class:`ConnectionLost`, because the server may have processed a
    request although its response was lost.
    """
    try:
        yield
    except exceptions.LDAPSocketOpenError as error:
        raise ServerUnreachable(
            f"cannot connect to the LDAP server: {_describe_cause(error)}",
            subject=url,
            next_step="check that the server is running, and check --ldap-url (DCMCFG_LDAP_URL)",
        ) from error
    except (exceptions.LDAPCommunicationError, exceptions.LDAPResponseTimeoutError, OSError) as error:
        cause = _describe_cause(error)
        has_timed_out = cause == _TIMED_OUT
        lost_class = LdapResponseTimeout if has_timed_out else ConnectionLost
        error_class = lost_class if request_sent else DirectoryError
        raise error_class(
            f"the connection to the LDAP server was lost: {cause}",
            subject=url,
            next_step=NO_ANSWER_STEP if has_timed_out else "",
        ) from error
    except exceptions.LDAPExceptionError as error:
        raise DirectoryError(f"the LDAP request failed: {_describe_cause(error)}", subject=url) from error


def _describe_cause(error: BaseException) -> str:
    text = " ".join(str(error).split())
    lowered = text.lower()
    for pattern, meaning in _ERROR_PATTERNS:
        if pattern in lowered:
            return meaning
    return text or type(error).__name__


_TIMED_OUT = "no answer in time"
#: Part of the error text of ldap3 or OpenSSL, in lower case → the meaning. The first match decides, so special texts
#: come before general ones.
_ERROR_PATTERNS = (
    ("connection refused", "connection refused"),
    (
        "certificate verify failed",
        "the server's certificate is not trusted (specify the CA certificate with --ca-file)",
    ),
    ("certificate", "the server's certificate does not match the host name or is not trusted (see --ca-file)"),
    ("name or service not known", "the host name is unknown"),
    ("temporary failure in name resolution", "the host name cannot be resolved"),
    ("nodename nor servname", "the host name is unknown"),
    ("invalid server address", "the host name is unknown"),
    ("ssl", "the server does not use TLS on this port (ldap:// is without TLS, ldaps:// with TLS)"),
    ("timed out", _TIMED_OUT),
    ("no route to host", "no route to host"),
    ("network is unreachable", "the network is unreachable"),
)

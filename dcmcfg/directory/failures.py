"""LDAP failures in dcmcfg's own words: ldap3's exceptions, result codes (RFC 4511 appendix A).

Also which class or value of a change a server means when it answers invalidAttributeSyntax (RFC 4511 A.1).
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
#: As OpenLDAP and 389 Directory Server say it: the attribute, and the place of the value in what was sent, from 0.
_SERVER_MESSAGE = re.compile(r"(?P<name>[\w.;-]+): value #(?P<position>[0-9]{1,6}) invalid per syntax")


def explain_invalid_syntax(diagnostic_message: str, change: Change | None) -> tuple[str, str] | None:
    """Return what is wrong and the next step, from the server's *diagnostic_message* about *change*.

    None where the message does not show it.
    """
    match = _SERVER_MESSAGE.search(diagnostic_message)
    if match is None:
        return None
    name = match["name"]
    value = _find_value(change, name, int(match["position"]))
    if name.lower() == OBJECT_CLASS.lower():
        return _explain_unknown_class(value)
    shown = f": {format_value(name, value)}" if value is not None else ""
    return f"the value of {name} has the wrong syntax{shown}", f"dcmcfg explain {name} shows its form"


def _explain_unknown_class(value: bytes | None) -> tuple[str, str]:
    """The only object classes of wrong syntax are those that the server does not know."""
    if value is None:
        return "the server's schema does not know an object class of the entry", "upgrade the server's schema"
    name = value.decode("utf-8", "backslashreplace")
    message = f"the server's schema does not know the class {name}"
    if load_bundled_schema().object_class(name) is not None:
        return message, "it is one of the archive's: upgrade the server's schema"
    return message, "check its spelling, else upgrade the server's schema"


def _find_value(change: Change | None, name: str, position: int) -> bytes | None:
    """Return the value of attribute *name* at *position* in *change*, None where several could be meant."""
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

#: Result code → what it means for the user, and the next step.
_MEANINGS: Mapping[int, tuple[str, str]] = {
    3: ("the server's time limit was reached", "raise the limit for this bind DN, or bind as the administrator"),
    4: ("the server cut the answer short (size limit)", "bind as a DN without a size limit, e.g. the root DN"),
    7: (
        "the server does not take this way to say who one is",
        "SASL EXTERNAL needs ldapi:// or a client certificate that the server verifies; else name a --bind-dn",
    ),
    8: ("the server wants stronger authentication", "name who to bind as (--bind-dn), or use ldaps:// or --starttls"),
    10: ("the server refers to another one", "use the URL of the server that may be written"),
    11: ("the server's limits for this bind DN do not allow it", "bind as a DN without limits, e.g. the root DN"),
    12: ("the server cannot do what was asked (unavailable critical extension)", ""),
    13: ("the server wants an encrypted connection", "use --starttls or ldaps://"),
    16: ("there is no such attribute or value", ""),
    17: ("the server's schema does not know the attribute", "check its spelling, else upgrade the server's schema"),
    18: ("the attribute's values cannot be compared one by one", "replace the attribute as a whole"),
    19: ("the value breaks a constraint, e.g. a second value of a single-valued attribute", ""),
    20: ("the value is already there", ""),
    21: ("the value has the wrong syntax", ""),
    32: ("there is no such entry", ""),
    34: ("the DN is not valid here", ""),
    48: ("the server does not take this way to say who one is", "name who to bind as (--bind-dn)"),
    49: (
        "the server refused the bind DN or the password",
        "check --bind-dn and where the password comes from",
    ),
    50: ("the bind DN has not the right to do this", "bind as the administrator"),
    51: ("the server is busy", "try again"),
    52: ("the server is unavailable", "try again"),
    53: ("the server is unwilling to perform this", ""),
    64: ("the RDN and the attributes do not agree", ""),
    65: ("the entry would break its object classes", ""),
    66: ("the entry has children", "delete them first"),
    67: ("the value is part of the RDN", "rename the entry instead"),
    68: ("the entry already exists", ""),
    80: ("the server failed with an internal error", ""),
    122: ("the tree is no longer as it was when this was planned", "plan again"),
}


#: How OpenLDAP's replicas (consumers without updateref) refuse to be written.
_REPLICA_MESSAGE = "shadow context"


class LdapResponseTimeout(ConnectionLost):
    """The server did not answer in time: it may carry the request out yet."""


def raise_for_result(result: Mapping[str, Any], subject: str) -> None:
    """Raise the error that *result*, an answer as ldap3 gives it, stands for; return when it is success.

    Raises :class:`NotFound` for noSuchObject, else :class:`DirectoryError` with the result code.
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
    """Do the same for a *response* to a *change*, whose error names the value at fault, or to another request."""
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
        next_step = f"it exists up to {response.matched_dn}" if response.matched_dn else next_step
        raise NotFound(message, subject=subject, next_step=next_step)
    if _REPLICA_MESSAGE in diagnostic_message:
        next_step = "it is a replica: use the URL of its provider"
    if response.referrals:
        next_step = f"{next_step}: {' or '.join(response.referrals)}"
    raise DirectoryError(message, subject=subject, next_step=next_step, result_code=code)


class ServerUnreachable(DirectoryError):
    """No connection to the directory server came about."""


@contextmanager
def translate_ldap_errors(url: str, *, request_sent: bool) -> Iterator[None]:
    """Turn ldap3's exceptions, and those of its socket, into :class:`DirectoryError`.

    With *request_sent*, a connection that ends inside the block raises :class:`ConnectionLost`: a request may have been
    carried out although its answer never came.
    """
    try:
        yield
    except exceptions.LDAPSocketOpenError as error:
        raise ServerUnreachable(
            f"cannot connect to the LDAP server: {_describe_cause(error)}",
            subject=url,
            next_step="is it running, and is --ldap-url (DCMCFG_LDAP_URL) right?",
        ) from error
    except (exceptions.LDAPCommunicationError, exceptions.LDAPResponseTimeoutError, OSError) as error:
        lost_class = LdapResponseTimeout if _describe_cause(error) == _TIMED_OUT else ConnectionLost
        error_class = lost_class if request_sent else DirectoryError
        raise error_class(
            f"the connection to the LDAP server was lost: {_describe_cause(error)}", subject=url
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
_ERROR_PATTERNS = (
    ("connection refused", "connection refused"),
    ("certificate verify failed", "its certificate is not trusted (--ca-file names the authority's certificate)"),
    ("certificate", "its certificate does not fit the name or is not trusted (--ca-file names the authority's)"),
    ("name or service not known", "the host name is not known"),
    ("temporary failure in name resolution", "the host name cannot be resolved"),
    ("nodename nor servname", "the host name is not known"),
    ("invalid server address", "the host name is not known"),
    ("ssl", "it does not speak TLS there (ldap:// is without, ldaps:// with TLS)"),
    ("timed out", _TIMED_OUT),
    ("no route to host", "no route to host"),
    ("network is unreachable", "the network is unreachable"),
)

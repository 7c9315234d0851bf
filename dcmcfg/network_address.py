"""The network address of an AE in the syntax of ``dcmldap`` and the DICOM tools: ``AET@host:port``."""

from __future__ import annotations

import re
from ipaddress import ip_address

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.errors import MalformedInput

#: The form of an address with a port, as a next step.
ADDRESS_FORM = "use the form AET@host:port, e.g. WORKSTATION@ws1.example.org:104"
#: Host names: letters, digits, hyphens, dots, and the underscore, which names of containers contain.
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_IN_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?", re.DOTALL)
#: Numbers alone are not a host name; the archive's Java reads ``10.1.2`` as 10.1.0.2 (InetAddress.getByName).
_ALL_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*\.?")
#: A DNS name has at most 255 octets in a message (RFC 1035 §2.3.4), which are 253 characters.
_LONGEST_HOST = 253
_HIGHEST_PORT = 65535


def format_host_port(host: str, port: int | None) -> str:
    """Return ``host:port``, with brackets around an IPv6 address; without a port, only the host."""
    written = f"[{host}]" if ":" in host else host
    return written if port is None else f"{written}:{port}"


def parse_ae_address(text: str) -> tuple[str, str, int | None]:
    """Return title, host and port in *text*, ``AET@host`` or ``AET@host:port``, an IPv6 address in brackets.

    Raises :class:`MalformedInput`.
    """
    title, at_sign, host_and_port = text.partition("@")
    if not at_sign:
        raise MalformedInput("not the address of an AE", subject=repr(text), next_step=ADDRESS_FORM)
    return parse_ae_title(title), *parse_host_port(host_and_port)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Return the host and the port in *text*, ``host:port`` or ``host``, with an IPv6 address in brackets.

    Raises :class:`MalformedInput`.
    """
    bracketed = _IN_BRACKETS.fullmatch(text)
    if bracketed is not None:
        host, port = bracketed.groups()
    else:
        host, colon, rest = text.rpartition(":")
        host, port = (host, rest) if colon else (text, None)
        if ":" in host:
            raise MalformedInput("an IPv6 address requires brackets", subject=repr(text), next_step="[2001:db8::1]:104")
    return parse_host(host), None if port is None else parse_port(port)


def parse_host_or_port(text: str) -> tuple[str | None, int | None]:
    """Return the host and the port in *text*, as :func:`parse_host_port`; ``:port`` alone has no host.

    Raises :class:`MalformedInput`.
    """
    if text.startswith(":") and ":" not in text[1:]:
        return None, parse_port(text[1:])
    return parse_host_port(text)


def parse_host(text: str) -> str:
    """Return *text* if it is a host name or an IP address (IPv6 without brackets); raises :class:`MalformedInput`."""
    if problem := find_address_problem(text):
        raise MalformedInput(problem, subject=repr(text), next_step="use four numbers from 0 to 255, e.g. 10.1.2.3")
    if len(text) > _LONGEST_HOST or not (_HOST_NAME.fullmatch(text) or _is_address(text)):
        raise MalformedInput(
            "not a host name or IP address",
            subject=repr(text),
            next_step="a host name consists of letters, digits, hyphens and dots, e.g. ws1.example.org",
        )
    return text


def find_address_problem(host: str) -> str:
    """Return the problem of a *host* that consists of numbers; empty for a valid address and for a name."""
    if _ALL_NUMBERS.fullmatch(host) and not _is_address(host):
        return "not a valid IPv4 address"
    return ""


def parse_port(text: str) -> int:
    """Return the TCP port in *text*, 1 to 65535; the archive does not load a device with another port.

    Raises :class:`MalformedInput`.
    """
    # Python refuses to convert numbers of thousands of digits.
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= _HIGHEST_PORT):
        raise MalformedInput("not a TCP port", subject=repr(text), next_step="a port is a number from 1 to 65535")
    return int(text)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""Certificates in the tree that expire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from dcmcfg.dn import DN
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule

#: How long before the end it is told.
_AHEAD = timedelta(days=60)


def _certificates(survey: Survey) -> Iterator[tuple[DN, str, bytes, x509.Certificate | None]]:
    """Yield each certificate: entry, attribute, octets, and what they say; None where they cannot be read."""
    for entry in survey.tree.ordered():
        for attribute in entry.attributes:
            if attribute.name.partition(";")[0].lower() in ("usercertificate", "cacertificate"):
                for value in attribute.values:
                    try:
                        certificate = x509.load_der_x509_certificate(value)
                        _read_through(certificate)
                    except ValueError:
                        yield entry.dn, attribute.name, value, None
                    else:
                        yield entry.dn, attribute.name, value, certificate


def _read_through(certificate: x509.Certificate) -> None:
    """Raise :class:`ValueError` where a part that is only parsed when asked for is wrong."""
    _subject(certificate)
    _day(certificate.not_valid_before_utc)
    _day(certificate.not_valid_after_utc)


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without subject"


def _expired(survey: Survey) -> Iterator[Breach]:
    for dn, name, _, certificate in _certificates(survey):
        if certificate is not None and certificate.not_valid_after_utc <= survey.now:
            ended = _day(certificate.not_valid_after_utc)
            yield Breach(dn, f"{_subject(certificate)} expired on {ended}", name)
        elif certificate is not None and certificate.not_valid_before_utc > survey.now:
            begins = _day(certificate.not_valid_before_utc)
            yield Breach(dn, f"{_subject(certificate)} is not valid before {begins}", name)


def _expires(survey: Survey) -> Iterator[Breach]:
    for dn, name, _, certificate in _certificates(survey):
        if certificate is not None and survey.now < certificate.not_valid_after_utc <= survey.now + _AHEAD:
            ends = certificate.not_valid_after_utc
            days = (ends - survey.now).days
            yield Breach(dn, f"{_subject(certificate)} expires on {_day(ends)}, in {days} days", name)


def _unreadable(survey: Survey) -> Iterator[Breach]:
    for dn, name, value, certificate in _certificates(survey):
        if certificate is None:
            yield Breach(dn, f"{len(value)} octets that are no X.509 certificate", name)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


_REPLACE = "dcmcfg apply FILE"

RULES = (
    LintRule(
        "certificate-expired",
        "error",
        "A certificate in the tree is valid now.",
        "TLS connections to or from the node that it stands for fail.",
        "Put the new certificate in its place.",
        _REPLACE,
        _expired,
    ),
    LintRule(
        "certificate-expires",
        "warning",
        "A certificate in the tree is valid for 60 days more.",
        "TLS connections will fail from then on. Key stores in files (dcmKeyStoreURL) are not seen from the tree.",
        "Have it renewed.",
        _REPLACE,
        _expires,
    ),
    LintRule(
        "certificate-unreadable",
        "warning",
        "A certificate in the tree can be read.",
        "The archive cannot use it.",
        "Put it in again, in DER.",
        _REPLACE,
        _unreadable,
    ),
)

"""Rules for certificates in the tree: validity and format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dcmcfg.dn import DN
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema_names import USER_CERTIFICATE

if TYPE_CHECKING:
    from cryptography import x509

#: An entry, an attribute, the octets, and the parsed certificate; None if it is unreadable.
_Certificate = tuple[DN, str, bytes, "x509.Certificate | None"]
_ATTRIBUTES = (USER_CERTIFICATE.lower(), "cacertificate")
#: The time before expiry at which a certificate is reported.
_WARNING_PERIOD = timedelta(days=60)


def _find_certificates(context: LintContext) -> tuple[_Certificate, ...]:
    """Return the certificates in the tree, each parsed once for all rules."""
    return tuple(_iterate_certificates(context))


def _iterate_certificates(context: LintContext) -> Iterator[_Certificate]:
    for entry in context.tree.index.find_by_attributes(_holds_certificates):
        for attribute in filter(lambda each: _holds_certificates(each.name), entry.attributes):
            for value in attribute.values:
                yield entry.dn, attribute.name, value, _parse_certificate(value)


def _holds_certificates(name: str) -> bool:
    return name.partition(";")[0].lower() in _ATTRIBUTES


def _parse_certificate(value: bytes) -> x509.Certificate | None:
    from cryptography import x509  # most trees have no certificates, and the library loads slowly

    try:
        certificate = x509.load_der_x509_certificate(value)
        _parse_completely(certificate)
    except ValueError:
        return None
    return certificate


def _parse_completely(certificate: x509.Certificate) -> None:
    """Raise :class:`ValueError` if a part of the certificate that is parsed lazily is invalid."""
    _format_subject(certificate)
    _format_day(certificate.not_valid_before_utc)
    _format_day(certificate.not_valid_after_utc)


def _format_subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without a subject"


def _find_certificate_expired(context: LintContext) -> Iterator[Violation]:
    for dn, name, _, certificate in context.compute_once(_find_certificates):
        if certificate is not None and certificate.not_valid_after_utc <= context.now:
            ended = _format_day(certificate.not_valid_after_utc)
            yield Violation(dn, f"{_format_subject(certificate)} expired on {ended}", name)
        elif certificate is not None and certificate.not_valid_before_utc > context.now:
            begins = _format_day(certificate.not_valid_before_utc)
            yield Violation(dn, f"{_format_subject(certificate)} is not valid before {begins}", name)


def _find_certificate_expires(context: LintContext) -> Iterator[Violation]:
    for dn, name, _, certificate in context.compute_once(_find_certificates):
        if certificate is not None and context.now < certificate.not_valid_after_utc <= context.now + _WARNING_PERIOD:
            ends = certificate.not_valid_after_utc
            days = (ends - context.now).days
            yield Violation(dn, f"{_format_subject(certificate)} expires on {_format_day(ends)}, in {days} days", name)


def _find_certificate_unreadable(context: LintContext) -> Iterator[Violation]:
    for dn, name, value, certificate in context.compute_once(_find_certificates):
        if certificate is None:
            yield Violation(dn, f"the value ({len(value)} octets) is not an X.509 certificate", name)


def _format_day(timestamp: datetime) -> str:
    return f"{timestamp:%Y-%m-%d}"


_REPLACE_COMMAND = "dcmcfg apply FILE"

RULES = (
    LintRule(
        "certificate-expired",
        "error",
        requirement="Each certificate in the tree must currently be valid.",
        reason="Otherwise TLS connections fail for the node that has this certificate.",
        fix="Replace this certificate with a valid certificate.",
        example_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expired,
        needs_whole_tree=False,
    ),
    LintRule(
        "certificate-expires",
        "warning",
        requirement="Each certificate in the tree must be valid for at least 60 more days.",
        reason="After the expiry date, TLS connections fail. The check does not read key store files (dcmKeyStoreURL).",
        fix="Renew the certificate.",
        example_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expires,
        needs_whole_tree=False,
    ),
    LintRule(
        "certificate-unreadable",
        "warning",
        requirement="Each certificate in the tree must be readable.",
        reason="The archive cannot use an unreadable certificate.",
        fix="Store the certificate again, in DER encoding.",
        example_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_unreadable,
        part="formats",
        needs_whole_tree=False,
    ),
)

"""Rules for certificates in the tree: validity and format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dcmcfg.lint.certificates import TreeCertificate, find_certificates
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation

#: The time before expiry at which a certificate is reported.
_WARNING_PERIOD = timedelta(days=60)


def _find_certificates(context: LintContext) -> tuple[TreeCertificate, ...]:
    """Return the certificates in the tree, each parsed once for all rules."""
    return tuple(find_certificates(context.tree))


def _find_certificate_expired(context: LintContext) -> Iterator[Violation]:
    for each in context.compute_once(_find_certificates):
        validity = each.validity
        if validity is not None and validity.not_after <= context.now:
            yield Violation(each.dn, f"{validity.subject} expired on {_format_day(validity.not_after)}", each.attribute)
        elif validity is not None and validity.not_before > context.now:
            begins = _format_day(validity.not_before)
            yield Violation(each.dn, f"{validity.subject} is not valid before {begins}", each.attribute)


def _find_certificate_expires(context: LintContext) -> Iterator[Violation]:
    for each in context.compute_once(_find_certificates):
        validity = each.validity
        if validity is not None and context.now < validity.not_after <= context.now + _WARNING_PERIOD:
            ends = validity.not_after
            days = (ends - context.now).days
            message = f"{validity.subject} expires on {_format_day(ends)}, in {days} days"
            yield Violation(each.dn, message, each.attribute)


def _find_certificate_unreadable(context: LintContext) -> Iterator[Violation]:
    for each in context.compute_once(_find_certificates):
        if each.validity is None:
            message = f"the value ({each.octet_count} octets) is not an X.509 certificate"
            yield Violation(each.dn, message, each.attribute)


def _format_day(timestamp: datetime) -> str:
    return f"{timestamp:%Y-%m-%d}"


_REPLACE_COMMAND = "dcmcfg apply FILE"

RULES = (
    LintRule(
        "certificate-expired",
        "error",
        requirement="Each certificate in the configuration must currently be valid.",
        reason="If a certificate has expired or is not yet valid, TLS connections with this certificate fail.",
        fix="Replace the certificate with a valid certificate.",
        example_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expired,
        needs_whole_tree=False,
    ),
    LintRule(
        "certificate-expires",
        "warning",
        requirement="Each certificate in the configuration must be valid for at least 60 more days.",
        reason="After the expiry date, TLS connections fail. The check does not read key store files (dcmKeyStoreURL).",
        fix="Renew the certificate.",
        example_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_expires,
        needs_whole_tree=False,
    ),
    LintRule(
        "certificate-unreadable",
        "warning",
        requirement="Each certificate in the configuration must be readable.",
        reason="The archive cannot use an unreadable certificate.",
        fix="Store the certificate again, in DER encoding.",
        example_command=_REPLACE_COMMAND,
        find_violations=_find_certificate_unreadable,
        part="formats",
        needs_whole_tree=False,
    ),
)

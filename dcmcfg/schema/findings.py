"""Findings: problems of entries, each with the rule that it violates."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from dcmcfg.dn import DN

Severity = Literal["error", "warning", "note"]
#: The effect of a violation on the archive:
#:
#: ``unloadable``: a reload fails (409 or 500), and the next start of the archive fails.
#: ``stops-next-start``: a reload succeeds, but the next start fails.
#: ``reference``: the archive loads the value, although the named entry does not exist.
#: ``rule``: no direct effect; a rule of the schema, or advice.
Impact = Literal["unloadable", "stops-next-start", "reference", "rule"]


@dataclass(frozen=True)
class CheckRule:
    """A rule of ``dcmcfg check``: its identifier, the severity of a violation, the requirement and the impact."""

    name: str
    severity: Severity
    requirement: str
    impact: Impact = "rule"


UNKNOWN_ATTRIBUTE = CheckRule("unknown-attribute", "error", "The schema defines every attribute.")
UNKNOWN_CLASS = CheckRule("unknown-class", "error", "The schema defines every object class.")
MISSING_ATTRIBUTE = CheckRule(
    "missing-attribute", "error", "An entry has every attribute that its object classes require."
)
ATTRIBUTE_NOT_ALLOWED = CheckRule(
    "attribute-not-allowed", "error", "The object classes of an entry allow each of its attributes."
)
SINGLE_VALUED = CheckRule("single-valued", "error", "A single-valued attribute has only one value.")
DUPLICATE_VALUE = CheckRule(
    "duplicate-value", "error", "No attribute has two values that are equal by its equality rule."
)
DUPLICATE_ENTRY = CheckRule("duplicate-entry", "error", "No entry occurs twice.")
PARENT_MISSING = CheckRule("parent-missing", "error", "The parent of each entry exists.")
SYNTAX = CheckRule("syntax", "error", "A value conforms to the LDAP syntax of its attribute.")
FORMAT = CheckRule("format", "error", "A value has the format that the archive expects.", "unloadable")
ENUMERATION = CheckRule("enumeration", "error", "A value is one of the constants that the archive knows.", "unloadable")
PORT = CheckRule("port", "error", "A port is a number from 1 to 65535.", "unloadable")
REQUIRED_REFERENCE = CheckRule(
    "required-reference",
    "error",
    "A reference that the archive follows on load names an existing entry. A connection belongs to the same device.",
    "unloadable",
)
PROTOCOL = CheckRule(
    "protocol", "error", "The protocol of a connection fits the application that uses it.", "unloadable"
)
TLS = CheckRule(
    "tls",
    "error",
    "TLS cipher suites and versions of the archive's connections have names that Java knows.",
    "unloadable",
)
BIND_HOST = CheckRule(
    "bind-host", "error", "The bind address of an archive connection is a valid host name or address.", "unloadable"
)
KEY_STORE = CheckRule(
    "key-store", "error", "A key store of the archive has a type and a PIN or PIN property.", "stops-next-start"
)
DANGLING_REFERENCE = CheckRule("dangling-reference", "warning", "A reference names an existing entry.", "reference")
AE_TITLE = CheckRule("ae-title", "error", "An AE title consists of 1 to 16 characters that DICOM allows (PS3.5, AE).")
HOST = CheckRule("host", "warning", "A host that consists of numbers is an IPv4 address: four numbers from 0 to 255.")
TAG = CheckRule(
    "tag", "warning", "A tag consists of eight hexadecimal digits. The archive reads other text as a different tag."
)
VALUE_NOT_OFFERED = CheckRule(
    "value-not-offered", "warning", "A value is one of the values that the archive's web form offers."
)
OUT_OF_RANGE = CheckRule("out-of-range", "warning", "A number is within the range that the archive's web form allows.")

RULES = (
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_CLASS,
    MISSING_ATTRIBUTE,
    ATTRIBUTE_NOT_ALLOWED,
    SINGLE_VALUED,
    DUPLICATE_VALUE,
    DUPLICATE_ENTRY,
    PARENT_MISSING,
    SYNTAX,
    FORMAT,
    ENUMERATION,
    PORT,
    REQUIRED_REFERENCE,
    PROTOCOL,
    TLS,
    BIND_HOST,
    KEY_STORE,
    DANGLING_REFERENCE,
    AE_TITLE,
    HOST,
    TAG,
    VALUE_NOT_OFFERED,
    OUT_OF_RANGE,
)


@dataclass(frozen=True)
class SourceLocation:
    """The location of an entry, value, change or row in a file; ``line`` is the number of its first line, from 1.

    ``ae_number`` distinguishes several AEs on one line; None if there is at most one.
    """

    file: str
    line: int
    ae_number: int | None = None

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}"
        return text if self.ae_number is None else f"{text} (AE {self.ae_number})"


@dataclass(frozen=True)
class EntryFinding:
    """A violation of ``rule`` by the entry ``dn``.

    ``attribute`` is empty if the finding is about the whole entry, ``value`` is None if it is not about a single value.
    ``message`` never repeats a value, which may be a secret. ``location`` is None unless the entry comes from a file.
    """

    rule: CheckRule
    dn: DN
    attribute: str
    message: str
    _: KW_ONLY
    value: bytes | None = None
    severity: Severity = "error"
    location: SourceLocation | None = None

    @property
    def impact(self) -> Impact:
        """The effect of the violation on the archive."""
        return self.rule.impact

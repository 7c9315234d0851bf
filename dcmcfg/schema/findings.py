"""Finding: what is wrong with an entry, by the rule that says so."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from dcmcfg.dn import DN

Severity = Literal["error", "warning", "note"]
#: What a breach does to the archive:
#:
#: ``unloadable``: a reload answers 409 or 500, and the next start of the archive fails.
#: ``stops-next-start``: a reload accepts it, and the next start fails.
#: ``reference``: the archive loads it, although it names something that does not exist.
#: ``rule``: a rule of the schema, or advice.
Impact = Literal["unloadable", "stops-next-start", "reference", "rule"]


@dataclass(frozen=True)
class CheckRule:
    """A rule of ``dcmcfg check``: its identifier, how bad a breach is, what it asks for, what a breach does."""

    name: str
    severity: Severity
    requirement: str
    impact: Impact = "rule"


UNKNOWN_ATTRIBUTE = CheckRule("unknown-attribute", "error", "Every attribute is defined by the schema.")
UNKNOWN_CLASS = CheckRule("unknown-class", "error", "Every object class is defined by the schema.")
MISSING_ATTRIBUTE = CheckRule("missing-attribute", "error", "An entry has every attribute that its classes require.")
ATTRIBUTE_NOT_ALLOWED = CheckRule(
    "attribute-not-allowed", "error", "Each attribute is allowed by a class of the entry."
)
SINGLE_VALUED = CheckRule("single-valued", "error", "A single-valued attribute has one value.")
DUPLICATE_VALUE = CheckRule(
    "duplicate-value", "error", "No attribute has a value twice, as its equality rule compares."
)
DUPLICATE_ENTRY = CheckRule("duplicate-entry", "error", "No entry is given twice.")
PARENT_MISSING = CheckRule("parent-missing", "error", "An entry has a parent.")
SYNTAX = CheckRule("syntax", "error", "A value is of its attribute's LDAP syntax.")
FORMAT = CheckRule("format", "error", "A value is in the format that the archive parses.", "unloadable")
ENUMERATION = CheckRule("enumeration", "error", "A value is one of those that the archive knows.", "unloadable")
PORT = CheckRule("port", "error", "A port is from 1 to 65535.", "unloadable")
REQUIRED_REFERENCE = CheckRule(
    "required-reference",
    "error",
    "A reference that the archive follows on load names an existing entry; a connection is one of the same device.",
    "unloadable",
)
PROTOCOL = CheckRule(
    "protocol", "error", "A connection has the protocol of the application that uses it.", "unloadable"
)
TLS = CheckRule(
    "tls", "error", "TLS cipher suites and versions of the archive's connections are names of Java.", "unloadable"
)
BIND_HOST = CheckRule(
    "bind-host", "error", "The host that a connection of the archive listens on can be a host name.", "unloadable"
)
KEY_STORE = CheckRule(
    "key-store", "error", "A key store of the archive has a type, and a PIN or its property.", "stops-next-start"
)
DANGLING_REFERENCE = CheckRule("dangling-reference", "warning", "A reference names an entry that exists.", "reference")
AE_TITLE = CheckRule("ae-title", "error", "An AE title is 1 to 16 characters of DICOM's (PS3.5, AE).")
HOST = CheckRule("host", "warning", "A host of numbers alone is an IPv4 address: four of them, from 0 to 255.")
TAG = CheckRule("tag", "warning", "A tag is eight hexadecimal digits; the archive takes other text for another tag.")
VALUE_NOT_OFFERED = CheckRule(
    "value-not-offered", "warning", "A value is one of those that the archive's web form offers."
)
OUT_OF_RANGE = CheckRule("out-of-range", "warning", "A number is within the bounds that the archive's web form sets.")

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
    """Where an entry, a value of it, a change or a row stands in a file; ``line`` is that of its first line, from 1.

    ``ae_number`` tells apart the AEs of one line, None where it has one at most.
    """

    file: str
    line: int
    ae_number: int | None = None

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}"
        return text if self.ae_number is None else f"{text} (AE {self.ae_number})"


@dataclass(frozen=True)
class EntryFinding:
    """A breach of ``rule`` by the entry ``dn``.

    ``attribute`` is empty where the entry as a whole is meant, ``value`` None where no single value is. ``message``
    never repeats a value that may be a secret. ``location`` is None unless the entry was read from a file.
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
        """What the breach does to the archive."""
        return self.rule.impact

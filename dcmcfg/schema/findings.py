"""Findings: problems of entries, each with the rule that it violates."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from dcmcfg.changes import Change
from dcmcfg.dn import DN

Severity = Literal["error", "warning", "note"]
#: The worst first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
#: The effect of a violation on the archive:
#:
#: ``unloadable``: a reload fails (409 or 500), and the next start of the archive fails.
#: ``stops-next-start``: a reload succeeds, but the next start fails.
#: ``reference``: the archive loads the value, although the named entry does not exist.
#: ``rule``: no direct effect; a rule of the schema, or advice.
Impact = Literal["unloadable", "stops-next-start", "reference", "rule"]


#: The subject of a rule: the schema, the format of values, references, the combination of settings, the archive's own
#: JSON of its device, or the environment of the archive's containers.
Part = Literal["schema", "formats", "references", "rules", "archive-view", "environment"]
PARTS: tuple[Part, ...] = ("schema", "formats", "references", "rules", "archive-view", "environment")
#: Parts that require more input than the entries: they are checked only on request.
OPTIONAL_PARTS: tuple[Part, ...] = ("archive-view", "environment")

_OTHER_VALUE = "Correct the value. `dcmcfg explain ATTRIBUTE` shows the expected format."


@dataclass(frozen=True)
class CheckRule:
    """A rule of ``dcmcfg check``: its name, the severity of a violation, the requirement, and the impact.

    ``part`` is the subject of the rule, ``reason`` the consequence of a violation, and ``fix`` the correction.
    """

    name: str
    severity: Severity
    requirement: str
    impact: Impact = "rule"
    _: KW_ONLY
    part: Part
    fix: str = _OTHER_VALUE
    reason: str = ""
    #: Whether ``--fix`` can fix some violations.
    is_auto_fixable: bool = False


UNKNOWN_ATTRIBUTE = CheckRule(
    "unknown-attribute",
    "error",
    "The schema must define every attribute.",
    part="schema",
    fix="Correct the name of the attribute, or remove the attribute.",
    reason="A directory server rejects the entry.",
)
UNKNOWN_CLASS = CheckRule(
    "unknown-class",
    "error",
    "The schema must define every object class.",
    part="schema",
    fix="Correct the name of the object class, or remove the value.",
    reason="A directory server rejects the entry.",
)
MISSING_ATTRIBUTE = CheckRule(
    "missing-attribute",
    "error",
    "An entry must have every attribute that its object classes require.",
    part="schema",
    fix="Set the missing attribute.",
    reason="A directory server rejects the entry.",
)
ATTRIBUTE_NOT_ALLOWED = CheckRule(
    "attribute-not-allowed",
    "error",
    "The object classes of an entry must allow each attribute of the entry.",
    part="schema",
    fix="Remove the attribute, or add an object class that allows the attribute.",
    reason="A directory server rejects the entry.",
)
SINGLE_VALUED = CheckRule(
    "single-valued",
    "error",
    "A single-valued attribute must have only one value.",
    part="schema",
    fix="Keep one value.",
    reason="A directory server rejects the entry.",
)
DUPLICATE_VALUE = CheckRule(
    "duplicate-value",
    "error",
    "An attribute must not have the same value twice. The equality rule of the attribute defines which values are the "
    "same.",
    part="schema",
    fix="Remove the second value.",
    reason="A directory server rejects the entry.",
)
DUPLICATE_ENTRY = CheckRule(
    "duplicate-entry",
    "error",
    "An entry must not occur twice.",
    part="schema",
    fix="Remove the second record.",
    reason="A directory server rejects the second entry.",
)
PARENT_MISSING = CheckRule(
    "parent-missing",
    "error",
    "The parent of each entry must exist.",
    part="schema",
    fix="Add the parent, or remove the entry.",
    reason="A directory server rejects the entry.",
)
SYNTAX = CheckRule(
    "syntax",
    "error",
    "A value must conform to the LDAP syntax of its attribute.",
    part="schema",
    reason="A directory server rejects the value.",
)
FORMAT = CheckRule(
    "format",
    "error",
    "A value must have the format that the archive expects.",
    "unloadable",
    part="formats",
    reason="The archive cannot load the device.",
)
ENUMERATION = CheckRule(
    "enumeration",
    "error",
    "A value must be one of the constants that the archive knows.",
    "unloadable",
    part="formats",
    reason="The archive cannot load the device.",
)
PORT = CheckRule(
    "port",
    "error",
    "A port must be a number from 1 to 65535.",
    "unloadable",
    part="formats",
    reason="The archive cannot load the device.",
)
REQUIRED_REFERENCE = CheckRule(
    "required-reference",
    "error",
    "Each entry to which a device refers must exist when the archive loads the device. A referenced connection must "
    "belong to the same device.",
    "unloadable",
    part="references",
    fix="Remove the reference, or add the missing entry.",
    reason="The archive cannot load the device.",
)
PROTOCOL = CheckRule(
    "protocol",
    "error",
    "The protocol of a connection must match the application that uses the connection.",
    "unloadable",
    part="references",
    fix="Refer to a connection with the right protocol, or correct dcmProtocol of the connection.",
    reason="The archive cannot load the device.",
)
TLS = CheckRule(
    "tls",
    "error",
    "The TLS cipher suites and TLS versions of archive connections must have valid Java names.",
    "unloadable",
    part="formats",
    reason="The archive cannot open the port.",
)
BIND_HOST = CheckRule(
    "bind-host",
    "error",
    "The bind address of an archive connection must be a valid host name or address.",
    "unloadable",
    part="formats",
    reason="The archive cannot open the port.",
)
KEY_STORE = CheckRule(
    "key-store",
    "error",
    "A key store of the archive must have a type. The key store must also have a PIN or a PIN property.",
    "stops-next-start",
    part="formats",
    fix="Set the missing attribute.",
    reason="A reload keeps the old key. The next start of the archive fails.",
)
DANGLING_REFERENCE = CheckRule(
    "dangling-reference",
    "warning",
    "A reference must refer to an existing entry.",
    "reference",
    part="references",
    fix="Remove the reference, or add the missing entry.",
    reason="The archive loads the device without the missing entry.",
)
AE_TITLE = CheckRule(
    "ae-title",
    "error",
    "An AE title must consist of 1 to 16 characters that DICOM allows (PS3.5, AE).",
    part="formats",
    reason="No association can use the title.",
)
HOST = CheckRule(
    "host",
    "warning",
    "A host that consists of numbers must be an IPv4 address: four numbers from 0 to 255.",
    part="formats",
    reason="Java reads 10.1.2 as 10.1.0.2.",
)
TAG = CheckRule(
    "tag",
    "warning",
    "A tag must consist of eight hexadecimal digits.",
    part="formats",
    reason="If the value has another form, the archive reads a different tag.",
)
VALUE_NOT_OFFERED = CheckRule(
    "value-not-offered",
    "warning",
    "A value must be one of the values that the archive's web form offers.",
    part="formats",
    reason="The web form cannot show the value. The value may be a typo.",
)
OUT_OF_RANGE = CheckRule(
    "out-of-range",
    "warning",
    "A number must be within the range that the archive's web form allows.",
    part="formats",
    reason="The web form refuses to save the device.",
)

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

    ``fix_command`` has the words after ``dcmcfg`` of the command that fixes only this finding, if there is one.
    ``fix_changes`` fix it if no decision is necessary, otherwise they are empty. ``correction_commands`` have the words
    of commands that correct a name which is probably a typo; if it is not, ``fix_command`` fixes the finding.
    """

    rule: CheckRule
    dn: DN
    attribute: str
    message: str
    _: KW_ONLY
    value: bytes | None = None
    severity: Severity = "error"
    location: SourceLocation | None = None
    fix_command: tuple[str, ...] = ()
    fix_changes: tuple[Change, ...] = ()
    correction_commands: tuple[tuple[str, ...], ...] = ()

    @property
    def impact(self) -> Impact:
        """The effect of the violation on the archive."""
        return self.rule.impact


def format_fix(finding: EntryFinding) -> str:
    """Return how to correct *finding*, with its attribute in place of ``ATTRIBUTE``."""
    return finding.rule.fix.replace("ATTRIBUTE", finding.attribute) if finding.attribute else finding.rule.fix

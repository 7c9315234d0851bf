"""Validate an entry after an edit, with the rules of ``dcmcfg check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.loadability import prevents_loading
from dcmcfg.plan.warnings import check_new_values, format_finding
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import check_structure
from dcmcfg.schema.values import ValueRules
from dcmcfg.schema_names import DICOM_NETWORK_CONNECTION_OBJECT_CLASS

_CERTIFICATE = "Certificate"
_PEM = b"-----BEGIN"
#: Kinds of entries with a rename command of their own.
_RENAME_COMMANDS = {EntityKind.DEVICE: "device rename", EntityKind.AE: "ae rename"}
#: The kinds of entries that can be renamed.
_RENAMEABLE_KINDS = (
    EntityKind.DEVICE,
    EntityKind.AE,
    EntityKind.EXPORTER,
    EntityKind.QUEUE,
    EntityKind.STORAGE,
    EntityKind.VIEW,
    EntityKind.WEB_APP,
)


def require_valid_entry(schema: Schema, before: Entry | None, after: Entry, more_problems: Iterable[str] = ()) -> None:
    """Raise :class:`Refused` with all errors that ``dcmcfg check`` reports for *after*, and *more_problems*.

    Errors that existed *before* (None: the entry is new) are ignored, but not the loss of the naming value. Settings
    that the archive cannot load are ignored too: the plan reports them as a risk, which the user can accept.
    """
    _require_naming_values(schema, after)
    problems = [
        *_find_structure_problems(schema, before, after),
        *_find_value_problems(schema, before, after),
        *more_problems,
    ]
    if len(problems) == 1:
        raise Refused(problems[0], subject=str(after.dn))
    if problems:
        raise Refused(f"{len(problems)} problems:", subject=str(after.dn), details=problems)


def _require_naming_values(schema: Schema, after: Entry) -> None:
    for kind, text in after.dn.rdn.parts if after.dn.rdns else ():
        known = schema.attribute(kind)
        name = known.name if known is not None else kind
        naming_value = schema.normalise_value(name, text.encode("utf-8", "surrogateescape"))
        if not any(schema.normalise_value(name, text) == naming_value for text in after.values(name)):
            raise Refused(
                f"{name} is part of the DN of the entry and must keep the value {text!r}",
                subject=str(after.dn),
                next_step=suggest_rename(after),
            )


def suggest_rename(entry: Entry) -> str:
    """Return the next step that gives *entry* another name."""
    if is_renameable(entry):
        command = next(
            (name for kind, name in _RENAME_COMMANDS.items() if entry.is_a(kind.value.object_class)), "rename"
        )
        return f"to rename the entry and update all references to the entry: dcmcfg {command}"
    if entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
        return (
            "to add a connection with another name: dcmcfg connection add; "
            "to remove this connection: dcmcfg connection remove --detach"
        )
    return (
        "add an entry with the new name, change each reference from the old entry to the new entry, "
        "then delete the old entry"
    )


def is_renameable(entry: Entry) -> bool:
    """Return whether dcmcfg can rename *entry*, because other entries refer to its kind by name."""
    return any(entry.is_a(kind.value.object_class) for kind in _RENAMEABLE_KINDS)


def _find_structure_problems(schema: Schema, before: Entry | None, after: Entry) -> Iterator[str]:
    findings = check_structure(schema, before) if before is not None else ()
    known = {(finding.rule, finding.message) for finding in findings}
    for finding in check_structure(schema, after):
        if (finding.rule, finding.message) not in known:
            yield finding.message


def _find_value_problems(schema: Schema, before: Entry | None, after: Entry) -> Iterator[str]:
    # The risks dangling-reference and unloadable check references, and settings that the archive cannot load.
    for finding in check_new_values(ValueRules(schema, entry_exists=lambda _: True), before, after):
        if finding.severity == "error" and not prevents_loading(finding, schema):
            yield format_finding(finding)
    for attribute in after.attributes:
        known = schema.attribute(attribute.name)
        if known is not None and known.syntax == _CERTIFICATE and any(v.startswith(_PEM) for v in attribute.values):
            yield f"{known.name}: a directory stores certificates as DER; to convert PEM: openssl x509 -outform DER"

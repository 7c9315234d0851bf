"""Rules for exporters to external archives and for export rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import Device
from dcmcfg.schema_names import (
    DCM_PROPERTY,
    DCM_URI,
    EXPORTER_ID,
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AET,
    RETRIEVE_AET,
    STG_CMT_SCP,
    STORAGE_OBJECT_CLASS,
)

_PREFIX = "dicom:"
#: The schemes of the archive's implementations of ExporterProvider.
_SCHEMES = (
    "curve2pr",
    "dicom",
    "fhir",
    "hl7",
    "hl7oru",
    "impax-report",
    "jivex-report",
    "noop",
    "pr2ko",
    "storage",
    "stow",
    "ups",
    "wado",
    "xds-i",
)
_SENDER = re.compile(r"SendingApplicationEntityTitle(!?)=(.*)", re.DOTALL)


def _parse_destination(exporter: Entry) -> str | None:
    uri = exporter.text(DCM_URI) or ""
    return uri.removeprefix(_PREFIX) if uri.startswith(_PREFIX) else None


def _find_fetch_sources(context: LintContext, device: Device) -> set[str]:
    storages = context.find_parts(device, STORAGE_OBJECT_CLASS)
    return {title for storage in storages for title in storage.texts(EXTERNAL_RETRIEVE_AET)}


def _find_no_storage_commitment(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        external = _find_fetch_sources(context, device)
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            title = _parse_destination(exporter)
            # StgCmtEJB records the external archive from the result of a storage commitment, never from the export.
            if title in external and STG_CMT_SCP not in exporter:
                message = (
                    "the exporter requests no storage commitment, so the archive never records which studies are on "
                    f"{title}"
                )
                command = ("set", context.format_target(exporter), f"dcmStgCmtSCP={title}")
                yield Violation(exporter.dn, message, STG_CMT_SCP, fix_command=command)


def _find_several_retrieve_aets(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            values = exporter.values(RETRIEVE_AET)
            # StgCmtEJB uses the first element of the attribute, but LDAP values have no order.
            if len(values) > 1 and STG_CMT_SCP in exporter:
                message = (
                    f"the archive records only one of these {len(values)} values; LDAP values have no order, so the "
                    "archive can record any of the values"
                )
                yield Violation(exporter.dn, message, RETRIEVE_AET)


def _find_export_loop(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        external = _find_fetch_sources(context, device)
        exporters = {
            each.text(EXPORTER_ID): _parse_destination(each)
            for each in context.find_parts(device, EXPORTER_OBJECT_CLASS)
        }
        for rule in context.find_parts(device, "dcmExportRule"):
            for title in dict.fromkeys(exporters.get(name) for name in rule.texts(EXPORTER_ID)):
                if title in external and _matches_sender(rule, title or ""):
                    message = f"studies retrieved from {title} are exported to {title} again"
                    condition = f"dcmProperty+=SendingApplicationEntityTitle!={title}"
                    command = ("set", context.format_target(rule), condition)
                    yield Violation(rule.dn, message, DCM_PROPERTY, fix_command=command)


def _matches_sender(rule: Entry, sender: str) -> bool:
    """Return whether the conditions of *rule* match objects from *sender*.

    A pattern that only Java can parse counts as a match.
    """
    for condition in rule.texts(DCM_PROPERTY):
        match = _SENDER.fullmatch(condition)
        if match is not None:
            try:
                matches = re.fullmatch(match[2], sender) is not None
            except re.error:
                continue
            # ``!`` negates the pattern. A condition that does not hold excludes the object.
            if matches == bool(match[1]):
                return False
    return True


def _find_exporter_scheme_unknown(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        for exporter in context.find_parts(device, EXPORTER_OBJECT_CLASS):
            for value in exporter.values(DCM_URI):
                scheme, colon, _ = value.decode("utf-8", "replace").partition(":")
                # Observed on 5.35.1: the archive loads an unknown scheme, but nothing is exported.
                if not colon or scheme not in _SCHEMES:
                    problem = f"the scheme {scheme} is unknown" if colon else "the scheme is missing"
                    message = f"{problem}; supported schemes: {', '.join(_SCHEMES)}"
                    yield Violation(exporter.dn, message, DCM_URI, value)


RULES = (
    LintRule(
        "no-storage-commitment",
        "error",
        requirement="If studies are retrieved from an external archive, each exporter to this external archive must "
        "request storage commitment.",
        reason="The archive records the external archive of a study only after a storage commitment. Without a storage "
        "commitment, the recorded AE title stays `*`, and the archive purges nothing.",
        fix="Set dcmStgCmtSCP.",
        example_command="dcmcfg set DN dcmStgCmtSCP=AET",
        find_violations=_find_no_storage_commitment,
    ),
    LintRule(
        "exporter-scheme-unknown",
        "warning",
        requirement="The dcmURI of an exporter must begin with a scheme that the archive supports.",
        reason="The archive loads an exporter with an unsupported scheme, but every task of this exporter fails, "
        "unless an extension of the archive supports the scheme.",
        fix="Correct the scheme. If an extension of the archive supports the scheme, ignore this warning.",
        example_command="dcmcfg set DN dcmURI=dicom:AET",
        find_violations=_find_exporter_scheme_unknown,
        part="formats",
        needs_whole_tree=False,
    ),
    LintRule(
        "several-retrieve-aets",
        "warning",
        requirement="An exporter that requests storage commitment must not have more than one value of dcmRetrieveAET.",
        reason="The archive uses only the first value that the directory returns. The archive records this value as "
        "the external archive of the study, and ignores the other values.",
        fix="Keep only the AE title from which studies should be retrieved.",
        example_command="dcmcfg set DN dcmRetrieveAET-=AET",
        find_violations=_find_several_retrieve_aets,
        needs_whole_tree=False,
    ),
    LintRule(
        "export-loop",
        "error",
        requirement="An export rule to an external archive must exclude objects that come from the same external "
        "archive.",
        reason="If the rule does not exclude objects from the external archive, the archive exports every retrieved "
        "study again.",
        fix="Add the condition SendingApplicationEntityTitle!=AET.",
        example_command="dcmcfg set DN dcmProperty+=SendingApplicationEntityTitle!=AET",
        find_violations=_find_export_loop,
    ),
)

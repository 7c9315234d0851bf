"""Storages from which studies are purged because an external archive has them."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import Device
from dcmcfg.schema_names import (
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AET,
    EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY,
    RETRIEVE_AET,
    STG_CMT_SCP,
    STORAGE_OBJECT_CLASS,
)

_DURATION = "dcmStorageDuration"
_TRIGGERS = (
    "dcmDeleterThreshold",
    "dcmDeleteStudiesOlderThan",
    "dcmDeleteStudiesReceivedBefore",
    "dcmDeleteStudiesNotUsedSince",
)


def _iterate_storages(context: LintContext) -> Iterator[tuple[Device, Entry]]:
    for device in context.archives:
        for storage in context.find_parts(device, STORAGE_OBJECT_CLASS):
            yield device, storage


def _get_duration(entry: Entry) -> str:
    return entry.text(_DURATION) or "PERMANENT"


def _is_triggered(storage: Entry) -> bool:
    return any(name in storage for name in _TRIGGERS)


def find_recorded_titles(context: LintContext, device: Device) -> set[str]:
    """Return the titles that a storage commitment may record as where a study can be fetched from (StgCmtEJB)."""
    exporters = [each for each in context.find_parts(device, EXPORTER_OBJECT_CLASS) if STG_CMT_SCP in each]
    return {each.text(RETRIEVE_AET) or each.text(STG_CMT_SCP) or "" for each in exporters}


def _find_external_storage_not_cache(context: LintContext) -> Iterator[Violation]:
    for _, storage in _iterate_storages(context):
        if EXTERNAL_RETRIEVE_AET in storage and _get_duration(storage) != "CACHE":
            consequence = (
                "nothing is purged"
                if _get_duration(storage) == "PERMANENT"
                else "purged studies are forgotten altogether"
            )
            message = f"it is {_get_duration(storage)}: {consequence}"
            command = ("set", context.format_target(storage), f"{_DURATION}=CACHE")
            yield Violation(storage.dn, message, _DURATION, fix_command=command)


def _find_purge_without_copy(context: LintContext) -> Iterator[Violation]:
    for _, storage in _iterate_storages(context):
        purges = _is_triggered(storage) or storage.text("dcmNoDeletionConstraint") == "TRUE"
        if (
            _get_duration(storage) == "CACHE"
            and purges
            and EXTERNAL_RETRIEVE_AET not in storage
            and "dcmExportStorageID" not in storage
        ):
            yield Violation(storage.dn, "it purges studies without asking for a copy elsewhere", EXTERNAL_RETRIEVE_AET)


def _find_cache_never_purged(context: LintContext) -> Iterator[Violation]:
    for device, storage in _iterate_storages(context):
        if _get_duration(storage) != "CACHE":
            continue
        if not _is_triggered(storage) and storage.text("dcmNoDeletionConstraint") != "TRUE":
            message = "it has neither a threshold nor a retention, so nothing is purged"
            yield Violation(storage.dn, message, "dcmDeleterThreshold")
        elif "dcmPurgeStoragePollingInterval" not in device.entry:
            message = "the archive has no dcmPurgeStoragePollingInterval, so nothing is purged"
            yield Violation(storage.dn, message, _DURATION)


def _find_external_archive_never_recorded(context: LintContext) -> Iterator[Violation]:
    for device, storage in _iterate_storages(context):
        external_titles, titles = storage.texts(EXTERNAL_RETRIEVE_AET), find_recorded_titles(context, device)
        if external_titles and not titles & set(external_titles):
            reason = f"commitments record {', '.join(sorted(titles))}" if titles else "no exporter asks for commitment"
            yield Violation(
                storage.dn, f"{reason}, so nothing is purged", EXTERNAL_RETRIEVE_AET, external_titles[0].encode()
            )


def _find_purged_without_availability(context: LintContext) -> Iterator[Violation]:
    for _, storage in _iterate_storages(context):
        if EXTERNAL_RETRIEVE_AET in storage and EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY not in storage:
            message = "purged studies keep showing as ONLINE"
            command = ("set", context.format_target(storage), "dcmExternalRetrieveInstanceAvailability=NEARLINE")
            yield Violation(storage.dn, message, EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY, fix_command=command)


def _find_availability_without_effect(context: LintContext) -> Iterator[Violation]:
    name = EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY
    for _, storage in _iterate_storages(context):
        for value in storage.values(name) if EXTERNAL_RETRIEVE_AET not in storage else ():
            yield Violation(storage.dn, f"it has no {EXTERNAL_RETRIEVE_AET}, so this has no effect", name, value)


RULES = (
    LintRule(
        "external-storage-not-cache",
        "error",
        requirement="A storage with dcmExternalRetrieveAET is a CACHE.",
        reason="PERMANENT (the default) never purges; TEMPORARY removes the records too, so nothing can be fetched "
        "any more.",
        fix="Set dcmStorageDuration to CACHE.",
        fix_command="dcmcfg set DN dcmStorageDuration=CACHE",
        find_violations=_find_external_storage_not_cache,
        needs_whole_tree=False,
    ),
    LintRule(
        "purge-without-copy",
        "error",
        requirement="A storage that purges asks for a copy elsewhere first.",
        reason="With neither dcmExternalRetrieveAET nor dcmExportStorageID the only copy is deleted.",
        fix="Say where the copy has to be.",
        fix_command="dcmcfg set DN dcmExternalRetrieveAET=AET",
        find_violations=_find_purge_without_copy,
        needs_whole_tree=False,
    ),
    LintRule(
        "cache-never-purged",
        "warning",
        requirement="A CACHE has something that sets purging off.",
        reason="It fills up. What counts is a threshold, a retention or dcmNoDeletionConstraint, and the archive's "
        "polling.",
        fix="Set a threshold or a retention, and the polling interval.",
        fix_command="dcmcfg set DN dcmDeleterThreshold=SIZE",
        find_violations=_find_cache_never_purged,
    ),
    LintRule(
        "external-archive-never-recorded",
        "error",
        requirement="A title in dcmExternalRetrieveAET is one that a storage commitment records.",
        reason="A study is purged only when its recorded external archive is on the list. Recorded is the exporter's "
        "first dcmRetrieveAET, else what the external archive answers, as a rule its own title.",
        fix="Give the exporter dcmStgCmtSCP, and name what it records.",
        fix_command="dcmcfg set DN dcmStgCmtSCP=AET",
        find_violations=_find_external_archive_never_recorded,
    ),
    LintRule(
        "purged-without-availability",
        "note",
        requirement="A storage with dcmExternalRetrieveAET says what purged studies show as.",
        reason="Without dcmExternalRetrieveInstanceAvailability purged studies show as ONLINE; nobody sees that a "
        "retrieve "
        "takes long. With it, a study keeps the value after a recall, so it does not show where the files are.",
        fix="Set it to NEARLINE or OFFLINE.",
        fix_command="dcmcfg set DN dcmExternalRetrieveInstanceAvailability=NEARLINE",
        find_violations=_find_purged_without_availability,
        needs_whole_tree=False,
    ),
    LintRule(
        "availability-without-effect",
        "note",
        requirement="A storage with dcmExternalRetrieveInstanceAvailability has dcmExternalRetrieveAET.",
        reason="The availability is set when a study is purged because an external archive has it, and else never.",
        fix="Name the external archive, or unset the availability.",
        fix_command="dcmcfg unset DN dcmExternalRetrieveInstanceAvailability",
        find_violations=_find_availability_without_effect,
        needs_whole_tree=False,
    ),
)

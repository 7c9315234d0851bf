"""Storages from which studies are purged because an external archive has them."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.model.devices import Device

_AET = "dcmExternalRetrieveAET"
_DURATION = "dcmStorageDuration"
_TRIGGERS = (
    "dcmDeleterThreshold",
    "dcmDeleteStudiesOlderThan",
    "dcmDeleteStudiesReceivedBefore",
    "dcmDeleteStudiesNotUsedSince",
)


def _storages(survey: Survey) -> Iterator[tuple[Device, Entry]]:
    for device in survey.archives:
        for storage in survey.parts(device, "dcmStorage"):
            yield device, storage


def _duration(entry: Entry) -> str:
    return entry.text(_DURATION) or "PERMANENT"


def _is_triggered(storage: Entry) -> bool:
    return any(name in storage for name in _TRIGGERS)


def recorded(survey: Survey, device: Device) -> set[str]:
    """Return the titles that a storage commitment may record as where a study can be fetched from (StgCmtEJB)."""
    exporters = [each for each in survey.parts(device, "dcmExporter") if "dcmStgCmtSCP" in each]
    return {each.text("dcmRetrieveAET") or each.text("dcmStgCmtSCP") or "" for each in exporters}


def _not_cache(survey: Survey) -> Iterator[Breach]:
    for _, storage in _storages(survey):
        if _AET in storage and _duration(storage) != "CACHE":
            done = (
                "nothing is purged" if _duration(storage) == "PERMANENT" else "purged studies are forgotten altogether"
            )
            message = f"it is {_duration(storage)}: {done}"
            command = ("set", survey.target(storage), f"{_DURATION}=CACHE")
            yield Breach(storage.dn, message, _DURATION, command=command)


def _no_copy(survey: Survey) -> Iterator[Breach]:
    for _, storage in _storages(survey):
        purges = _is_triggered(storage) or storage.text("dcmNoDeletionConstraint") == "TRUE"
        if _duration(storage) == "CACHE" and purges and _AET not in storage and "dcmExportStorageID" not in storage:
            yield Breach(storage.dn, "it purges studies without asking for a copy elsewhere", _AET)


def _never_purged(survey: Survey) -> Iterator[Breach]:
    for device, storage in _storages(survey):
        if _duration(storage) != "CACHE":
            continue
        if not _is_triggered(storage) and storage.text("dcmNoDeletionConstraint") != "TRUE":
            message = "it has neither a threshold nor a retention, so nothing is purged"
            yield Breach(storage.dn, message, "dcmDeleterThreshold")
        elif "dcmPurgeStoragePollingInterval" not in device.entry:
            message = "the archive has no dcmPurgeStoragePollingInterval, so nothing is purged"
            yield Breach(storage.dn, message, _DURATION)


def _never_recorded(survey: Survey) -> Iterator[Breach]:
    for device, storage in _storages(survey):
        wanted, titles = storage.texts(_AET), recorded(survey, device)
        if wanted and not titles & set(wanted):
            found = f"commitments record {', '.join(sorted(titles))}" if titles else "no exporter asks for commitment"
            yield Breach(storage.dn, f"{found}, so nothing is purged", _AET, wanted[0].encode())


def _availability(survey: Survey) -> Iterator[Breach]:
    for _, storage in _storages(survey):
        if _AET in storage and "dcmExternalRetrieveInstanceAvailability" not in storage:
            message = "purged studies keep showing as ONLINE"
            command = ("set", survey.target(storage), "dcmExternalRetrieveInstanceAvailability=NEARLINE")
            yield Breach(storage.dn, message, "dcmExternalRetrieveInstanceAvailability", command=command)


def _no_effect(survey: Survey) -> Iterator[Breach]:
    name = "dcmExternalRetrieveInstanceAvailability"
    for _, storage in _storages(survey):
        for value in storage.values(name) if _AET not in storage else ():
            yield Breach(storage.dn, f"it has no {_AET}, so this has no effect", name, value)


RULES = (
    LintRule(
        "external-storage-not-cache",
        "error",
        "A storage with dcmExternalRetrieveAET is a CACHE.",
        "PERMANENT (the default) never purges; TEMPORARY removes the records too, so nothing can be fetched any more.",
        "Set dcmStorageDuration to CACHE.",
        "dcmcfg set DN dcmStorageDuration=CACHE",
        _not_cache,
    ),
    LintRule(
        "purge-without-copy",
        "error",
        "A storage that purges asks for a copy elsewhere first.",
        "With neither dcmExternalRetrieveAET nor dcmExportStorageID the only copy is deleted.",
        "Say where the copy has to be.",
        "dcmcfg set DN dcmExternalRetrieveAET=AET",
        _no_copy,
    ),
    LintRule(
        "cache-never-purged",
        "warning",
        "A CACHE has something that sets purging off.",
        "It fills up. What counts is a threshold, a retention or dcmNoDeletionConstraint, and the archive's polling.",
        "Set a threshold or a retention, and the polling interval.",
        "dcmcfg set DN dcmDeleterThreshold=SIZE",
        _never_purged,
    ),
    LintRule(
        "external-archive-never-recorded",
        "error",
        "A title in dcmExternalRetrieveAET is one that a storage commitment records.",
        "A study is purged only when its recorded external archive is on the list. Recorded is the exporter's first "
        "dcmRetrieveAET, else what the external archive answers, as a rule its own title.",
        "Give the exporter dcmStgCmtSCP, and name what it records.",
        "dcmcfg set DN dcmStgCmtSCP=AET",
        _never_recorded,
    ),
    LintRule(
        "purged-shows-online",
        "note",
        "A storage with dcmExternalRetrieveAET says what purged studies show as.",
        "Without dcmExternalRetrieveInstanceAvailability purged studies show as ONLINE; nobody sees that a retrieve "
        "takes long. With it, a study keeps the value after a recall, so it does not show where the files are.",
        "Set it to NEARLINE or OFFLINE.",
        "dcmcfg set DN dcmExternalRetrieveInstanceAvailability=NEARLINE",
        _availability,
    ),
    LintRule(
        "availability-without-effect",
        "note",
        "A storage with dcmExternalRetrieveInstanceAvailability has dcmExternalRetrieveAET.",
        "The availability is set when a study is purged because an external archive has it, and else never.",
        "Name the external archive, or unset the availability.",
        "dcmcfg unset DN dcmExternalRetrieveInstanceAvailability",
        _no_effect,
    ),
)

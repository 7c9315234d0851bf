"""The AEs that an archive may have recorded as holding what it purged, as its configuration tells.

Kept apart: lint and plan use it and do not load route.route.
"""

from __future__ import annotations

from dcmcfg.model.devices import Device


def find_external_archives(device: Device) -> dict[str, tuple[str, ...]]:
    """Return the titles that *device* fetches purged studies from, each with what names it.

    A storage purges only what one of its dcmExternalRetrieveAET holds. What the database records comes with the
    result of a storage commitment: an exporter's first dcmRetrieveAET, else its dcmStgCmtSCP (``StgCmtEJB``).
    """
    found: dict[str, list[str]] = {}
    for storage in device.children("dcmStorage"):
        for title in storage.texts("dcmExternalRetrieveAET"):
            found.setdefault(title, []).append(f"storage {storage.text('dcmStorageID')}")
    for exporter in device.children("dcmExporter"):
        committed = exporter.text("dcmStgCmtSCP")
        if committed:
            title = next(iter(exporter.texts("dcmRetrieveAET")), committed)
            found.setdefault(title, []).append(f"exporter {exporter.text('dcmExporterID')}")
    return {title: tuple(named_by) for title, named_by in found.items()}

"""The AEs that an archive may have recorded as holding what it purged, as its configuration tells."""

from __future__ import annotations

from dcmcfg.model.devices import Device


def find_external_archives(device: Device) -> dict[str, tuple[str, ...]]:
    """Return the titles that *device* fetches purged studies from, each with what names it.

    A storage purges only what one of its dcmExternalRetrieveAET holds. What the database records comes with the
    result of a storage commitment: an exporter's first dcmRetrieveAET, else its dcmStgCmtSCP (``StgCmtEJB``).
    """
    sources: dict[str, list[str]] = {}
    for storage in device.children("dcmStorage"):
        for title in storage.texts("dcmExternalRetrieveAET"):
            sources.setdefault(title, []).append(f"storage {storage.text('dcmStorageID')}")
    for exporter in device.children("dcmExporter"):
        commitment_scp = exporter.text("dcmStgCmtSCP")
        if commitment_scp:
            title = next(iter(exporter.texts("dcmRetrieveAET")), commitment_scp)
            sources.setdefault(title, []).append(f"exporter {exporter.text('dcmExporterID')}")
    return {title: tuple(names) for title, names in sources.items()}

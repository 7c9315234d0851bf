"""Find the AEs that an archive may record as the holders of purged studies, from its configuration.

Kept apart: lint and plan use it and do not load route.route.
"""

from __future__ import annotations

from dcmcfg.model.devices import Device
from dcmcfg.schema_names import (
    EXPORTER_ID,
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AET,
    RETRIEVE_AET,
    STG_CMT_SCP,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
)


def find_external_archives(device: Device) -> dict[str, tuple[str, ...]]:
    """Return the AE titles from which *device* retrieves purged studies, each with its sources in the configuration.

    A storage purges only instances that one of its dcmExternalRetrieveAET holds. The database records the AE title from
    the result of a storage commitment: an exporter's first dcmRetrieveAET, otherwise its dcmStgCmtSCP (``StgCmtEJB``).
    """
    sources: dict[str, list[str]] = {}
    for storage in device.children(STORAGE_OBJECT_CLASS):
        for title in storage.texts(EXTERNAL_RETRIEVE_AET):
            sources.setdefault(title, []).append(f"storage {storage.text(STORAGE_ID)}")
    for exporter in device.children(EXPORTER_OBJECT_CLASS):
        commitment_scp = exporter.text(STG_CMT_SCP)
        if commitment_scp:
            title = next(iter(exporter.texts(RETRIEVE_AET)), commitment_scp)
            sources.setdefault(title, []).append(f"exporter {exporter.text(EXPORTER_ID)}")
    return {title: tuple(names) for title, names in sources.items()}

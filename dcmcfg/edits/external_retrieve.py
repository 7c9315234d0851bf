"""Set the destination AE of external retrieves (dcmExternalRetrieveAEDestination)."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.edits.auxiliary_classes import find_missing_classes
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.inheritance import warn_about_overriding_aes
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.schema_names import EXTERNAL_RETRIEVE_AE_DESTINATION, OBJECT_CLASS
from dcmcfg.suggestions import suggest_names


def set_external_retrieve(
    configuration: Configuration, device_name: str, ae_title: str | None, *, ae: str | None, force_unknown: bool
) -> Edit:
    """Return the edit that sets the destination to *ae_title*, or removes it (None).

    It is set on the device, or on its AE *ae*, whose value overrides that of the device. Raises
    :class:`~dcmcfg.errors.NotFound` for an unknown device or AE, and :class:`~dcmcfg.errors.Refused` if the device is
    not an archive, or if *ae_title* is unknown without *force_unknown*.
    """
    device = configuration.get_device(device_name)
    if not device.is_archive:
        raise Refused(
            f"the device {device.name} is not an archive: the object class dcmArchiveDevice is missing",
            next_step="specify the device of the archive with --device",
        )
    if ae_title is not None and not force_unknown:
        _require_known(configuration, device, ae_title)
    warnings: list[str] = []
    if ae_title is not None:
        warnings += _find_warnings(configuration, device, ae_title)
    if ae is None:
        warnings += warn_about_overriding_aes(
            device, EXTERNAL_RETRIEVE_AE_DESTINATION, () if ae_title is None else (ae_title.encode(),)
        )
        return Edit((_build_modify(device.entry, ae_title, ()),), tuple(warnings))
    target = device.get_network_ae(ae)
    missing = _list_missing_classes(configuration, target.entry) if ae_title is not None else ()
    return Edit((_build_modify(target.entry, ae_title, missing),), tuple(warnings))


def _build_modify(entry: Entry, title: str | None, classes: tuple[str, ...]) -> Modify:
    values = () if title is None else (title.encode(),)
    # A replace is valid in each state. An add would fail if the attribute is set: 20 for the same value, 19 otherwise.
    setting = Modification(Operation.REPLACE, EXTERNAL_RETRIEVE_AE_DESTINATION, values)
    if not classes:
        return Modify(entry.dn, (setting,))
    added = Modification(Operation.ADD, OBJECT_CLASS, tuple(name.encode() for name in classes))
    return Modify(entry.dn, (added, setting))


def _list_missing_classes(configuration: Configuration, entry: Entry) -> tuple[str, ...]:
    known = configuration.tree.schema.attribute(EXTERNAL_RETRIEVE_AE_DESTINATION)
    return () if known is None else find_missing_classes(configuration.tree.schema, entry, known)


def _require_known(configuration: Configuration, device: Device, title: str) -> None:
    """Refuse an unknown title: not an AE of the tree, not another title of the device's AEs, and no AE ``*``."""
    titles = {ae.title for ae in configuration.network_aes()}
    # The external archive calls the archive by this title, so the title may be another one of its AEs.
    other = {name for ae in device.network_aes for name in ae.other_titles}
    if title in titles | other or any(ae.title == "*" for ae in device.network_aes):
        return
    similar = suggest_names(title, titles | other)
    raise Refused(
        f"no AE has the title {title}" + (f"; did you mean {', '.join(similar)}?" if similar else ""),
        next_step="specify the title of a storage SCP of the archive, or use --force-unknown-ae",
    )


def _find_warnings(configuration: Configuration, device: Device, title: str) -> Iterator[str]:
    """Yield warnings about *title*; reasons to refuse it are risks of the plan."""
    holders = [ae.device.name for ae in configuration.network_aes() if ae.title == title]
    if len(holders) > 1:
        yield (
            f"several devices have an AE {title}: {', '.join(holders)}. The archive uses the first AE that the "
            "directory returns."
        )
    called_ae = device.find_called_ae(title)
    if not holders and called_ae is not None and called_ae.title == "*":
        yield (
            f"no AE has the title {title}. The device {device.name} accepts this title only because it has the AE '*'."
        )

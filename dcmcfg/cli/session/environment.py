"""Compare the environment of the archive's containers with a tree and with the settings, for ``check``.

A module of its own: other checks do not load the YAML reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcmcfg.environment.checker import check_environments
from dcmcfg.environment.container import Environment
from dcmcfg.environment.site import ComparedSite, SiteAddresses
from dcmcfg.errors import NotFound
from dcmcfg.files.environment import read_environments
from dcmcfg.model.devices import Device
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema_names import DICOM_DEVICE_OBJECT_CLASS
from dcmcfg.settings import Settings

_DEFAULT = "default"


class EnvironmentFiles:
    """The content of files, read before the directory server is contacted.

    Raises :class:`~dcmcfg.errors.DcmcfgError` for a file that cannot be read.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._environments: tuple[Environment, ...] = read_environments(paths)

    def compare(self, tree: Tree, settings: Settings) -> tuple[EntryFinding, ...]:
        """Return the findings about the archive of *settings* in *tree*.

        Raises :class:`~dcmcfg.errors.NotFound` if *tree* does not have the device.
        """
        entries = tree.index.find_by_class(DICOM_DEVICE_OBJECT_CLASS)
        device = next(
            (each for each in (Device(entry, tree) for entry in entries) if each.name == settings.device), None
        )
        if device is None:
            raise NotFound(
                f"there is no device {settings.device}, so the files of --env cannot be compared with the "
                "configuration",
                next_step="set the name of the archive's device with --device; if you check LDIF files, also specify "
                "the file that contains this device",
            )
        return check_environments(self._environments, ComparedSite(tree, device, _get_site_addresses(settings)))


def _get_site_addresses(settings: Settings) -> SiteAddresses:
    """Return the addresses in *settings*, without defaults: these describe no site."""
    ldap_urls = [each.ldap_url for each in settings.nodes]
    if settings.origins.get("ldap_url") != _DEFAULT:
        ldap_urls.insert(0, settings.ldap_url)
    archive_urls = {each.name: each.archive_url for each in settings.nodes}
    if not archive_urls and settings.origins.get("archive_url") != _DEFAULT:
        archive_urls[""] = settings.archive_url
    return SiteAddresses(tuple(dict.fromkeys(ldap_urls)), archive_urls)

"""The site that the files are compared with: the tree, the archive's device, and the addresses of the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dcmcfg.dn import DN
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import DICOM_CONFIGURATION_ROOT_OBJECT_CLASS

_URL = re.compile(r"(?P<scheme>[a-z]+)://(?P<host>\[[^\]]*\]|[^:/\s]*)(?::(?P<port>\d{1,5}))?(?P<path>/\S*)?")
_PORTS = {"ldap": 389, "ldaps": 636, "http": 80, "https": 443}


@dataclass(frozen=True)
class Url:
    """A URL in parts; ``port`` is the default of the scheme if the URL has none, 0 for an unknown scheme."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def address(self) -> tuple[str, int]:
        """Host, in lower case, and port."""
        return self.host.lower(), self.port


def parse_url(text: str) -> Url | None:
    """Return the parts of *text*; None if it is not an absolute URL."""
    match = _URL.fullmatch(text)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else _PORTS.get(match["scheme"], 0)
    return Url(match["scheme"], match["host"].strip("[]"), port, match["path"] or "")


@dataclass(frozen=True)
class SiteAddresses:
    """The addresses in the settings: URLs of directory servers, and of archives by node; empty if they are defaults."""

    ldap_urls: tuple[str, ...] = ()
    archive_urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparedSite:
    """A tree with the archive's ``device`` in it, and the addresses of the settings."""

    tree: Tree
    device: Device
    addresses: SiteAddresses = SiteAddresses()

    @property
    def configuration(self) -> Configuration:
        """The devices of the tree."""
        return Configuration(self.tree)

    @property
    def base_dn(self) -> DN | None:
        """The base DN: the parent of the configuration's root; None if the tree has no root."""
        roots = self.tree.index.find_by_class(DICOM_CONFIGURATION_ROOT_OBJECT_CLASS)
        return roots[0].dn.parent if roots else None

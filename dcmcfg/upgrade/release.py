"""A release of the archive: its default configuration, and the official changes that its update files make."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Change
from dcmcfg.entry import Entry

_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
#: The order in which the archive's own script applies the update files of a version.
_COMPONENT_ORDER = (
    "dev",
    "DCM4CHEE",
    "WORKLIST",
    "AS_RECEIVED",
    "IOCM_REGULAR_USE",
    "IOCM_QUALITY",
    "IOCM_PAT_SAFETY",
    "IOCM_WRONG_MWL",
    "IOCM_EXPIRED",
    "storescp",
    "stowrsd",
    "ui-config",
)
#: The components whose update files write into one AE or device only.
PART_COMPONENTS = frozenset(_COMPONENT_ORDER) - {"dev", "ui-config"}

Version = tuple[int, ...]


def parse_version(text: str) -> Version | None:
    """Return the first version in *text* as numbers, or None: ``5.33.1`` → ``(5, 33, 1)``."""
    match = _VERSION.search(text)
    return tuple(int(each) for each in match[0].split(".")) if match is not None else None


def format_version(version: Version) -> str:
    """Return *version* as text."""
    return ".".join(map(str, version))


@dataclass(frozen=True)
class OfficialRecord:
    """A record of an update file; ``place`` is ``5.32.0/update-dev-5.32.0.ldif:14``, with the 1-based line."""

    change: Change
    place: str


@dataclass(frozen=True)
class UpdateFile:
    """An update file of ``version`` for ``component`` (``dev``, an AE title, a device, ``ui-config``).

    ``skipped`` are records that OpenLDAP's tools skip without a message, so no site has got their changes. ``damages``
    say what of the file cannot be read, although the release's own file has no such defect.
    """

    version: Version
    component: str
    name: str
    records: tuple[OfficialRecord, ...]
    _: KW_ONLY
    skipped: tuple[OfficialRecord, ...] = ()
    damages: tuple[str, ...] = ()

    @property
    def sort_key(self) -> tuple[Version, int, str]:
        """The order in which the files are applied."""
        known = self.component in _COMPONENT_ORDER
        return self.version, _COMPONENT_ORDER.index(self.component) if known else len(_COMPONENT_ORDER), self.name


@dataclass(frozen=True)
class Release:
    """A release: its ``version`` (None if unknown), its default entries, and the update files that lead to it.

    ``vendor_data`` are the octets of its vendor-data.zip, None if the folder has none. ``defects`` are sentences about
    records that are not valid LDIF and were read all the same.
    """

    name: str
    version: Version | None
    entries: tuple[Entry, ...]
    _: KW_ONLY
    updates: tuple[UpdateFile, ...] = ()
    vendor_data: bytes | None = None
    defects: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The version as text, or the name of the folder if the version is unknown."""
        return format_version(self.version) if self.version is not None else self.name

    def list_updates(self, after: Version | None = None, up_to: Version | None = None) -> tuple[UpdateFile, ...]:
        """Return the update files of versions after *after* and up to *up_to*, in the order of application."""
        return tuple(
            sorted(
                (
                    each
                    for each in self.updates
                    if (after is None or each.version > after) and (up_to is None or each.version <= up_to)
                ),
                key=lambda each: each.sort_key,
            )
        )


def parse_update_name(name: str) -> str:
    """Return the component of the update file *name* (``update-dev-5.32.0.ldif`` → ``dev``)."""
    component = name.removeprefix("update-").removesuffix(".ldif")
    # Some files carry another version than their folder.
    return re.sub(r"-\d+(?:\.\d+)+$", "", component)


def is_update_name(name: str) -> bool:
    """Return whether *name* is that of an update file; those of the professional edition are left out."""
    return name.startswith("update-") and name.endswith(".ldif") and not name.startswith("update-config-pro-")

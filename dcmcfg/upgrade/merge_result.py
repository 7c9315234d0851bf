"""The result of a merge: the tree, and what was not merged, for the user to decide or to know."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import NamedTuple

from dcmcfg.dn import DN, NormalDN
from dcmcfg.schema_names import DICOM_SOFTWARE_VERSION, DICOM_VENDOR_DATA
from dcmcfg.upgrade.trees import UpgradeTree

#: Attributes that are never merged or compared.
IGNORED = frozenset({DICOM_VENDOR_DATA.lower(), DICOM_SOFTWARE_VERSION.lower()})


class Stage(Enum):
    """The two stages: the official changes, and the rest of the way to the default of the release (the gap)."""

    OFFICIAL = "official"
    GAP = "gap"


class Place(NamedTuple):
    """A place in a tree: an entry, or an attribute (in lower case), or with ``value_key`` one of its keys."""

    key: NormalDN
    attribute: str = ""
    value_key: bytes = b""


@dataclass(frozen=True)
class Decision:
    """A place that the site and the release have changed differently; the site's state stays.

    ``attribute`` is empty for an entry. ``site`` and ``release`` are the values of both. ``number`` is shown to the
    user, 0 before the decisions are numbered. With ``needs_other_name``, the user cannot take the entry of the release,
    because the site uses its name for something else.
    """

    dn: DN
    attribute: str
    reason: str
    _: KW_ONLY
    site: tuple[bytes, ...] = ()
    release: tuple[bytes, ...] = ()
    value_key: bytes = b""
    number: int = 0
    needs_other_name: bool = False


@dataclass(frozen=True)
class Dropped:
    """A change of the release that is not made, because it is about something that the site does not have."""

    dn: DN
    reason: str


@dataclass(kw_only=True)
class MergeResult:
    """The tree after the merge, and what was not merged."""

    tree: UpgradeTree
    decisions: list[Decision] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    #: Places such as host names, where the value of the site is right whatever the release says.
    kept: list[Decision] = field(default_factory=list)
    #: Entries that the release no longer has; deleted only on request.
    offered_deletes: list[DN] = field(default_factory=list)
    #: Entries below which nothing is added, because the site uses the name of the entry for something else.
    blocked: frozenset[NormalDN] = frozenset()

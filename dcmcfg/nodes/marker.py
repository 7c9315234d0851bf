"""A marker: a temporary entry with a unique name whose appearance on a node proves that the node has loaded a change.

The archive loads its whole device at once. So a node that shows the marker, an attribute set, has loaded everything
that was written before it, except the attributes that a reload does not copy.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from dcmcfg.changes import Add, Delete
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.nodes.expectations import EndpointExpectation
from dcmcfg.nodes.node_record import NodeRecorder
from dcmcfg.schema_names import OBJECT_CLASS

#: The type of attribute set whose list shows the marker; it was observed to answer from memory on 5.35.1.
_TYPE = "DIFF_RS"
_PREFIX = "dcmcfg-"


@dataclass(frozen=True)
class Marker:
    """An attribute set of the archive's device with the unique ID ``marker_id``."""

    device_dn: DN
    marker_id: str

    @property
    def dn(self) -> DN:
        """The DN of the entry."""
        return DN.parse(f"dcmAttributeSetType={_TYPE}+dcmAttributeSetID={self.marker_id},{self.device_dn}")

    @property
    def entry(self) -> Entry:
        """The entry; its title names its origin for the users of the archive's web interface."""
        return Entry.from_values(
            self.dn,
            {
                OBJECT_CLASS: "dcmAttributeSet",
                "dcmAttributeSetType": _TYPE,
                "dcmAttributeSetID": self.marker_id,
                "dcmAttributeSetTitle": "dcmcfg: can be removed",
                # The class requires a tag: StudyInstanceUID.
                "dcmTag": "0020000D",
            },
        )

    @property
    def expectation(self) -> EndpointExpectation:
        """What a node shows that has loaded the marker."""
        return EndpointExpectation(f"/attribute-set/{_TYPE}", "id", self.marker_id, is_written_last=True)


def make_marker(device_dn: DN, rollout_number: int, token: str) -> Marker:
    """Return the marker of change *rollout_number*; *token* makes it unique."""
    return Marker(device_dn, f"{_PREFIX}{rollout_number}-{token}")


def add_marker(directory: Directory, marker: Marker, recorder: NodeRecorder) -> None:
    """Add *marker* to the directory; the record notes it first, so that a killed process leaves no unknown entry.

    Raises :class:`~dcmcfg.errors.DirectoryError`, and :class:`~dcmcfg.errors.DcmcfgError` if the record cannot be
    written.
    """
    recorder.write_marker(marker.dn, is_present=True)
    directory.apply(Add(marker.entry))


def remove_marker(directory: Directory, dn: DN, recorder: NodeRecorder) -> None:
    """Remove the marker at *dn* if it exists, and note it; raises as :func:`add_marker` does."""
    # Somebody else may have removed the marker.
    with suppress(NotFound):
        directory.apply(Delete(dn))
    recorder.write_marker(dn, is_present=False)

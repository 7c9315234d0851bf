"""The kinds of edges between the nodes of a site, and the kind that each reference of the configuration makes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION, DCM_URI, RETRIEVE_AET


class ObjectFlow(Enum):
    """The direction in which instances move along an edge; the source of an edge sends the request."""

    TO_TARGET = "to_target"
    TO_SOURCE = "to_source"
    NONE = "none"


class EdgeKind(Enum):
    """What the source of an edge does at its target.

    The first four are permissions: the source may do it. The others are set in the configuration of an archive.
    """

    STORE = "store"
    QUERY_RETRIEVE = "query_retrieve"
    MOVE_DESTINATION = "move_destination"
    WORKLIST = "worklist"
    EXPORT = "export"
    STORAGE_COMMITMENT = "storage_commitment"
    EXTERNAL_RETRIEVE = "external_retrieve"
    FALLBACK = "fallback"
    ALTERNATIVE = "alternative"
    PREFETCH = "prefetch"
    QUERY = "query"
    NOTIFICATION = "notification"
    STORAGE = "storage"
    INTERNAL = "internal"

    @property
    def label(self) -> str:
        """The kind in words, for a reader who knows DICOM."""
        return _LABELS[self]

    @property
    def object_flow(self) -> ObjectFlow:
        """The direction of the instances."""
        return _OBJECT_FLOWS.get(self, ObjectFlow.NONE)

    @property
    def is_permission(self) -> bool:
        """Whether the edge is allowed by access lists and capabilities, not set as a destination."""
        return self in PERMISSIONS


_LABELS: Mapping[EdgeKind, str] = {
    EdgeKind.STORE: "may store",
    EdgeKind.QUERY_RETRIEVE: "may query and retrieve",
    EdgeKind.MOVE_DESTINATION: "Move Destination",
    EdgeKind.WORKLIST: "may query the worklist",
    EdgeKind.EXPORT: "export",
    EdgeKind.STORAGE_COMMITMENT: "storage commitment",
    EdgeKind.EXTERNAL_RETRIEVE: "external retrieve",
    EdgeKind.FALLBACK: "fallback C-MOVE",
    EdgeKind.ALTERNATIVE: "alternative C-MOVE",
    EdgeKind.PREFETCH: "prefetch",
    EdgeKind.QUERY: "query",
    EdgeKind.NOTIFICATION: "notification",
    EdgeKind.STORAGE: "stores on",
    EdgeKind.INTERNAL: "uses",
}
_OBJECT_FLOWS: Mapping[EdgeKind, ObjectFlow] = {
    EdgeKind.STORE: ObjectFlow.TO_TARGET,
    EdgeKind.MOVE_DESTINATION: ObjectFlow.TO_TARGET,
    EdgeKind.EXPORT: ObjectFlow.TO_TARGET,
    EdgeKind.EXTERNAL_RETRIEVE: ObjectFlow.TO_SOURCE,
    EdgeKind.FALLBACK: ObjectFlow.TO_SOURCE,
    EdgeKind.ALTERNATIVE: ObjectFlow.TO_SOURCE,
    EdgeKind.PREFETCH: ObjectFlow.TO_SOURCE,
    EdgeKind.STORAGE: ObjectFlow.TO_TARGET,
}
PERMISSIONS = (EdgeKind.STORE, EdgeKind.QUERY_RETRIEVE, EdgeKind.MOVE_DESTINATION, EdgeKind.WORKLIST)

#: Attribute with the name of a system that the archive calls → the kind of its edge. All attributes of
#: :data:`~dcmcfg.model.references.attributes.SHAPES` with such names have a kind here, or are in :data:`WITHOUT_EDGE`.
_REMOTE_KINDS: Mapping[str, EdgeKind] = {
    "dcmAltCMoveSCP": EdgeKind.ALTERNATIVE,
    "dcmCStoreSCUOfCMoveSCP": EdgeKind.EXTERNAL_RETRIEVE,
    "dcmCoercionParam": EdgeKind.QUERY,
    "dcmDestinationAE": EdgeKind.EXPORT,
    "dcmDestinationCFindSCP": EdgeKind.QUERY,
    "dcmExternalRetrieveAET": EdgeKind.EXTERNAL_RETRIEVE,
    "dcmExternalWadoRSWebAppName": EdgeKind.EXTERNAL_RETRIEVE,
    "dcmFallbackCMoveSCP": EdgeKind.FALLBACK,
    "dcmFallbackCMoveSCPLeadingCFindSCP": EdgeKind.QUERY,
    "dcmFallbackWadoURIWebAppName": EdgeKind.FALLBACK,
    "dcmFwdMppsDestination": EdgeKind.NOTIFICATION,
    "dcmIanDestination": EdgeKind.NOTIFICATION,
    "dcmLeadingCFindSCP": EdgeKind.QUERY,
    "dcmMergeMWLSCP": EdgeKind.QUERY,
    "dcmPrefetchCFindSCP": EdgeKind.QUERY,
    "dcmPrefetchCMoveSCP": EdgeKind.PREFETCH,
    "dcmPrefetchCStoreSCP": EdgeKind.EXPORT,
    "dcmRetrieveAET": EdgeKind.EXTERNAL_RETRIEVE,
    "dcmSpanningCFindSCP": EdgeKind.QUERY,
    "dcmStgCmtSCP": EdgeKind.STORAGE_COMMITMENT,
    "dcmUPSEventSCU": EdgeKind.NOTIFICATION,
    "dcmWebAppName": EdgeKind.NOTIFICATION,
    "dcmXDSiFallbackCMoveSCP": EdgeKind.FALLBACK,
    "hl7ADTReceivingApplication": EdgeKind.NOTIFICATION,
    "hl7FwdApplicationName": EdgeKind.NOTIFICATION,
    "hl7ImportReportMissingStudyIUIDCFindSCP": EdgeKind.QUERY,
    "hl7PSUReceivingApplication": EdgeKind.NOTIFICATION,
}
#: Scheme of a dcmURI with a name → the kind of its edge.
_SCHEME_KINDS: Mapping[str, EdgeKind] = {
    "dicom": EdgeKind.EXPORT,
    "storescu": EdgeKind.EXPORT,
    "stow": EdgeKind.EXPORT,
    "movescu": EdgeKind.EXTERNAL_RETRIEVE,
    "stgcmtscu": EdgeKind.STORAGE_COMMITMENT,
    "ianscu": EdgeKind.NOTIFICATION,
    "ups": EdgeKind.NOTIFICATION,
    "leading-arc": EdgeKind.QUERY,
    "storage": EdgeKind.STORAGE,
}
#: The archive checks destinations with the first: :mod:`~dcmcfg.topology.access` reads it.
WITHOUT_EDGE = frozenset({ACCEPTED_MOVE_DESTINATION})
_PEER_KINDS = (EntityKind.AE, EntityKind.WEB_APP, EntityKind.HL7_APPLICATION)


def determine_edge_kind(reference: Reference, *, is_exporter: bool) -> EdgeKind | None:
    """Return the kind of the edge that *reference* makes, None if it makes no edge.

    *is_exporter* is whether an exporter has the reference: elsewhere, the archive only passes dcmRetrieveAET on.
    """
    if reference.is_ui_reference or reference.use is NameUse.COMPARED or reference.attribute in WITHOUT_EDGE:
        return None
    if reference.attribute == DCM_URI:
        scheme = reference.value.partition(b":")[0].decode("ascii", "replace")
        return _SCHEME_KINDS.get(scheme)
    if reference.kind is EntityKind.STORAGE:
        return EdgeKind.STORAGE
    if reference.kind not in _PEER_KINDS:
        return None
    if reference.use is NameUse.LOCAL:
        return EdgeKind.INTERNAL
    if reference.attribute == RETRIEVE_AET and not is_exporter:
        return None
    return _REMOTE_KINDS.get(reference.attribute)

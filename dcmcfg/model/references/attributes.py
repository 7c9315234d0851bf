"""Attributes whose values refer to other parts of the configuration by name, and access lists.

An empty access list admits everybody; a list with values admits only the listed names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.references.shapes import (
    Shape,
    make_archive_path_shape,
    make_bare_name_shape,
    make_bracketed_name_shape,
    make_condition_shape,
    make_keyed_shape,
    make_leading_name_shape,
    make_name_pair_shape,
    make_uri_shape,
)

# The use of an AE title (NameUse) decides its tuple. A remote AE also needs a kind of edge (topology/edge_kinds.py).
#: The archive looks up these AE titles in its own device.
_LOCAL_AES = (
    "dcmCompressionAETitle",
    "dcmExternalRetrieveAEDestination",
    "dcmFallbackCMoveSCPCallingAET",
    "dcmFallbackCMoveSCPDestination",
    "dcmRejectExpiredStudiesAETitle",
    "dcmRejectionNoteStorageAET",
    "dcmShareTransferCapabilitiesFromAETitle",
    "dcmStorageVerificationAETitle",
    "dcmXDSiFallbackCMoveSCPCallingAET",
    "dcmXDSiFallbackCMoveSCPDestination",
    "dcmXDSiImagingDocumentSourceAETitle",
    "dcmuiDiffCallingAET",
    "dicomAETitle",
)
#: The archive looks up these AE titles in the whole tree.
_REMOTE_AES = (
    "dcmAcceptedMoveDestination",
    "dcmAltCMoveSCP",
    "dcmDestinationAE",
    "dcmDestinationCFindSCP",
    "dcmExternalRetrieveAET",
    "dcmFallbackCMoveSCP",
    "dcmFallbackCMoveSCPLeadingCFindSCP",
    "dcmFwdMppsDestination",
    "dcmIanDestination",
    "dcmLeadingCFindSCP",
    "dcmMergeMWLSCP",
    "dcmPrefetchCFindSCP",
    "dcmPrefetchCMoveSCP",
    "dcmPrefetchCStoreSCP",
    "dcmRetrieveAET",
    "dcmSpanningCFindSCP",
    "dcmStgCmtSCP",
    "dcmUPSEventSCU",
    "dcmXDSiFallbackCMoveSCP",
    "dcmuiAets",
    "dcmuiApplicationEntities",
    "dcmuiCountAET",
    "dcmuiDefaultWidgetAets",
    "dcmuiDiffPrimaryCFindSCP",
    "dcmuiDiffPrimaryCMoveSCP",
    "dcmuiDiffPrimaryCStoreSCP",
    "dcmuiDiffSecondaryCFindSCP",
    "dcmuiDiffSecondaryCMoveSCP",
    "dcmuiDiffSecondaryCStoreSCP",
    "dcmuiWidgetAets",
    "hl7ImportReportMissingStudyIUIDCFindSCP",
)
#: The archive compares these AE titles with received ones, or passes them on.
_COMPARED_AES = (
    "dcmAETitle",
    "dcmAcceptedCallingAETitle",
    "dcmAuditUserID",
    "dcmChangeRequesterAET",
    "dcmNoAsyncModeCalledAETitle",
    "dcmNoRetrieveCacheOnDestinationAETitle",
    "dcmReturnRetrieveAET",
    "dcmSpanningCFindSCPRetrieveAET",
    "dicomPreferredCalledAETitle",
    "dicomPreferredCallingAETitle",
)
_LOCAL = {
    EntityKind.QUEUE: ("dcmQueueName", "dcmuiQueueName", "dcmuiQueues"),
    EntityKind.EXPORTER: ("dcmExporterID", "dcmuiExportName"),
    EntityKind.STORAGE: (
        "dcmDeleteStudyFromStorageID",
        "dcmExportStorageID",
        "dcmMetadataStorageID",
        "dcmObjectStorageID",
        "dcmQStarVerificationStorageID",
        "dcmRetrieveCacheStorageID",
        "dcmSeriesMetadataStorageID",
        "dcmStorageVerificationStorageID",
    ),
    EntityKind.VIEW: ("dcmQueryRetrieveViewID",),
    EntityKind.KEYCLOAK_CLIENT: ("dcmKeycloakClientID", "dcmUserIdentityNegotiationKeycloakClientID"),
    EntityKind.ID_GENERATOR: (
        "dcmMWLAccessionNumberGenerator",
        "dcmMWLRequestedProcedureIDGenerator",
        "dcmMWLScheduledProcedureStepIDGenerator",
    ),
    EntityKind.BULK_DATA_DESCRIPTOR: ("dcmBulkDataDescriptorID",),
    EntityKind.PDQ_SERVICE: ("dcmPatientVerificationPDQServiceID",),
    EntityKind.HL7_APPLICATION: ("hl7ADTSendingApplication", "hl7ApplicationName", "hl7PSUSendingApplication"),
}
_REMOTE = {
    EntityKind.DEVICE: (
        "dcmUIConfigurationDeviceName",
        "dcmuiDeviceClusterDevices",
        "dicomDeviceName",
        "dicomuiDeviceName",
    ),
    # The UI can compare with a queue of another archive.
    EntityKind.QUEUE: ("dcmuiCompareSideQueueName",),
    EntityKind.WEB_APP: (
        "dcmExternalWadoRSWebAppName",
        "dcmFallbackWadoURIWebAppName",
        "dcmWebAppName",
        "dcmuiClusterWebApp",
        "dcmuiCountWebApp",
        "dcmuiElasticsearchWebApp",
        "dcmuiPrometheusWebApp",
        "dcmuiWebApps",
    ),
    EntityKind.HL7_APPLICATION: ("hl7ADTReceivingApplication", "hl7FwdApplicationName", "hl7PSUReceivingApplication"),
}
#: URI schemes in dcmURI of exporters, UPS processing rules and attribute coercions.
_SCHEMES = {
    **dict.fromkeys(
        ("dicom", "storescu", "movescu", "stgcmtscu", "ianscu", "leading-arc"), (EntityKind.AE, NameUse.REMOTE)
    ),
    **dict.fromkeys(("stow", "ups"), (EntityKind.WEB_APP, NameUse.REMOTE)),
    "storage": (EntityKind.STORAGE, NameUse.LOCAL),
}
#: Attribute in lower case → shape of its values. Values in an entry's own RDN name this entry and are not references.
SHAPES: Mapping[str, Shape] = {
    name.lower(): shape
    for name, shape in {
        **{name: make_bare_name_shape(EntityKind.AE, NameUse.LOCAL) for name in _LOCAL_AES},
        **{name: make_bare_name_shape(EntityKind.AE, NameUse.REMOTE) for name in _REMOTE_AES},
        **{name: make_bare_name_shape(EntityKind.AE, NameUse.COMPARED) for name in _COMPARED_AES},
        **{name: make_bare_name_shape(kind, NameUse.LOCAL) for kind, names in _LOCAL.items() for name in names},
        **{name: make_bare_name_shape(kind, NameUse.REMOTE) for kind, names in _REMOTE.items() for name in names},
        "hl7AcceptedSendingApplication": make_bare_name_shape(EntityKind.HL7_APPLICATION, NameUse.COMPARED),
        "dcmCStoreSCUOfCMoveSCP": make_name_pair_shape("=", EntityKind.AE, NameUse.COMPARED, NameUse.REMOTE),
        "dcmLimitAssociationsInitiatedBy": make_leading_name_shape("=", EntityKind.AE, NameUse.COMPARED),
        "dcmUPSEventWebSocketQueueSize": make_leading_name_shape("=", EntityKind.AE, NameUse.COMPARED),
        "dcmMultipleStoreAssociations": make_leading_name_shape(":", EntityKind.AE, NameUse.COMPARED),
        "dcmMasqueradeCalledAETitle": make_leading_name_shape(":", EntityKind.AE, NameUse.COMPARED),
        "dcmMasqueradeCallingAETitle": make_bracketed_name_shape(EntityKind.AE, NameUse.COMPARED),
        "dcmURI": make_uri_shape(_SCHEMES),
        "dcmWebServicePath": make_archive_path_shape(NameUse.LOCAL),
        "dcmCoercionParam": make_keyed_shape({"mwl-scp": make_bare_name_shape(EntityKind.AE, NameUse.REMOTE)}),
        "dcmProperty": make_keyed_shape(
            {
                "ReceivingApplicationEntityTitle": make_condition_shape(EntityKind.AE, NameUse.COMPARED),
                "SendingApplicationEntityTitle": make_condition_shape(EntityKind.AE, NameUse.COMPARED),
                "StorageID": make_bare_name_shape(EntityKind.STORAGE, NameUse.LOCAL),
            }
        ),
    }.items()
}


class AccessList(NamedTuple):
    """An access list of the archive: its attribute, a noun for its members, the rejection of unlisted names."""

    attribute: str
    member: str
    rejection: str


#: The rejections come from dcm4chee-arc's RetrieveService (C801) and AssociationHandler (1/1/3) and from dcm4che's
#: HL7Application (AR). dicomPreferredCallingAETitle and …CalledAETitle are preferences and reject nobody.
ACCESS_LISTS = (
    AccessList("dcmAcceptedMoveDestination", "destination", "refused (C801)"),
    AccessList("dcmAcceptedCallingAETitle", "caller", "rejected (1/1/3)"),
    AccessList("hl7AcceptedSendingApplication", "sending application", "rejected (AR)"),
)

"""The attributes whose values refer to something by name, with the shape of each.

The lists of which an empty one lets everybody in, and one with a value nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dcmcfg.model.references.kinds import Kind, Use
from dcmcfg.model.references.shapes import Shape, archive_path, before, condition, in_brackets, keyed, pair, plain, uri

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
    Kind.QUEUE: ("dcmQueueName", "dcmuiQueueName", "dcmuiQueues"),
    Kind.EXPORTER: ("dcmExporterID", "dcmuiExportName"),
    Kind.STORAGE: (
        "dcmDeleteStudyFromStorageID",
        "dcmExportStorageID",
        "dcmMetadataStorageID",
        "dcmObjectStorageID",
        "dcmQStarVerificationStorageID",
        "dcmRetrieveCacheStorageID",
        "dcmSeriesMetadataStorageID",
        "dcmStorageVerificationStorageID",
    ),
    Kind.VIEW: ("dcmQueryRetrieveViewID",),
    Kind.KEYCLOAK_CLIENT: ("dcmKeycloakClientID", "dcmUserIdentityNegotiationKeycloakClientID"),
    Kind.ID_GENERATOR: (
        "dcmMWLAccessionNumberGenerator",
        "dcmMWLRequestedProcedureIDGenerator",
        "dcmMWLScheduledProcedureStepIDGenerator",
    ),
    Kind.BULK_DATA_DESCRIPTOR: ("dcmBulkDataDescriptorID",),
    Kind.PDQ_SERVICE: ("dcmPatientVerificationPDQServiceID",),
    Kind.HL7_APPLICATION: ("hl7ADTSendingApplication", "hl7ApplicationName", "hl7PSUSendingApplication"),
}
_REMOTE = {
    Kind.DEVICE: ("dcmUIConfigurationDeviceName", "dcmuiDeviceClusterDevices", "dicomDeviceName", "dicomuiDeviceName"),
    # Another archive's queue may be compared.
    Kind.QUEUE: ("dcmuiCompareSideQueueName",),
    Kind.WEB_APP: (
        "dcmExternalWadoRSWebAppName",
        "dcmFallbackWadoURIWebAppName",
        "dcmWebAppName",
        "dcmuiClusterWebApp",
        "dcmuiCountWebApp",
        "dcmuiElasticsearchWebApp",
        "dcmuiPrometheusWebApp",
        "dcmuiWebApps",
    ),
    Kind.HL7_APPLICATION: ("hl7ADTReceivingApplication", "hl7FwdApplicationName", "hl7PSUReceivingApplication"),
}
#: dcmURI of exporters, UPS processing rules and attribute coercions.
_SCHEMES = {
    **dict.fromkeys(("dicom", "storescu", "movescu", "stgcmtscu", "ianscu", "leading-arc"), (Kind.AE, Use.REMOTE)),
    **dict.fromkeys(("stow", "ups"), (Kind.WEB_APP, Use.REMOTE)),
    "storage": (Kind.STORAGE, Use.LOCAL),
}
#: Shape of the values by attribute, in lower case. A value that stands in the entry's own RDN names that entry instead.
SHAPES: Mapping[str, Shape] = {
    name.lower(): shape
    for name, shape in {
        **{name: plain(Kind.AE, Use.LOCAL) for name in _LOCAL_AES},
        **{name: plain(Kind.AE, Use.REMOTE) for name in _REMOTE_AES},
        **{name: plain(Kind.AE, Use.COMPARED) for name in _COMPARED_AES},
        **{name: plain(kind, Use.LOCAL) for kind, names in _LOCAL.items() for name in names},
        **{name: plain(kind, Use.REMOTE) for kind, names in _REMOTE.items() for name in names},
        "hl7AcceptedSendingApplication": plain(Kind.HL7_APPLICATION, Use.COMPARED),
        "dcmCStoreSCUOfCMoveSCP": pair("=", Kind.AE, Use.COMPARED, Use.REMOTE),
        "dcmLimitAssociationsInitiatedBy": before("=", Kind.AE, Use.COMPARED),
        "dcmUPSEventWebSocketQueueSize": before("=", Kind.AE, Use.COMPARED),
        "dcmMultipleStoreAssociations": before(":", Kind.AE, Use.COMPARED),
        "dcmMasqueradeCalledAETitle": before(":", Kind.AE, Use.COMPARED),
        "dcmMasqueradeCallingAETitle": in_brackets(Kind.AE, Use.COMPARED),
        "dcmURI": uri(_SCHEMES),
        "dcmWebServicePath": archive_path(Use.LOCAL),
        "dcmCoercionParam": keyed({"mwl-scp": plain(Kind.AE, Use.REMOTE)}),
        "dcmProperty": keyed(
            {
                "ReceivingApplicationEntityTitle": condition(Kind.AE, Use.COMPARED),
                "SendingApplicationEntityTitle": condition(Kind.AE, Use.COMPARED),
                "StorageID": plain(Kind.STORAGE, Use.LOCAL),
            }
        ),
    }.items()
}


class Admission(NamedTuple):
    """Who such a list of the archive is about, in a word of the singular, and what becomes of one that it lacks."""

    attribute: str
    who: str
    others: str


#: C801 is of dcm4chee-arc's RetrieveService, 1/1/3 of its AssociationHandler, AR of dcm4che's HL7Application.
#: dicomPreferredCallingAETitle and …CalledAETitle only say what is preferred, and refuse nobody.
ADMISSIONS = (
    Admission("dcmAcceptedMoveDestination", "destination", "refused (C801)"),
    Admission("dcmAcceptedCallingAETitle", "caller", "rejected (1/1/3)"),
    Admission("hl7AcceptedSendingApplication", "sending application", "answered with AR"),
)

"""For each rule of lint, a tree that breaks it: the lab's own tree with an edit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.lint.certificates import certificate
from tests.trees import connection, network_ae

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BASE = "dc=dcm4che,dc=org"
ROOT = f"cn=DICOM Configuration,{BASE}"
DEVICES = f"cn=Devices,{ROOT}"
REGISTRY = f"cn=Unique AE Titles Registry,{ROOT}"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
DCM4CHEE = f"dicomAETitle=DCM4CHEE,{ARCHIVE}"
AS_RECEIVED = f"dicomAETitle=AS_RECEIVED,{ARCHIVE}"
WORKLIST = f"dicomAETitle=WORKLIST,{ARCHIVE}"
STORESCP_DEVICE = f"dicomDeviceName=storescp,{DEVICES}"
STORESCP = f"dicomAETitle=STORESCP,{STORESCP_DEVICE}"
LONGTERM_DEVICE = f"dicomDeviceName=longterm,{DEVICES}"
LONGTERM = f"dicomAETitle=LONGTERM,{LONGTERM_DEVICE}"
EXPORTER = f"dcmExporterID=LONGTERM,{ARCHIVE}"
RULE = f"cn=Export to LONGTERM,{ARCHIVE}"
STORAGE = f"dcmStorageID=fs1,{ARCHIVE}"
WEB_APP = f"dcmWebAppName=DCM4CHEE,{ARCHIVE}"
UI = f"dcmuiConfigName=default,{ARCHIVE}"
CT = "1.2.840.10008.5.1.4.1.1.2"
REFERENCE = "dicomNetworkConnectionReference"
NULL_CIPHER = "SSL_RSA_WITH_NULL_SHA"


def put(dn: str, **values: str | Sequence[str]) -> Modify:
    """Set attributes of the entry *dn*; an empty sequence removes one."""
    return Modify(
        DN.parse(dn),
        tuple(
            Modification(
                Operation.REPLACE,
                name,
                tuple(each.encode() for each in ((value,) if isinstance(value, str) else value)),
            )
            for name, value in values.items()
        ),
    )


def more(dn: str, name: str, value: str | bytes) -> Modify:
    octets = value.encode() if isinstance(value, str) else value
    return Modify(DN.parse(dn), (Modification(Operation.ADD, name, (octets,)),))


def new(dn: str, **values: str | Sequence[str]) -> Add:
    return Add(Entry.from_values(dn, values))


def delete(dn: str) -> Delete:
    return Delete(DN.parse(dn))


@cache
def valid_tree() -> Tree:
    """The lab's tree, with the external retrieve set up: no rule finds anything in it."""
    lab = Tree.from_entries(
        load_bundled_schema(),
        load_site_entries(
            Ports(
                ldap=11112, http=8080, archive=11115, external=11117, storage=11119, archive_tls=2762, workstation=10389
            )
        ),
    )
    return lab.with_changes(
        [put(ARCHIVE, dcmExternalRetrieveAEDestination="DCM4CHEE", dcmCStoreSCUOfCMoveSCP="LONGTERM=LONGTERM")]
    )


def without_capabilities(ae: str, role: str = "") -> tuple[Delete, ...]:
    children = valid_tree().children(DN.parse(ae))
    return tuple(Delete(each.dn) for each in children if role in ("", each.text("dicomTransferRole")))


def ae_of(device: str, title: str) -> tuple[Add, ...]:
    """A registered AE with the connection ``cn=dicom`` of *device*, which is there."""
    registered = new(f"dicomAETitle={title},{REGISTRY}", objectClass="dicomUniqueAETitle", dicomAETitle=title)
    return Add(network_ae(device, title)), registered


def device(name: str) -> tuple[Add, ...]:
    dn = f"dicomDeviceName={name},{DEVICES}"
    return (
        new(dn, objectClass=("dicomDevice", "dcmDevice"), dicomDeviceName=name, dicomInstalled="TRUE"),
        Add(connection(dn)),
    )


class Break(NamedTuple):
    """What breaks a rule, and what is then found: entry, attribute and words of the message."""

    rule: str
    changes: Iterable[Change]
    dn: str
    attribute: str
    message: str


def _ct(ae: str) -> Add:
    return new(
        f"cn=CT,{ae}",
        objectClass="dicomTransferCapability",
        cn="CT",
        dicomSOPClass=CT,
        dicomTransferRole="SCP",
        dicomTransferSyntax="1.2.840.10008.1.2",
    )


def _coercion(**values: str) -> Add:
    named = {"objectClass": "dcmArchiveAttributeCoercion2", "cn": "x", "dcmDIMSE": "C_STORE_RQ"}
    return new(f"cn=x,{DCM4CHEE}", **named, dicomTransferRole="SCU", **{"dcmURI": "merge-attrs:"} | values)


EXTERNAL = (
    Break(
        "external-retrieve-unknown",
        [put(ARCHIVE, dcmExternalRetrieveAEDestination="HOSPPACS")],
        ARCHIVE,
        "dcmExternalRetrieveAEDestination",
        "no AE has the title HOSPPACS; storage SCPs of dcm4chee-arc: DCM4CHEE",
    ),
    Break(
        "external-retrieve-elsewhere",
        [put(ARCHIVE, dcmExternalRetrieveAEDestination="STORESCP")],
        ARCHIVE,
        "dcmExternalRetrieveAEDestination",
        "STORESCP is an AE of storescp",
    ),
    Break(
        "external-retrieve-cannot-store",
        [put(ARCHIVE, dcmExternalRetrieveAEDestination="AS_RECEIVED")],
        ARCHIVE,
        "dcmExternalRetrieveAEDestination",
        "AS_RECEIVED has no storage SCP capability",
    ),
    Break(
        "external-retrieve-caller-refused",
        [put(DCM4CHEE, dcmAcceptedCallingAETitle=("CT1", "CT2"))],
        DCM4CHEE,
        "dcmAcceptedCallingAETitle",
        "LONGTERM is to store here",
    ),
    Break(
        "external-retrieve-identity",
        [put(ARCHIVE, dcmUserIdentityNegotiation="REQUIRED")],
        DCM4CHEE,
        "dcmUserIdentityNegotiation",
        "asks every caller for a user identity",
    ),
    Break(
        "external-retrieve-unset",
        [put(ARCHIVE, dcmExternalRetrieveAEDestination=())],
        ARCHIVE,
        "dcmExternalRetrieveAEDestination",
        "LONGTERM sends straight to each destination",
    ),
    Break(
        "external-retrieve-overridden",
        [*ae_of(ARCHIVE, "OTHER"), put(DCM4CHEE, dcmExternalRetrieveAEDestination="OTHER")],
        DCM4CHEE,
        "dcmExternalRetrieveAEDestination",
        "it wins over the device's DCM4CHEE",
    ),
    Break(
        "mixed-retrieve-not-forwarded",
        [put(ARCHIVE, dcmCStoreSCUOfCMoveSCP=())],
        ARCHIVE,
        "dcmCStoreSCUOfCMoveSCP",
        "what LONGTERM sends is stored and not forwarded",
    ),
    Break(
        "move-scp-pair-format",
        [more(ARCHIVE, "dcmCStoreSCUOfCMoveSCP", "LONGTERM")],
        ARCHIVE,
        "dcmCStoreSCUOfCMoveSCP",
        "it is not CALLING=SCP",
    ),
    Break(
        "no-pending-responses",
        [put(ARCHIVE, dcmSendPendingCMoveInterval=())],
        ARCHIVE,
        "dcmSendPendingCMoveInterval",
        "whoever asks hears nothing",
    ),
    Break(
        "retrieve-timeout-short",
        [put(f"cn=dicom,{ARCHIVE}", dcmRetrieveTimeout="5000")],
        f"cn=dicom,{ARCHIVE}",
        "dcmRetrieveTimeout",
        "until it sends the first response",
    ),
    Break(
        "external-archive-accept-list",
        [put(LONGTERM, dcmAcceptedCallingAETitle="CT1")],
        LONGTERM,
        "dcmAcceptedCallingAETitle",
        "DCM4CHEE, which exports to it, is not among the callers",
    ),
    Break(
        "return-retrieve-aet",
        [put(DCM4CHEE, dcmReturnRetrieveAET="DCM4CHEE")],
        DCM4CHEE,
        "dcmReturnRetrieveAET",
        "do not show which studies",
    ),
)

NAMED = (
    Break(
        "fallback-scp-unknown",
        [put(DCM4CHEE, dcmFallbackCMoveSCP="LONGTERN")],
        DCM4CHEE,
        "dcmFallbackCMoveSCP",
        "no AE has the title LONGTERN; near misses: LONGTERM",
    ),
    Break(
        "external-archive-unknown",
        [more(STORAGE, "dcmExternalRetrieveAET", "longterm")],
        STORAGE,
        "dcmExternalRetrieveAET",
        "no AE has the title 'longterm'; 'LONGTERM' differs by case",
    ),
    Break(
        "exporter-destination-unknown",
        [put(EXPORTER, dcmURI="dicom:GONE")],
        EXPORTER,
        "dcmURI",
        "no AE has the title GONE",
    ),
    Break(
        "remote-ae-unknown",
        [_coercion(dcmURI="leading-arc:GONE")],
        f"cn=x,{DCM4CHEE}",
        "dcmURI",
        "no AE has the title GONE",
    ),
    Break(
        "local-ae-unknown",
        [put(WORKLIST, dcmShareTransferCapabilitiesFromAETitle="STORESCP")],
        WORKLIST,
        "dcmShareTransferCapabilitiesFromAETitle",
        "STORESCP is an AE of the device storescp, not of this one",
    ),
    Break(
        "accepted-destination-unknown",
        [put(DCM4CHEE, dcmAcceptedMoveDestination=("WORKSTATION", "GONE"))],
        DCM4CHEE,
        "dcmAcceptedMoveDestination",
        "no AE has the title GONE",
    ),
    Break(
        "ups-destination-unknown",
        [
            new(
                f"dcmUPSProcessingRuleID=x,{ARCHIVE}",
                objectClass="dcmUPSProcessingRule",
                dcmUPSProcessingRuleID="x",
                dcmURI="movescu:GONE",
                dicomAETitle="DCM4CHEE",
            )
        ],
        f"dcmUPSProcessingRuleID=x,{ARCHIVE}",
        "dcmURI",
        "no AE has the title GONE",
    ),
    Break(
        "other-title-as-destination",
        [put(STORESCP, dcmOtherAETitle="OLDSCP"), put(DCM4CHEE, dcmAcceptedMoveDestination="OLDSCP")],
        DCM4CHEE,
        "dcmAcceptedMoveDestination",
        "OLDSCP is only another title (dcmOtherAETitle) of STORESCP",
    ),
    Break(
        "wildcard-as-peer",
        [put(DCM4CHEE, dcmIanDestination="*")],
        DCM4CHEE,
        "dcmIanDestination",
        "* stands for no AE",
    ),
    Break(
        "condition-on-unknown-ae",
        [more(RULE, "dcmProperty", "ReceivingApplicationEntityTitle=DCM4CHEE|GONE")],
        RULE,
        "dcmProperty",
        "no AE has the title GONE",
    ),
    Break(
        "ui-reference-unknown",
        [more(f"dcmuiAetListName=reading,{UI}", "dcmuiAets", "GONE")],
        f"dcmuiAetListName=reading,{UI}",
        "dcmuiAets",
        "there is no AE GONE",
    ),
)

FALLBACK = (
    Break(
        "fallback-loop",
        [put(ARCHIVE, dcmFallbackCMoveSCP="AS_RECEIVED", dcmFallbackCMoveSCPDestination="DCM4CHEE")],
        ARCHIVE,
        "dcmFallbackCMoveSCP",
        "AS_RECEIVED is an AE of this archive",
    ),
    Break(
        "fallback-without-destination",
        [put(ARCHIVE, dcmFallbackCMoveSCP="LONGTERM")],
        ARCHIVE,
        "dcmFallbackCMoveSCPDestination",
        "requests pass through to LONGTERM",
    ),
    Break(
        "fallback-retries",
        [put(ARCHIVE, dcmFallbackCMoveSCPRetries="-1")],
        ARCHIVE,
        "dcmFallbackCMoveSCPRetries",
        "a negative number is never",
    ),
    Break(
        "alternative-is-external",
        [put(ARCHIVE, dcmAltCMoveSCP="LONGTERM")],
        ARCHIVE,
        "dcmAltCMoveSCP",
        "LONGTERM is the external archive too",
    ),
)

EXPORT = (
    Break(
        "no-storage-commitment",
        [put(EXPORTER, dcmStgCmtSCP=())],
        EXPORTER,
        "dcmStgCmtSCP",
        "LONGTERM is never asked for commitment",
    ),
    Break(
        "exporter-scheme-unknown",
        [put(EXPORTER, dcmURI="dicm:LONGTERM")],
        EXPORTER,
        "dcmURI",
        "its scheme dicm is none of curve2pr, dicom, fhir",
    ),
    Break(
        "several-retrieve-aets",
        [put(EXPORTER, dcmRetrieveAET=("LONGTERM", "STORESCP"))],
        EXPORTER,
        "dcmRetrieveAET",
        "there are 2, of which one is recorded",
    ),
    Break(
        "export-loop",
        [put(RULE, dcmProperty="SendingApplicationEntityTitle!=CT1")],
        RULE,
        "dcmProperty",
        "what is fetched from LONGTERM is exported to LONGTERM again",
    ),
)

PURGING = (
    Break(
        "external-storage-not-cache",
        [put(STORAGE, dcmStorageDuration="TEMPORARY")],
        STORAGE,
        "dcmStorageDuration",
        "it is TEMPORARY: purged studies are forgotten",
    ),
    Break(
        "purge-without-copy",
        [put(STORAGE, dcmExternalRetrieveAET=())],
        STORAGE,
        "dcmExternalRetrieveAET",
        "without asking for a copy elsewhere",
    ),
    Break(
        "cache-never-purged",
        [put(STORAGE, dcmDeleterThreshold=(), dcmDeleteStudiesNotUsedSince=())],
        STORAGE,
        "dcmDeleterThreshold",
        "neither a threshold nor a retention",
    ),
    Break(
        "external-archive-never-recorded",
        [put(EXPORTER, dcmRetrieveAET="STORESCP")],
        STORAGE,
        "dcmExternalRetrieveAET",
        "commitments record STORESCP, so nothing is purged",
    ),
    Break(
        "purged-without-availability",
        [put(STORAGE, dcmExternalRetrieveInstanceAvailability=())],
        STORAGE,
        "dcmExternalRetrieveInstanceAvailability",
        "keep showing as ONLINE",
    ),
)

PARTS = (
    Break("queue-unknown", [put(EXPORTER, dcmQueueName="Exporr")], EXPORTER, "dcmQueueName", "near misses: Export"),
    Break("exporter-unknown", [put(RULE, dcmExporterID="GONE")], RULE, "dcmExporterID", "there is no exporter GONE"),
    Break("storage-unknown", [put(DCM4CHEE, dcmObjectStorageID="fs2")], DCM4CHEE, "dcmObjectStorageID", "fs2"),
    Break("view-unknown", [put(WORKLIST, dcmQueryRetrieveViewID="x")], WORKLIST, "dcmQueryRetrieveViewID", "view x"),
    Break("web-app-unknown", [put(EXPORTER, dcmURI="stow:GONE")], EXPORTER, "dcmURI", "no web application GONE"),
    Break(
        "keycloak-client-unknown",
        [put(WEB_APP, dcmKeycloakClientID="GONE")],
        WEB_APP,
        "dcmKeycloakClientID",
        "no Keycloak client GONE",
    ),
    Break("device-unknown", [put(RULE, dicomDeviceName="gone")], RULE, "dicomDeviceName", "there is no device gone"),
    Break(
        "hl7-application-unknown",
        [put(ARCHIVE, hl7PSUSendingApplication="GONE|LAB")],
        ARCHIVE,
        "hl7PSUSendingApplication",
        "there is no HL7 application GONE|LAB",
    ),
    Break(
        "id-generator-unknown",
        [put(ARCHIVE, dcmMWLAccessionNumberGenerator="GONE")],
        ARCHIVE,
        "dcmMWLAccessionNumberGenerator",
        "there is no ID generator GONE",
    ),
    Break(
        "bulk-data-descriptor-unknown",
        [put(ARCHIVE, dcmBulkDataDescriptorID="GONE")],
        ARCHIVE,
        "dcmBulkDataDescriptorID",
        "there is no bulk data descriptor GONE",
    ),
    Break(
        "pdq-service-unknown",
        [put(ARCHIVE, dcmPatientVerificationPDQServiceID="GONE")],
        ARCHIVE,
        "dcmPatientVerificationPDQServiceID",
        "there is no PDQ service GONE",
    ),
    Break(
        "commitment-queue-missing",
        [delete(f"dcmQueueName=StgCmtSCU,{ARCHIVE}")],
        EXPORTER,
        "dcmStgCmtSCP",
        "through the queue StgCmtSCU",
    ),
)

CONNECTIONS = (
    Break(
        "connection-dangling",
        [more(STORESCP, REFERENCE, f"cn=gone,{STORESCP_DEVICE}")],
        STORESCP,
        REFERENCE,
        "there is no such connection",
    ),
    Break(
        "connection-of-other-device",
        [more(STORESCP, REFERENCE, f"cn=dicom,{LONGTERM_DEVICE}")],
        STORESCP,
        REFERENCE,
        "the connection is another device's",
    ),
    Break(
        "connection-spelling",
        [put(STORESCP, **{REFERENCE: f"cn=dicom, dicomDeviceName=storescp,{DEVICES}"})],
        STORESCP,
        REFERENCE,
        "the connection is written cn=dicom,dicomDeviceName=storescp",
    ),
    Break(
        "connection-protocol",
        [put(f"cn=dicom,{STORESCP_DEVICE}", dcmProtocol="HL7")],
        STORESCP,
        REFERENCE,
        "the connection's dcmProtocol is HL7, not DICOM",
    ),
    Break(
        "port-taken",
        [put(f"cn=hl7,{ARCHIVE}", dicomPort="11115", dcmBindAddress="127.0.0.2")],
        f"cn=hl7,{ARCHIVE}",
        "dicomPort",
        "the connection dicom has port 11115 too (bound to 0.0.0.0 and 127.0.0.2); "
        "port 11116 is unused in the configuration",
    ),
    Break(
        "port-possibly-taken",
        [
            put(f"cn=dicom,{ARCHIVE}", dcmBindAddress="127.0.0.1"),
            put(f"cn=hl7,{ARCHIVE}", dicomPort="11115", dcmBindAddress="pacs"),
        ],
        f"cn=hl7,{ARCHIVE}",
        "dicomPort",
        "the connection dicom has port 11115 too (bound to 127.0.0.1 and pacs), and dcmcfg does not look host names up",
    ),
    Break(
        "connection-not-installed",
        [put(f"cn=dicom,{STORESCP_DEVICE}", dicomInstalled="FALSE")],
        STORESCP,
        REFERENCE,
        "none of its connections is installed",
    ),
    Break(
        "peer-without-port",
        [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort=())],
        LONGTERM,
        REFERENCE,
        "and no installed DICOM connection of it has a port",
    ),
    Break(
        "ae-not-installed",
        [put(LONGTERM_DEVICE, dicomInstalled="FALSE")],
        LONGTERM_DEVICE,
        "dicomInstalled",
        "looks LONGTERM up (dcmCStoreSCUOfCMoveSCP, ",
    ),
    Break(
        "connection-named-by-address",
        [
            new(
                f"dicomHostname=pacs,{STORESCP_DEVICE}",
                objectClass="dicomNetworkConnection",
                cn="dicom2",
                dicomHostname="pacs",
            )
        ],
        f"dicomHostname=pacs,{STORESCP_DEVICE}",
        "cn",
        "it has a cn and is named by its host",
    ),
)

TRANSPORT = (
    Break(
        "tls-mismatch",
        [
            put(f"cn=dicom-tls,{ARCHIVE}", dicomInstalled="FALSE"),
            *[put(f"cn=dicom,{LONGTERM_DEVICE}", dicomTLSCipherSuite="TLS_RSA_WITH_AES_128_CBC_SHA")],
        ],
        LONGTERM,
        "",
        "it offers TLS only, and no AE of dcm4chee-arc",
    ),
    Break(
        "tls-ciphers",
        [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomTLSCipherSuite=NULL_CIPHER)],
        LONGTERM,
        "",
        "it shares no TLS version and cipher with dcm4chee-arc",
    ),
    Break(
        "exporter-cannot-connect",
        [
            put(DCM4CHEE, **{REFERENCE: f"cn=dicom-tls,{ARCHIVE}"}),
        ],
        EXPORTER,
        "dicomAETitle",
        "DCM4CHEE has no connection that fits one of LONGTERM",
    ),
    Break(
        "peer-blacklisted",
        [
            put(f"cn=dicom,{LONGTERM_DEVICE}", dicomHostname="lta"),
            put(f"cn=dicom,{ARCHIVE}", dcmBlacklistedHostname="LTA"),
        ],
        f"cn=dicom,{ARCHIVE}",
        "dcmBlacklistedHostname",
        "is at LTA, so what it sends back is not let in",
    ),
    Break(
        "tls-without-store",
        [put(ARCHIVE, dcmKeyStoreURL=())],
        ARCHIVE,
        "dcmKeyStoreURL",
        "it has TLS connections and no key of its own",
    ),
    Break(
        "loopback-address",
        [
            put(f"cn=dicom,{ARCHIVE}", dicomHostname="pacs"),
            put(f"cn=dicom-tls,{ARCHIVE}", dicomHostname="pacs"),
        ],
        f"cn=dicom,{LONGTERM_DEVICE}",
        "dicomHostname",
        "LONGTERM is called there",
    ),
)

CAPABILITIES = (
    Break(
        "incomplete-scp-capabilities",
        [*without_capabilities(STORESCP), _ct(STORESCP)],
        STORESCP,
        "",
        "it lists 1 storage SOP classes as SCP",
    ),
    Break("no-storage-scu", without_capabilities(DCM4CHEE, "SCU"), DCM4CHEE, "", "it has no storage SCU capability"),
    Break(
        "archive-ae-without-capabilities",
        without_capabilities(WORKLIST),
        WORKLIST,
        "",
        "it has no transfer capabilities",
    ),
    Break(
        "scp-without-acceptor",
        [put(AS_RECEIVED, dicomAssociationAcceptor="FALSE")],
        AS_RECEIVED,
        "dicomAssociationAcceptor",
        "accepts no association",
    ),
    Break(
        "no-object-storage",
        [put(DCM4CHEE, dcmObjectStorageID=())],
        DCM4CHEE,
        "dcmObjectStorageID",
        "nothing that it receives can be stored",
    ),
)

NAMES = (
    Break(
        "duplicate-ae-title",
        [*device("zz"), Add(network_ae(f"dicomDeviceName=zz,{DEVICES}", "STORESCP"))],
        f"dicomAETitle=STORESCP,dicomDeviceName=zz,{DEVICES}",
        "dicomAETitle",
        "the device storescp has an AE of this title too",
    ),
    Break(
        "duplicate-application-name",
        [
            new(
                f"dcmWebAppName=DCM4CHEE,{STORESCP_DEVICE}",
                objectClass="dcmWebApp",
                dcmWebAppName="DCM4CHEE",
                dcmWebServiceClass="STOW_RS",
                dcmWebServicePath="/x",
            )
        ],
        f"dcmWebAppName=DCM4CHEE,{STORESCP_DEVICE}",
        "dcmWebAppName",
        "another device has a web application of this name",
    ),
    Break(
        "other-title-shadowed",
        [put(DCM4CHEE, dcmOtherAETitle="WORKLIST")],
        DCM4CHEE,
        "dcmOtherAETitle",
        "WORKLIST is an AE of the device",
    ),
    Break(
        "name-with-special-characters",
        [new(f"dcmQueueName=A\\,B,{ARCHIVE}", objectClass="dcmQueue", dcmQueueName="A,B")],
        f"dcmQueueName=A\\,B,{ARCHIVE}",
        "dcmQueueName",
        "writes DNs without escaping",
    ),
    Break(
        "registry-orphan",
        [new(f"dicomAETitle=NEW_AET_A,{REGISTRY}", objectClass="dicomUniqueAETitle", dicomAETitle="NEW_AET_A")],
        f"dicomAETitle=NEW_AET_A,{REGISTRY}",
        "dicomAETitle",
        "no AE has the name NEW_AET_A",
    ),
    Break(
        "registry-missing",
        [delete(f"dicomAETitle=STORESCP,{REGISTRY}")],
        STORESCP,
        "dicomAETitle",
        "STORESCP is not in the registry",
    ),
)

SETTINGS = (
    Break(
        "ae-cache-never-expires",
        [put(ARCHIVE, dcmAECacheStaleTimeout=())],
        ARCHIVE,
        "dcmAECacheStaleTimeout",
        "kept until a reload",
    ),
    Break(
        "storage-threshold",
        [
            new(
                f"dcmStorageID=fs2,{ARCHIVE}",
                objectClass="dcmStorage",
                dcmStorageID="fs2",
                dcmURI="file:/fs2",
                dcmStorageThreshold="10GB",
            ),
            more(DCM4CHEE, "dcmObjectStorageID", "fs2"),
        ],
        f"dcmStorageID=fs2,{ARCHIVE}",
        "dcmStorageThreshold",
        "the next C-STORE to DCM4CHEE makes the archive reload",
    ),
    Break(
        "tasks-never-run",
        [put(ARCHIVE, dcmTaskPollingInterval=())],
        ARCHIVE,
        "dcmTaskPollingInterval",
        "no queued task is ever run",
    ),
    Break(
        "ae-without-web-app",
        ae_of(ARCHIVE, "OTHER"),
        f"dicomAETitle=OTHER,{ARCHIVE}",
        "",
        "no web application of class DCM4CHEE_ARC_AET serves it",
    ),
    Break(
        "preferred-transfer-syntax-order",
        [put(STORESCP, dcmPreferredTransferSyntax=("{0}1.2.840.10008.1.2.1", "1.2.840.10008.1.2"))],
        STORESCP,
        "dcmPreferredTransferSyntax",
        "its first three characters are cut off",
    ),
)

_PKI = ("dicomDevice", "dcmDevice", "pkiUser")
CERTIFICATES = (
    Break(
        "certificate-expired",
        [
            put(STORESCP_DEVICE, objectClass=_PKI),
            more(STORESCP_DEVICE, "userCertificate;binary", certificate("node1", datetime(2025, 9, 28, tzinfo=UTC))),
        ],
        STORESCP_DEVICE,
        "userCertificate;binary",
        "CN=node1 expired on 2025-09-28",
    ),
    Break(
        "certificate-expires",
        [
            put(STORESCP_DEVICE, objectClass=_PKI),
            more(STORESCP_DEVICE, "userCertificate;binary", certificate("node1", datetime(2026, 12, 1, tzinfo=UTC))),
        ],
        STORESCP_DEVICE,
        "userCertificate;binary",
        "CN=node1 expires on 2026-12-01, in 7 days",
    ),
    Break(
        "certificate-unreadable",
        [
            put(STORESCP_DEVICE, objectClass=_PKI),
            more(STORESCP_DEVICE, "userCertificate;binary", b"0\x82"),
        ],
        STORESCP_DEVICE,
        "userCertificate;binary",
        "2 octets that are no X.509 certificate",
    ),
)

#: Rules for less than a whole failure.
FINER = (
    Break(
        "recall-sender-mismatch",
        [more(ARCHIVE, "dcmCStoreSCUOfCMoveSCP", "TAPE=LONGTERM")],
        ARCHIVE,
        "dcmCStoreSCUOfCMoveSCP",
        "what TAPE sends back is not taken for what LONGTERM is recorded to have",
    ),
    Break(
        "availability-without-effect",
        [put(STORAGE, dcmExternalRetrieveAET=())],
        STORAGE,
        "dcmExternalRetrieveInstanceAvailability",
        "it has no dcmExternalRetrieveAET",
    ),
    Break(
        "condition-format",
        [more(RULE, "dcmProperty", "StudyDescription=*CT")],
        RULE,
        "dcmProperty",
        "*, + or ? has nothing to repeat",
    ),
    Break(
        "bound-to-loopback",
        [put(f"cn=dicom,{ARCHIVE}", dcmBindAddress="127.0.0.1", dicomHostname="pacs")],
        f"cn=dicom,{ARCHIVE}",
        "dcmBindAddress",
        "others call pacs, and only this machine is let in",
    ),
    Break(
        "recall-association-limit",
        [put(ARCHIVE, dcmLimitOpenAssociations="1")],
        ARCHIVE,
        "dcmLimitOpenAssociations",
        "what the external archive sends is rejected",
    ),
    Break(
        "store-association-limit",
        [put(STORESCP_DEVICE, dcmLimitOpenAssociations="2"), put(DCM4CHEE, dcmMultipleStoreAssociations="STORESCP:3")],
        DCM4CHEE,
        "dcmMultipleStoreAssociations",
        "STORESCP's device takes 2 associations at once",
    ),
    Break(
        "storage-scp-without-scu",
        [delete(f"cn=CT Image Storage SCU,{DCM4CHEE}")],
        DCM4CHEE,
        "",
        f"it takes objects of {CT} and sends none",
    ),
    Break(
        "initiator-not-enforced",
        [put(DCM4CHEE, dicomAssociationInitiator="FALSE")],
        DCM4CHEE,
        "dicomAssociationInitiator",
        "the archive opens associations as this AE all the same",
    ),
    Break(
        "ae-cache-timeout-long",
        [put(ARCHIVE, dcmAECacheStaleTimeout="P1D")],
        ARCHIVE,
        "dcmAECacheStaleTimeout",
        "so long the archive goes on with an old address",
    ),
)

BREAKS = (
    *EXTERNAL,
    *NAMED,
    *FALLBACK,
    *EXPORT,
    *PURGING,
    *PARTS,
    *CONNECTIONS,
    *TRANSPORT,
    *CAPABILITIES,
    *NAMES,
    *SETTINGS,
    *CERTIFICATES,
    *FINER,
)

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
        "STORESCP is an AE of the device storescp",
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
        "LONGTERM must send retrieved objects to DCM4CHEE, but DCM4CHEE does not accept the calling AE title LONGTERM",
    ),
    Break(
        "external-retrieve-identity",
        [put(ARCHIVE, dcmUserIdentityNegotiation="REQUIRED")],
        DCM4CHEE,
        "dcmUserIdentityNegotiation",
        "DCM4CHEE requires a user identity from every caller, but external archives rarely send a user identity",
    ),
    Break(
        "external-retrieve-unset",
        [put(ARCHIVE, dcmExternalRetrieveAEDestination=())],
        ARCHIVE,
        "dcmExternalRetrieveAEDestination",
        "objects from LONGTERM go directly to the destinations, so LONGTERM must know all destinations",
    ),
    Break(
        "external-retrieve-overridden",
        [*ae_of(ARCHIVE, "OTHER"), put(DCM4CHEE, dcmExternalRetrieveAEDestination="OTHER")],
        DCM4CHEE,
        "dcmExternalRetrieveAEDestination",
        "the AE's value overrides the device's value DCM4CHEE",
    ),
    Break(
        "mixed-retrieve-not-forwarded",
        [put(ARCHIVE, dcmCStoreSCUOfCMoveSCP=())],
        ARCHIVE,
        "dcmCStoreSCUOfCMoveSCP",
        "if a study is partly local, the archive stores the objects from LONGTERM but does not forward them",
    ),
    Break(
        "move-scp-pair-format",
        [more(ARCHIVE, "dcmCStoreSCUOfCMoveSCP", "LONGTERM")],
        ARCHIVE,
        "dcmCStoreSCUOfCMoveSCP",
        "the value does not have the form CALLING=SCP, so the archive cannot load the device",
    ),
    Break(
        "no-pending-responses",
        [put(ARCHIVE, dcmSendPendingCMoveInterval=())],
        ARCHIVE,
        "dcmSendPendingCMoveInterval",
        (
            "the requester receives no response until the external archive has sent all objects, so the requester may "
            "time out"
        ),
    ),
    Break(
        "retrieve-timeout-short",
        [put(f"cn=dicom,{ARCHIVE}", dcmRetrieveTimeout="5000")],
        f"cn=dicom,{ARCHIVE}",
        "dcmRetrieveTimeout",
        "the external archive must send its first response within this time (in milliseconds)",
    ),
    Break(
        "external-archive-accept-list",
        [put(LONGTERM, dcmAcceptedCallingAETitle="CT1")],
        LONGTERM,
        "dcmAcceptedCallingAETitle",
        "DCM4CHEE exports to LONGTERM, but LONGTERM does not accept DCM4CHEE as calling AE title",
    ),
    Break(
        "return-retrieve-aet",
        [put(DCM4CHEE, dcmReturnRetrieveAET="DCM4CHEE")],
        DCM4CHEE,
        "dcmReturnRetrieveAET",
        "do not show which studies",
    ),
)

UNKNOWN_AES = (
    Break(
        "fallback-scp-unknown",
        [put(DCM4CHEE, dcmFallbackCMoveSCP="LONGTERN")],
        DCM4CHEE,
        "dcmFallbackCMoveSCP",
        "no AE has the title LONGTERN; did you mean LONGTERM?",
    ),
    Break(
        "external-archive-unknown",
        [more(STORAGE, "dcmExternalRetrieveAET", "longterm")],
        STORAGE,
        "dcmExternalRetrieveAET",
        "no AE has the title 'longterm'; upper and lower case and spaces matter; did you mean 'LONGTERM'?",
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
        "STORESCP is an AE of the device storescp, not of this device",
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
        "OLDSCP is in dcmOtherAETitle of STORESCP, but is not the AE's own title",
    ),
    Break(
        "wildcard-as-peer",
        [put(DCM4CHEE, dcmIanDestination="*")],
        DCM4CHEE,
        "dcmIanDestination",
        "the archive cannot call an AE with the title *",
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
        "the AE GONE does not exist",
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
        "the archive forwards requests unchanged to LONGTERM, and does not retrieve the missing objects of "
        "incomplete local studies",
    ),
    Break(
        "fallback-retries",
        [put(ARCHIVE, dcmFallbackCMoveSCPRetries="-1")],
        ARCHIVE,
        "dcmFallbackCMoveSCPRetries",
        "with a negative number, the archive never retries",
    ),
    Break(
        "alternative-is-external",
        [put(ARCHIVE, dcmAltCMoveSCP="LONGTERM")],
        ARCHIVE,
        "dcmAltCMoveSCP",
        "LONGTERM is also the external archive, so LONGTERM sends objects directly to the destination",
    ),
)

EXPORT = (
    Break(
        "no-storage-commitment",
        [put(EXPORTER, dcmStgCmtSCP=())],
        EXPORTER,
        "dcmStgCmtSCP",
        "the exporter requests no storage commitment, so the archive never records which studies are on LONGTERM",
    ),
    Break(
        "exporter-scheme-unknown",
        [put(EXPORTER, dcmURI="dicm:LONGTERM")],
        EXPORTER,
        "dcmURI",
        "the scheme dicm is unknown; supported schemes: curve2pr, dicom, fhir",
    ),
    Break(
        "several-retrieve-aets",
        [put(EXPORTER, dcmRetrieveAET=("LONGTERM", "STORESCP"))],
        EXPORTER,
        "dcmRetrieveAET",
        "the archive records only one of these 2 values; LDAP values have no order, so the archive can "
        "record any of the values",
    ),
    Break(
        "export-loop",
        [put(RULE, dcmProperty="SendingApplicationEntityTitle!=CT1")],
        RULE,
        "dcmProperty",
        "studies retrieved from LONGTERM are exported to LONGTERM again",
    ),
)

PURGING = (
    Break(
        "external-storage-not-cache",
        [put(STORAGE, dcmStorageDuration="TEMPORARY")],
        STORAGE,
        "dcmStorageDuration",
        "the storage duration is TEMPORARY: purging also deletes the records of the studies",
    ),
    Break(
        "purge-without-copy",
        [put(STORAGE, dcmExternalRetrieveAET=())],
        STORAGE,
        "dcmExternalRetrieveAET",
        "the storage purges studies even if no other copy exists",
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
        "after storage commitments, the archive records only STORESCP as external archive, so nothing is purged",
    ),
    Break(
        "purged-without-availability",
        [put(STORAGE, dcmExternalRetrieveInstanceAvailability=())],
        STORAGE,
        "dcmExternalRetrieveInstanceAvailability",
        "purged studies still have the availability ONLINE",
    ),
)

PARTS = (
    Break("queue-unknown", [put(EXPORTER, dcmQueueName="Exporr")], EXPORTER, "dcmQueueName", "did you mean Export?"),
    Break(
        "exporter-unknown", [put(RULE, dcmExporterID="GONE")], RULE, "dcmExporterID", "the exporter GONE does not exist"
    ),
    Break("storage-unknown", [put(DCM4CHEE, dcmObjectStorageID="fs2")], DCM4CHEE, "dcmObjectStorageID", "fs2"),
    Break("view-unknown", [put(WORKLIST, dcmQueryRetrieveViewID="x")], WORKLIST, "dcmQueryRetrieveViewID", "view x"),
    Break(
        "web-app-unknown",
        [put(EXPORTER, dcmURI="stow:GONE")],
        EXPORTER,
        "dcmURI",
        "the web application GONE does not exist",
    ),
    Break(
        "keycloak-client-unknown",
        [put(WEB_APP, dcmKeycloakClientID="GONE")],
        WEB_APP,
        "dcmKeycloakClientID",
        "the Keycloak client GONE does not exist",
    ),
    Break(
        "device-unknown", [put(RULE, dicomDeviceName="gone")], RULE, "dicomDeviceName", "the device gone does not exist"
    ),
    Break(
        "hl7-application-unknown",
        [put(ARCHIVE, hl7PSUSendingApplication="GONE|LAB")],
        ARCHIVE,
        "hl7PSUSendingApplication",
        "the HL7 application GONE|LAB does not exist",
    ),
    Break(
        "id-generator-unknown",
        [put(ARCHIVE, dcmMWLAccessionNumberGenerator="GONE")],
        ARCHIVE,
        "dcmMWLAccessionNumberGenerator",
        "the ID generator GONE does not exist",
    ),
    Break(
        "bulk-data-descriptor-unknown",
        [put(ARCHIVE, dcmBulkDataDescriptorID="GONE")],
        ARCHIVE,
        "dcmBulkDataDescriptorID",
        "the bulk data descriptor GONE does not exist",
    ),
    Break(
        "pdq-service-unknown",
        [put(ARCHIVE, dcmPatientVerificationPDQServiceID="GONE")],
        ARCHIVE,
        "dcmPatientVerificationPDQServiceID",
        "the PDQ service GONE does not exist",
    ),
    Break(
        "commitment-queue-missing",
        [delete(f"dcmQueueName=StgCmtSCU,{ARCHIVE}")],
        EXPORTER,
        "dcmStgCmtSCP",
        "storage commitment requires the queue StgCmtSCU, which does not exist",
    ),
)

CONNECTIONS = (
    Break(
        "connection-dangling",
        [more(STORESCP, REFERENCE, f"cn=gone,{STORESCP_DEVICE}")],
        STORESCP,
        REFERENCE,
        "this connection does not exist, so the archive cannot load the device",
    ),
    Break(
        "connection-of-other-device",
        [more(STORESCP, REFERENCE, f"cn=dicom,{LONGTERM_DEVICE}")],
        STORESCP,
        REFERENCE,
        "the connection belongs to another device, so the archive cannot load this device",
    ),
    Break(
        "connection-spelling",
        [put(STORESCP, **{REFERENCE: f"cn=dicom, dicomDeviceName=storescp,{DEVICES}"})],
        STORESCP,
        REFERENCE,
        "the DN of the connection is spelled cn=dicom,dicomDeviceName=storescp",
    ),
    Break(
        "connection-protocol",
        [put(f"cn=dicom,{STORESCP_DEVICE}", dcmProtocol="HL7")],
        STORESCP,
        REFERENCE,
        "the connection's dcmProtocol is HL7, but this entry requires DICOM",
    ),
    Break(
        "port-taken",
        [put(f"cn=hl7,{ARCHIVE}", dicomPort="11115", dcmBindAddress="127.0.0.2")],
        f"cn=hl7,{ARCHIVE}",
        "dicomPort",
        "the connection dicom also has port 11115 (addresses: 0.0.0.0 and 127.0.0.2); "
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
        (
            "the connection dicom also has port 11115 (addresses: 127.0.0.1 and pacs). dcmcfg does not resolve host "
            "names, so the two addresses may be equal"
        ),
    ),
    Break(
        "connection-not-installed",
        [put(f"cn=dicom,{STORESCP_DEVICE}", dicomInstalled="FALSE")],
        STORESCP,
        REFERENCE,
        "none of the AE's connections is installed",
    ),
    Break(
        "peer-without-port",
        [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort=())],
        LONGTERM,
        REFERENCE,
        "dcm4chee-arc connects to this AE (dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET), "
        "but none of the AE's installed DICOM connections has a port",
    ),
    Break(
        "ae-not-installed",
        [put(LONGTERM_DEVICE, dicomInstalled="FALSE")],
        LONGTERM_DEVICE,
        "dicomInstalled",
        "because of this value, dcm4chee-arc does not find the AE LONGTERM, although this AE is used in "
        "dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET",
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
        "the connection has a cn, so the archive expects the cn in the DN, but the DN contains the host",
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
        "dcm4chee-arc connects to this AE (dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET), "
        "but this AE offers only TLS, and no AE of dcm4chee-arc supports TLS",
    ),
    Break(
        "tls-ciphers",
        [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomTLSCipherSuite=NULL_CIPHER)],
        LONGTERM,
        "",
        "dcm4chee-arc connects to this AE (dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET), "
        "but dcm4chee-arc and this AE have no TLS version and cipher suite in common",
    ),
    Break(
        "exporter-cannot-connect",
        [
            put(DCM4CHEE, **{REFERENCE: f"cn=dicom-tls,{ARCHIVE}"}),
        ],
        EXPORTER,
        "dicomAETitle",
        "DCM4CHEE has no connection that is compatible with a connection of LONGTERM",
    ),
    Break(
        "peer-blacklisted",
        [
            put(f"cn=dicom,{LONGTERM_DEVICE}", dicomHostname="lta"),
            put(f"cn=dicom,{ARCHIVE}", dcmBlacklistedHostname="LTA"),
        ],
        f"cn=dicom,{ARCHIVE}",
        "dcmBlacklistedHostname",
        "LONGTERM (dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET) has the host LTA, so the "
        "archive rejects connections from this AE",
    ),
    Break(
        "tls-without-store",
        [put(ARCHIVE, dcmKeyStoreURL=())],
        ARCHIVE,
        "dcmKeyStoreURL",
        "the device has TLS connections but no key store",
    ),
    Break(
        "loopback-address",
        [
            put(f"cn=dicom,{ARCHIVE}", dicomHostname="pacs"),
            put(f"cn=dicom-tls,{ARCHIVE}", dicomHostname="pacs"),
        ],
        f"cn=dicom,{LONGTERM_DEVICE}",
        "dicomHostname",
        "dcm4chee-arc connects to LONGTERM (dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET), "
        "but the host 127.0.0.1 is always the machine of the archive itself",
    ),
)

CAPABILITIES = (
    Break(
        "incomplete-scp-capabilities",
        [*without_capabilities(STORESCP), _ct(STORESCP)],
        STORESCP,
        "",
        "the archive does not send 167 of its 168 storage SOP classes to the AE",
    ),
    Break(
        "no-storage-scu", without_capabilities(DCM4CHEE, "SCU"), DCM4CHEE, "", "the AE has no storage SCU capability"
    ),
    Break(
        "archive-ae-without-capabilities",
        without_capabilities(WORKLIST),
        WORKLIST,
        "",
        "the AE has no transfer capabilities",
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
        "the AE is a storage SCP without dcmObjectStorageID, so it cannot store received objects",
    ),
)

NAMES = (
    Break(
        "duplicate-ae-title",
        [*device("zz"), Add(network_ae(f"dicomDeviceName=zz,{DEVICES}", "STORESCP"))],
        f"dicomAETitle=STORESCP,dicomDeviceName=zz,{DEVICES}",
        "dicomAETitle",
        "the device storescp also has an AE with this title",
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
        "another device has a web application with this name",
    ),
    Break(
        "other-title-shadowed",
        [put(DCM4CHEE, dcmOtherAETitle="WORKLIST")],
        DCM4CHEE,
        "dcmOtherAETitle",
        "WORKLIST is also the AE title of another AE of the device, and the archive finds that AE first",
    ),
    Break(
        "name-with-special-characters",
        [new(f"dcmQueueName=A\\,B,{ARCHIVE}", objectClass="dcmQueue", dcmQueueName="A,B")],
        f"dcmQueueName=A\\,B,{ARCHIVE}",
        "dcmQueueName",
        "does not escape special characters in DNs",
    ),
    Break(
        "name-not-in-dn",
        [more(EXPORTER, "dcmExporterID", "PACS3")],
        EXPORTER,
        "dcmExporterID",
        "the entry has several names, and its DN does not contain the name PACS3. The archive uses only one name",
    ),
    Break(
        "registry-orphan",
        [new(f"dicomAETitle=NEW_AET_A,{REGISTRY}", objectClass="dicomUniqueAETitle", dicomAETitle="NEW_AET_A")],
        f"dicomAETitle=NEW_AET_A,{REGISTRY}",
        "dicomAETitle",
        "no AE named NEW_AET_A exists",
    ),
    Break(
        "registry-missing",
        [delete(f"dicomAETitle=STORESCP,{REGISTRY}")],
        STORESCP,
        "dicomAETitle",
        "STORESCP is not registered",
    ),
)

SETTINGS = (
    Break(
        "ae-cache-never-expires",
        [put(ARCHIVE, dcmAECacheStaleTimeout=())],
        ARCHIVE,
        "dcmAECacheStaleTimeout",
        "the archive caches the addresses of other AEs until a reload",
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
        "the archive reloads its configuration from LDAP at the next C-STORE to DCM4CHEE",
    ),
    Break(
        "tasks-never-run",
        [put(ARCHIVE, dcmTaskPollingInterval=())],
        ARCHIVE,
        "dcmTaskPollingInterval",
        "the archive never runs queued tasks",
    ),
    Break(
        "ae-without-web-app",
        ae_of(ARCHIVE, "OTHER"),
        f"dicomAETitle=OTHER,{ARCHIVE}",
        "",
        "no web application of class DCM4CHEE_ARC_AET serves this AE",
    ),
    Break(
        "preferred-transfer-syntax-order",
        [put(STORESCP, dcmPreferredTransferSyntax=("{0}1.2.840.10008.1.2.1", "1.2.840.10008.1.2"))],
        STORESCP,
        "dcmPreferredTransferSyntax",
        "the value has no ordinal such as {0}, but the archive still removes the first three characters",
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
        "the value (2 octets) is not an X.509 certificate",
    ),
)

#: Rules about settings that work, with an unexpected effect.
EFFECTS = (
    Break(
        "recall-sender-mismatch",
        [more(ARCHIVE, "dcmCStoreSCUOfCMoveSCP", "TAPE=LONGTERM")],
        ARCHIVE,
        "dcmCStoreSCUOfCMoveSCP",
        "the archive ignores objects from TAPE, because LONGTERM is recorded as the external archive of these objects",
    ),
    Break(
        "availability-without-effect",
        [put(STORAGE, dcmExternalRetrieveAET=())],
        STORAGE,
        "dcmExternalRetrieveInstanceAvailability",
        "the storage has no dcmExternalRetrieveAET, so this value has no effect",
    ),
    Break(
        "condition-format",
        [more(RULE, "dcmProperty", "StudyDescription=*CT")],
        RULE,
        "dcmProperty",
        "there is nothing to repeat before *, + or ?",
    ),
    Break(
        "bound-to-loopback",
        [put(f"cn=dicom,{ARCHIVE}", dcmBindAddress="127.0.0.1", dicomHostname="pacs")],
        f"cn=dicom,{ARCHIVE}",
        "dcmBindAddress",
        "peers connect to pacs, but the archive accepts connections only from its own machine",
    ),
    Break(
        "recall-association-limit",
        [put(ARCHIVE, dcmLimitOpenAssociations="1")],
        ARCHIVE,
        "dcmLimitOpenAssociations",
        "while a requester waits for a recall, the archive rejects the external archive's association",
    ),
    Break(
        "store-association-limit",
        [put(STORESCP_DEVICE, dcmLimitOpenAssociations="2"), put(DCM4CHEE, dcmMultipleStoreAssociations="STORESCP:3")],
        DCM4CHEE,
        "dcmMultipleStoreAssociations",
        "the device of STORESCP accepts only 2 concurrent associations (dcmLimitOpenAssociations)",
    ),
    Break(
        "storage-scp-without-scu",
        [delete(f"cn=CT Image Storage SCU,{DCM4CHEE}")],
        DCM4CHEE,
        "",
        f"the AE has an SCP capability but no SCU capability for {CT}",
    ),
    Break(
        "initiator-not-enforced",
        [put(DCM4CHEE, dicomAssociationInitiator="FALSE")],
        DCM4CHEE,
        "dicomAssociationInitiator",
        "FALSE has no effect: the archive still opens associations as this AE",
    ),
    Break(
        "ae-cache-timeout-long",
        [put(ARCHIVE, dcmAECacheStaleTimeout="P1D")],
        ARCHIVE,
        "dcmAECacheStaleTimeout",
        "until the cache time ends, the archive uses old addresses, and an AE that was unknown before stays unknown",
    ),
)

BREAKS = (
    *EXTERNAL,
    *UNKNOWN_AES,
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
    *EFFECTS,
)

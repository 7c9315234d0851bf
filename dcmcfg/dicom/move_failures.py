"""Why a dcm4chee archive answers a C-MOVE with A702 or A801.

Both may be about the archive or about the external archive behind it, and only the Error Comment tells: the
archive puts the text of a Java exception there, cut at 64 characters, so that an AE title or a reject reason
at its end is lost (CommonCMoveSCP and RetrieveServiceImpl of dcm4chee-arc, DicomServiceException of dcm4che).

The archive opens associations with the external archive for what it has purged, and with the destination for what
it holds itself. When one cannot be had the comment is the same, so both are named.
"""

from __future__ import annotations

#: What went wrong, and what to look at.
Finding = tuple[str, str]

_DESTINATION_UNKNOWN = "refused: the move destination is unknown"
_NOT_DONE = "refused: the sub-operations could not be performed"

_WHICH_EXTERNAL = (
    "(the comment has lost its AE title: it is the external retrieve AE title that the archive's database "
    "holds for the study, or dcmAltCMoveSCP or dcmFallbackCMoveSCP)"
)

#: Who is meant where a comment does not tell.
EITHER = "the external archive (a purged study), or the destination (a study in the archive's own storage)"

#: Part of the comment, what it says, what to look at; the first that is found is taken.
_SUB_OPERATIONS: tuple[tuple[str, str, str], ...] = (
    (
        "Unknown AE",
        "the archive does not know the AE of the external archive",
        f"in LDAP: an AE with the title of the external archive {_WHICH_EXTERNAL}, and reload, "
        "because the archive remembers unknown titles (dcmAECacheStaleTimeout). If there is one: a device "
        "with a broken connection reference is unknown as a whole. A study whose storage commitment never "
        "came has the title '*', which no AE has",
    ),
    (
        "ConfigurationNotFoundException: AE: ",
        "the AE of the external archive is not installed",
        f"dicomInstalled of that AE and of its device {_WHICH_EXTERNAL}",
    ),
    (
        "ConfigurationException",
        f"the archive cannot load the configuration of an AE: {EITHER}",
        "the connection references and values of that AE's device in LDAP",
    ),
    (
        "A-ASSOCIATE-RJ",
        f"the archive's association was rejected by {EITHER}",
        "the external archive's list of calling AE titles: it sees the AE title of the requester, not the "
        "archive's, so it must accept the calling title of this C-MOVE; the destination sees that of the "
        "archive's AE; and the called AE title of either, as LDAP has it",
    ),
    (
        "Connection refused",
        f"nothing listens where the archive looks for {EITHER}",
        "whether the one that is meant runs; dicomHostname and dicomPort of its connection in LDAP",
    ),
    (
        "UnknownHostException",
        f"the archive cannot resolve a host name, that of {EITHER}",
        "dicomHostname of its connection in LDAP, as seen from the archive's machine or container",
    ),
    (
        "SocketTimeoutException",
        f"no answer in time to the archive's connection with {EITHER}",
        "a firewall in between; dicomHostname and dicomPort of its connection in LDAP; dcmTCPConnectTimeout "
        "of the archive's connection",
    ),
    (
        "IncompatibleConnectionException",
        f"no connection of the archive fits one of {EITHER}",
        "their connections in LDAP: both installed, the other one with a dicomPort, both plain or both "
        "TLS with a common cipher suite (dicomTLSCipherSuite) and protocol version (dcmTLSProtocol)",
    ),
    (
        "javax.net.ssl.",
        f"the TLS handshake failed between the archive and {EITHER}",
        "their certificates: each must trust that of the other, and the key of the one that is called must suit the "
        "cipher suites (dicomTLSCipherSuite)",
    ),
    (
        "Not installed",
        "the archive's own AE or connection is not installed",
        "dicomInstalled of the archive's device, AE and DICOM connection",
    ),
)

#: Parts of a comment that speak of a configuration, which does not mend itself.
_LASTING = (
    "Unknown AE",
    "ConfigurationNotFoundException",
    "ConfigurationException",
    "UnknownHostException",
    "IncompatibleConnectionException",
    "javax.net.ssl.",
    "Not installed",
)
_REJECTED, _FOR_NOW = "A-ASSOCIATE-RJ", "result: 2"

_NO_REASON = (
    "whether archive and destination both have these SOP classes in their transfer capabilities "
    "(dicomTransferCapability: role SCU at the archive's AE; role SCP at the destination, where it lists "
    "any); whether the destination listens and accepts the archive; with an external archive, its log: the "
    "connection may have broken after the association was made, or it kept silent for longer than "
    "dcmRetrieveTimeout of the archive's connection"
)


def passes(comment: str) -> bool:
    """Tell whether what *comment* says may be over later: a rejection only where it is for now (PS3.8 Table 9-21)."""
    if _REJECTED in comment:
        return _FOR_NOW in comment
    return not any(part in comment for part in _LASTING)


def explain_sub_operations_failed(comment: str) -> Finding:
    """Return what A702 with *comment* says."""
    for part, what, look_at in _SUB_OPERATIONS:
        if part in comment:
            return f"{_NOT_DONE}: {what}", look_at
    return _NOT_DONE, _NO_REASON


def explain_destination_unknown(comment: str) -> Finding:
    """Return what A801 with *comment* says, and to whom the destination is unknown.

    The archive writes ``Unknown AE: X`` or ``AE: X not installed`` about its own LDAP. Any other comment, or
    none, comes from an external archive whose response is passed on (archives other than dcm4chee write what
    they like).
    """
    if comment.startswith("Unknown AE: "):
        title = comment.removeprefix("Unknown AE: ")
        return (
            f"{_DESTINATION_UNKNOWN} to the archive itself",
            f"in LDAP: the AE {title} of a device. Create it with its host and port, then reload, because the "
            "archive remembers unknown titles (dcmAECacheStaleTimeout). If it is there: spelling and case, "
            "and the device's connection references, because one broken reference hides the whole device",
        )
    if comment.startswith("AE: ") and "not installed" in comment:
        title = comment.removeprefix("AE: ").split(" not installed")[0]
        return (
            f"{_DESTINATION_UNKNOWN} to the archive itself: the AE is not installed",
            f"dicomInstalled of the AE {title} and of its device",
        )
    return (
        f"{_DESTINATION_UNKNOWN}, most likely to the external archive, whose answer the archive passes on",
        "dcmExternalRetrieveAEDestination of the archive. Where it is not set, the external archive is asked "
        "to send straight to the destination of this C-MOVE, so it must know that AE with host and port: set "
        "the attribute (dcmcfg set-external-retrieve), or make the destination known there. Where it is set, "
        "that AE title is what the external archive does not know: enter it there with the archive's host "
        "and port",
    )

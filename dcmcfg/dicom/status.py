"""Explain DIMSE statuses, with the setting to check (PS3.7 Annex C, PS3.4 §B.2.3, §C.4.1.1.4, §C.4.2.1.5).

:func:`explain` looks a status up in :data:`_BY_COMMENT`, :data:`_EXACT`, :data:`_GENERAL` and :data:`_RANGES`, in this
order. A702 and A801 of a dcm4chee archive may concern the archive or the external archive behind it. Only the Error
Comment shows which: it is the text of a Java exception, cut at 64 characters, so an AE title or a reject reason at its
end is lost (CommonCMoveSCP and RetrieveServiceImpl of dcm4chee-arc, DicomServiceException of dcm4che).

The archive opens associations with the external archive for purged objects, and with the destination for the objects in
its own storage. If it cannot open one, the comment is the same, so the meaning names both.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Literal

#: General (PS3.7 Annex C).
SUCCESS = 0x0000
ATTRIBUTE_LIST_ERROR = 0x0107
PROCESSING_FAILURE = 0x0110
ATTRIBUTE_VALUE_OUT_OF_RANGE = 0x0116
INVALID_SOP_INSTANCE = 0x0117
SOP_CLASS_UNSUPPORTED = 0x0122
UNRECOGNIZED_OPERATION = 0x0211
RESOURCE_LIMITATION = 0x0213
CANCELLED = 0xFE00
PENDING = 0xFF00
#: C-FIND, if the peer does not support optional keys for matching (PS3.4 Table C.4-1).
PENDING_WITHOUT_OPTIONAL_KEYS = 0xFF01
#: N-GET (PS3.4 Section F.8.2).
OPTIONAL_ATTRIBUTES_UNSUPPORTED = 0x0001
#: C-FIND and C-MOVE (PS3.4 Tables C.4-1 and C.4-2).
INVALID_PRIOR_RECORD_KEY = 0xA710
MATCHES_NOT_COUNTED = 0xA701
UNABLE_TO_PERFORM_SUB_OPERATIONS = 0xA702
MOVE_DESTINATION_UNKNOWN = 0xA801
IDENTIFIER_MISMATCH = 0xA900
SOME_SUB_OPERATIONS_FAILED = 0xB000
MATCHES_LIMITED = 0xB001
UNABLE_TO_PROCESS = 0xC000
#: From dcm4chee-arc's RetrieveService: the destination is not in dcmAcceptedMoveDestination.
MOVE_DESTINATION_NOT_ALLOWED = 0xC801
#: C-STORE (PS3.4 Table B.2-1).
OUT_OF_RESOURCES = 0xA700
ELEMENTS_COERCED = 0xB000
ELEMENTS_DISCARDED = 0xB006
DATA_SET_MISMATCH_WARNING = 0xB007
CANNOT_UNDERSTAND = 0xC000
#: Ranges that the standard writes with an x, as in A7xx. All of Bxxx are warnings (PS3.7 Annex C).
OUT_OF_RESOURCES_RANGE = range(0xA700, 0xA800)
IDENTIFIER_MISMATCH_RANGE = range(0xA900, 0xAA00)
WARNING_RANGE = range(0xB000, 0xC000)
UNABLE_TO_PROCESS_RANGE = range(0xC000, 0xD000)

#: The meaning of a status, and the settings to check.
StatusExplanation = tuple[str, str]

_DESTINATION_UNKNOWN = "refused: the Move Destination is unknown"
_NOT_PERFORMED = "refused: the sub-operations could not be performed"

_WHICH_EXTERNAL = (
    "The Error Comment does not show the title of the external archive. Possible titles: the external retrieve AE "
    "title of the study in the archive's database, dcmAltCMoveSCP and dcmFallbackCMoveSCP"
)

#: The possible peers, if a comment does not contain the AE title.
EXTERNAL_ARCHIVE_OR_DESTINATION = (
    "the external archive (for a purged study) or the destination (for a study in the archive's own storage)"
)

#: Part of the comment, its meaning, and the settings to check; the first match is used.
_SUB_OPERATIONS: tuple[tuple[str, str, str], ...] = (
    (
        "Unknown AE",
        "the archive does not know the AE of the external archive",
        (
            f"whether LDAP has an AE with the title of the external archive. {_WHICH_EXTERNAL}. For a study "
            "without a storage commitment result, the external retrieve AE title is '*', which is not an AE. If the AE "
            "exists, check its device: one broken reference to a connection makes the whole device unknown. After a "
            "change, reload the archive, because the archive caches unknown AE titles (dcmAECacheStaleTimeout)"
        ),
    ),
    (
        "ConfigurationNotFoundException: AE: ",
        "the AE of the external archive is not installed",
        f"dicomInstalled of the external archive's device, and dicomInstalled of its AE. {_WHICH_EXTERNAL}",
    ),
    (
        "ConfigurationException",
        f"the archive cannot load the configuration of an AE: {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        "the device of that AE in LDAP: its attribute values, and the references of its AEs to connections",
    ),
    (
        "A-ASSOCIATE-RJ",
        f"the archive's association was rejected by {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        (
            "whether the called AE titles in LDAP are correct. The external archive must accept the requester's AE "
            "title, because the archive calls with this title, not with its own title. The destination must accept "
            "the archive's AE title"
        ),
    ),
    (
        "Connection refused",
        f"nothing listens at the address that the archive has for {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        "whether the called AE runs, and whether dicomHostname and dicomPort of its connection in LDAP are correct",
    ),
    (
        "UnknownHostException",
        f"the archive cannot resolve the host name of {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        "whether the archive's machine or container can resolve dicomHostname of the AE's connection in LDAP",
    ),
    (
        "SocketTimeoutException",
        f"time-out of the archive's connection to {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        "whether a firewall between the archive and the called AE drops the packets; dicomHostname and dicomPort of "
        "the called AE's connection in LDAP; dcmTCPConnectTimeout of the archive's connection",
    ),
    (
        "IncompatibleConnectionException",
        f"the archive has no connection that is compatible with a connection of {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        "the connections of both AEs in LDAP. Both connections must be installed. The connection of the called AE "
        "must have a dicomPort. Both connections must be without TLS, or have a common cipher suite "
        "(dicomTLSCipherSuite) and a common TLS version (dcmTLSProtocol)",
    ),
    (
        "javax.net.ssl.",
        f"the TLS handshake failed between the archive and {EXTERNAL_ARCHIVE_OR_DESTINATION}",
        "the certificates of both AEs. Each AE must trust the certificate of the other AE. The key of the called AE "
        "must match the cipher suites (dicomTLSCipherSuite)",
    ),
    (
        "Not installed",
        "the archive's own AE or connection is not installed",
        "dicomInstalled of the archive's device, AE and DICOM connection",
    ),
)

#: Parts of a comment that point to the configuration; a retry does not help.
_PERMANENT_PARTS = (
    "Unknown AE",
    "ConfigurationNotFoundException",
    "ConfigurationException",
    "UnknownHostException",
    "IncompatibleConnectionException",
    "javax.net.ssl.",
    "Not installed",
)
_REJECTED, _TRANSIENT_RESULT = "A-ASSOCIATE-RJ", "result: 2"

_NO_REASON = (
    "the transfer capabilities (dicomTransferCapability) for these SOP classes. The archive's AE must have the role "
    "SCU. The destination must have the role SCP, or have no transfer capabilities. Check whether the destination "
    "listens and accepts the archive. For a purged study, see the log of the external archive. Possible reasons: the "
    "connection broke after the association was established, or the external archive sent nothing for longer than "
    "dcmRetrieveTimeout of the archive's connection"
)


def is_comment_transient(comment: str) -> bool:
    """Return whether the cause in *comment* may pass; a rejection only if it is transient (PS3.8 Table 9-21)."""
    if _REJECTED in comment:
        return _TRANSIENT_RESULT in comment
    return not any(part in comment for part in _PERMANENT_PARTS)


def explain_sub_operations_failed(comment: str) -> StatusExplanation:
    """Return the meaning of A702 with *comment*."""
    for part, reason, suggested_check in _SUB_OPERATIONS:
        if part in comment:
            return f"{_NOT_PERFORMED}: {reason}", suggested_check
    return _NOT_PERFORMED, _NO_REASON


def explain_destination_unknown(comment: str) -> StatusExplanation:
    """Return the meaning of A801 with *comment*, including the archive that does not know the destination.

    The archive writes ``Unknown AE: X`` or ``AE: X not installed`` for its own LDAP. Any other comment, or none, comes
    from an external archive whose response is passed on (archives other than dcm4chee use other comments).
    """
    if comment.startswith("Unknown AE: "):
        title = comment.removeprefix("Unknown AE: ")
        return (
            f"{_DESTINATION_UNKNOWN} to the archive itself",
            (
                f"whether LDAP has a device with the AE {title}. If not, create the AE with its host and port. Then "
                "reload the archive, because the archive caches unknown AE titles (dcmAECacheStaleTimeout). If the AE "
                "exists, check the spelling and case of its title. Also check its device: one broken "
                "reference to a connection makes the whole device unknown"
            ),
        )
    if comment.startswith("AE: ") and "not installed" in comment:
        title = comment.removeprefix("AE: ").split(" not installed")[0]
        return (
            f"{_DESTINATION_UNKNOWN} to the archive itself: the AE is not installed",
            f"dicomInstalled of the AE {title}, and dicomInstalled of its device",
        )
    return (
        "refused: most likely, the external archive does not know the Move Destination",
        "dcmExternalRetrieveAEDestination of the archive. If the attribute is not set, the external archive does "
        "not know the destination of this C-MOVE. Set the attribute (dcmcfg set-external-retrieve), or add the "
        "destination in the external archive, with host and port. If the attribute is set, the external archive does "
        "not know the AE in the attribute. Add this AE in the external archive, with the archive's host and port",
    )


Service = Literal["C-MOVE", "C-FIND", "C-STORE", "C-ECHO"]
Category = Literal["success", "pending", "warning", "failure", "cancel"]


@dataclass(frozen=True, kw_only=True)
class StatusMeaning:
    """A status in words; ``str()`` is e.g. ``A801, move destination unknown (Unknown AE: X)``.

    ``suggested_check`` lists the settings to check, with attribute names of a dcm4chee archive; ``""`` for a success.
    """

    status: int
    category: Category
    meaning: str
    suggested_check: str = ""
    comment: str = ""

    def __str__(self) -> str:
        comment = f" ({self.comment})" if self.comment else ""
        return f"{self.status:04X}, {self.meaning}{comment}"


def explain(service: Service, status: int, comment: str = "", sub_operation_peer: str = "") -> StatusMeaning:
    """Return the meaning of *status* with the Error Comment *comment* as a response to *service*. Never raises.

    *sub_operation_peer* is the AE that the peer had to call, if it is known.
    """
    # Only the comment shows which system caused A702 and A801, so it is tried first.
    explain_comment = _BY_COMMENT.get((service, status))
    explanation = explain_comment(comment) if explain_comment else _look_up_explanation(service, status)
    meaning, suggested_check = explanation or _UNKNOWN
    return StatusMeaning(
        status=status,
        category=get_category(status),
        meaning=meaning.replace(EXTERNAL_ARCHIVE_OR_DESTINATION, sub_operation_peer or EXTERNAL_ARCHIVE_OR_DESTINATION),
        suggested_check=suggested_check,
        comment=comment,
    )


def is_transient_failure(service: Service, status: int, comment: str = "") -> bool:
    """Return whether *status* reports a lack of resources, so that a retry may succeed.

    These are A7xx (refused: out of resources) and 0213 (resource limitation). A dcm4chee archive also answers A702 if
    an AE is unknown or cannot be reached. An Error Comment about the configuration is not transient.
    """
    if get_category(status) != "failure":
        return False
    # A710 is in the range of A7xx, but a retry does not make the key valid.
    if service == "C-FIND" and status == INVALID_PRIOR_RECORD_KEY:
        return False
    is_out_of_resources = status in OUT_OF_RESOURCES_RANGE or status == RESOURCE_LIMITATION
    return is_out_of_resources and (service != "C-MOVE" or is_comment_transient(comment))


def get_category(status: int) -> Category:
    """Return the category of *status* by its number (PS3.7 Annex C)."""
    known = _CATEGORIES.get(status)
    return known or ("warning" if status in WARNING_RANGE else "failure")


#: Statuses that are no failures although they are not in Bxxx.
_CATEGORIES: dict[int, Category] = {
    SUCCESS: "success",
    PENDING: "pending",
    PENDING_WITHOUT_OPTIONAL_KEYS: "pending",
    CANCELLED: "cancel",
    OPTIONAL_ATTRIBUTES_UNSUPPORTED: "warning",
    ATTRIBUTE_LIST_ERROR: "warning",
    ATTRIBUTE_VALUE_OUT_OF_RANGE: "warning",
}


_PEER_LOG = "the peer's log"
_CAPABILITY = (
    "the peer's transfer capabilities. On a dcm4chee archive, check whether the AE has a dicomTransferCapability with "
    "this dicomSOPClass and role SCP"
)
_ALLOWED = (
    "the permissions of this caller. On a dcm4chee archive, check dcmStorePermissionServiceURL, dcmAcceptedUserRole "
    "and the access control IDs of the AE"
)
_UNKNOWN: StatusExplanation = ("not a standard status", _PEER_LOG)

_BY_COMMENT: dict[tuple[Service, int], Callable[[str], StatusExplanation]] = {
    ("C-MOVE", UNABLE_TO_PERFORM_SUB_OPERATIONS): explain_sub_operations_failed,
    ("C-MOVE", MOVE_DESTINATION_UNKNOWN): explain_destination_unknown,
}

_EXACT: dict[tuple[Service, int], StatusExplanation] = {
    ("C-MOVE", SUCCESS): ("success: all sub-operations completed", ""),
    ("C-MOVE", MATCHES_NOT_COUNTED): (
        "refused: out of resources, so the peer could not count the matches",
        "the archive's database and its log",
    ),
    ("C-MOVE", IDENTIFIER_MISMATCH): (
        "refused: the identifier does not match the SOP class",
        "the keys of the request. The Error Comment of the response contains the missing key",
    ),
    ("C-MOVE", SOME_SUB_OPERATIONS_FAILED): (
        "sub-operations completed, some with a failure or a warning",
        "the log of the destination. Also check the SOP classes of the failed SOP Instance UIDs: the archive and the "
        "destination must have transfer capabilities (dicomTransferCapability) for these SOP classes",
    ),
    ("C-MOVE", MOVE_DESTINATION_NOT_ALLOWED): (
        "refused: the archive does not allow this Move Destination",
        "dcmAcceptedMoveDestination of the called AE: add the destination, or remove the attribute to allow any "
        "destination",
    ),
    ("C-MOVE", CANCELLED): ("cancelled", "which system sent the C-CANCEL that ended the retrieve"),
    ("C-FIND", SUCCESS): ("success: all matches were sent", ""),
    ("C-FIND", INVALID_PRIOR_RECORD_KEY): ("failed: invalid prior record key", _PEER_LOG),
    ("C-FIND", MATCHES_LIMITED): (
        "the peer reached its limit for matches and did not send the other matches",
        "the peer's limit for the number of matches",
    ),
    ("C-FIND", CANCELLED): ("cancelled", "which system sent the C-CANCEL that ended the query"),
    ("C-FIND", PENDING): ("pending: a match", ""),
    ("C-FIND", PENDING_WITHOUT_OPTIONAL_KEYS): ("pending: a match; the peer does not support some optional keys", ""),
    ("C-STORE", SUCCESS): ("success: stored", ""),
    ("C-STORE", ELEMENTS_COERCED): ("stored, but the peer changed (coerced) some elements", ""),
    ("C-STORE", ELEMENTS_DISCARDED): ("stored, but the peer discarded some elements", ""),
    ("C-STORE", DATA_SET_MISMATCH_WARNING): (
        "stored, although the data set does not match its SOP class",
        "the source of the instance",
    ),
    ("C-STORE", INVALID_SOP_INSTANCE): ("failed: the SOP Instance UID is invalid", "the source of the instance"),
    ("C-ECHO", SUCCESS): ("success", ""),
}

#: Statuses, their meaning, and the settings to check; the first match is used.
_RANGES: dict[Service, tuple[tuple[Container[int], StatusExplanation], ...]] = {
    "C-MOVE": (
        ((PENDING, PENDING_WITHOUT_OPTIONAL_KEYS), ("pending: sub-operations continue", "")),
        (OUT_OF_RESOURCES_RANGE, ("refused: out of resources", _PEER_LOG)),
        (
            IDENTIFIER_MISMATCH_RANGE,
            ("refused: the identifier does not match the SOP class", "the keys of the request"),
        ),
        (WARNING_RANGE, ("sub-operations completed, with a warning", _PEER_LOG)),
        (UNABLE_TO_PROCESS_RANGE, ("failed: unable to process the request", _PEER_LOG)),
    ),
    "C-FIND": (
        (OUT_OF_RESOURCES_RANGE, ("refused: out of resources", "the peer's database and its log")),
        (IDENTIFIER_MISMATCH_RANGE, ("failed: the identifier does not match the SOP class", "the keys of the request")),
        (UNABLE_TO_PROCESS_RANGE, ("failed: unable to process the request", _PEER_LOG)),
    ),
    "C-STORE": (
        (OUT_OF_RESOURCES_RANGE, ("refused: out of resources", "the free space of the peer's storage")),
        (
            IDENTIFIER_MISMATCH_RANGE,
            ("failed: the data set does not match its SOP class", "the source of the instance"),
        ),
        (UNABLE_TO_PROCESS_RANGE, ("failed: the peer cannot understand the data set", _PEER_LOG)),
    ),
    "C-ECHO": (),
}

_GENERAL: dict[int, StatusExplanation] = {
    0x0105: ("failed: no such attribute", _PEER_LOG),
    0x0106: ("failed: invalid attribute value", _PEER_LOG),
    ATTRIBUTE_LIST_ERROR: ("completed, but some attributes were not accepted", _PEER_LOG),
    PROCESSING_FAILURE: (
        "failed: processing failure",
        (
            "the peer's log. If a dcm4chee archive forwards the retrieve to an external archive, also check the log "
            "of the external archive. Possible reasons: the external archive did not accept the presentation context, "
            "or the connection broke"
        ),
    ),
    0x0111: ("failed: duplicate SOP instance", _PEER_LOG),
    0x0112: ("failed: no such SOP instance", _PEER_LOG),
    0x0115: ("failed: invalid argument value", _PEER_LOG),
    ATTRIBUTE_VALUE_OUT_OF_RANGE: ("completed, but an attribute value was out of range", _PEER_LOG),
    INVALID_SOP_INSTANCE: ("failed: invalid SOP instance", _PEER_LOG),
    0x0118: ("failed: no such SOP class", _CAPABILITY),
    0x0119: ("failed: the instance does not belong to this SOP class", _PEER_LOG),
    0x0120: ("failed: an attribute is missing", _PEER_LOG),
    0x0121: ("failed: an attribute value is missing", _PEER_LOG),
    SOP_CLASS_UNSUPPORTED: ("refused: SOP class not supported", _CAPABILITY),
    0x0124: ("refused: not authorised", _ALLOWED),
    0x0210: ("failed: duplicate invocation", _PEER_LOG),
    UNRECOGNIZED_OPERATION: ("failed: unrecognised operation", _CAPABILITY),
    0x0212: ("failed: mistyped argument", _PEER_LOG),
    RESOURCE_LIMITATION: ("failed: resource limitation", _PEER_LOG),
    CANCELLED: ("cancelled", ""),
}


def _look_up_explanation(service: Service, status: int) -> StatusExplanation | None:
    exact = _EXACT.get((service, status)) or _GENERAL.get(status)
    if exact:
        return exact
    return next((explanation for statuses, explanation in _RANGES[service] if status in statuses), None)

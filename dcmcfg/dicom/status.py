"""What a DIMSE status says, with the setting to look at (PS3.7 Annex C, PS3.4 §B.2.3, §C.4.1.1.4, §C.4.2.1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dcmcfg.dicom.move_failures import (
    EITHER,
    Finding,
    explain_destination_unknown,
    explain_sub_operations_failed,
    passes,
)

Service = Literal["C-MOVE", "C-FIND", "C-STORE", "C-ECHO"]
Category = Literal["success", "pending", "warning", "failure", "cancel"]


@dataclass(frozen=True)
class StatusMeaning:
    """A status in words; ``str()`` is e.g. ``A801, move destination unknown (Unknown AE: X)``.

    ``look_at`` says what to check next, with the attribute's name on a dcm4chee archive; ``""`` when nothing
    is wrong.
    """

    status: int
    category: Category
    meaning: str
    look_at: str = ""
    comment: str = ""

    def __str__(self) -> str:
        said = f" ({self.comment})" if self.comment else ""
        return f"{self.status:04X}, {self.meaning}{said}"


def explain(service: Service, status: int, comment: str = "", called: str = "") -> StatusMeaning:
    """Return what *status* with the Error Comment *comment* means as an answer to *service*. Never raises.

    *called* is whom the peer had to call for it, where that is known.
    """
    own = _BY_COMMENT.get((service, status))
    finding = own(comment) if own else _listed(service, status)
    meaning, look_at = finding or _UNKNOWN
    return StatusMeaning(status, category_of(status), meaning.replace(EITHER, called or EITHER), look_at, comment)


def may_pass(service: Service, status: int, comment: str = "") -> bool:
    """Tell whether *status* says that the peer is short of something, so that it may go well later.

    Those are A7xx, refused: out of resources, and 0213, resource limitation. A dcm4chee archive answers A702 where an
    AE is not known or not to be had, too: what its Error Comment says of the configuration does not pass by itself.
    """
    if service == "C-FIND" and status == _INVALID_PRIOR_RECORD:
        return False
    short = 0xA700 <= status <= 0xA7FF or status == _RESOURCE_LIMITATION
    return short and (service != "C-MOVE" or passes(comment))


def category_of(status: int) -> Category:
    """Return the category of *status* by its number (PS3.7 Annex C)."""
    match status:
        case 0x0000:
            return "success"
        case 0xFF00 | 0xFF01:
            return "pending"
        case 0xFE00:
            return "cancel"
        case 0x0001 | 0x0107 | 0x0116:
            return "warning"
        case _:
            return "warning" if 0xB000 <= status <= 0xBFFF else "failure"


_RESOURCE_LIMITATION = 0x0213
_INVALID_PRIOR_RECORD = 0xA710
_PEER_LOG = "the peer's own log"
_CAPABILITY = (
    "the peer's transfer capabilities; on a dcm4chee archive: dicomTransferCapability with that dicomSOPClass "
    "and role SCP"
)
_ALLOWED = (
    "what the peer allows this caller; on a dcm4chee archive: dcmStorePermissionServiceURL, "
    "dcmAcceptedUserRole and the access control IDs of the AE"
)
_UNKNOWN: Finding = ("a status that the standard does not list", _PEER_LOG)

_BY_COMMENT: dict[tuple[Service, int], Callable[[str], Finding]] = {
    ("C-MOVE", 0xA702): explain_sub_operations_failed,
    ("C-MOVE", 0xA801): explain_destination_unknown,
}

_EXACT: dict[tuple[Service, int], Finding] = {
    ("C-MOVE", 0x0000): ("success: all sub-operations are done", ""),
    ("C-MOVE", 0xA701): (
        "refused: out of resources, the number of matches could not be calculated",
        "the archive's database and its log",
    ),
    ("C-MOVE", 0xA900): (
        "refused: the identifier does not fit the SOP class",
        "the keys of the request; the comment names the one that is missing",
    ),
    ("C-MOVE", 0xB000): (
        "sub-operations are done, some failed or gave a warning",
        "the failed SOP Instance UIDs; the log of the destination; the transfer capabilities of archive and "
        "destination for these SOP classes (dicomTransferCapability)",
    ),
    ("C-MOVE", 0xC801): (
        "refused: the archive does not allow this move destination",
        "dcmAcceptedMoveDestination of the called AE: add the destination, or remove the attribute to allow any",
    ),
    ("C-MOVE", 0xFE00): ("cancelled", "who sent the C-CANCEL that ended the retrieve"),
    ("C-FIND", 0x0000): ("success: all matches were sent", ""),
    ("C-FIND", 0xA710): ("failed: invalid prior record key", _PEER_LOG),
    ("C-FIND", 0xB001): ("the answer was cut at a limit, there are more matches", "the peer's limit of matches"),
    ("C-FIND", 0xFE00): ("cancelled", "who sent the C-CANCEL that ended the query"),
    ("C-FIND", 0xFF00): ("pending: a match", ""),
    ("C-FIND", 0xFF01): ("pending: a match, some optional keys were not supported", ""),
    ("C-STORE", 0x0000): ("success: stored", ""),
    ("C-STORE", 0xB000): ("stored, with some elements coerced", ""),
    ("C-STORE", 0xB006): ("stored, with some elements discarded", ""),
    ("C-STORE", 0xB007): (
        "stored, though the data set does not fit its SOP class",
        "where the instance comes from",
    ),
    ("C-STORE", 0x0117): ("failed: the SOP Instance UID is invalid", "where the instance comes from"),
    ("C-ECHO", 0x0000): ("success", ""),
}

#: From, to (inclusive), meaning and what to look at; the first that fits is taken.
_RANGES: dict[Service, tuple[tuple[int, int, Finding], ...]] = {
    "C-MOVE": (
        (0xFF00, 0xFF01, ("pending: sub-operations go on", "")),
        (0xA700, 0xA7FF, ("refused: out of resources", _PEER_LOG)),
        (0xA900, 0xA9FF, ("refused: the identifier does not fit the SOP class", "the keys of the request")),
        (0xB000, 0xBFFF, ("sub-operations are done, with a warning", _PEER_LOG)),
        (0xC000, 0xCFFF, ("failed: unable to process the request", _PEER_LOG)),
    ),
    "C-FIND": (
        (0xA700, 0xA7FF, ("refused: out of resources", "the peer's database and its log")),
        (0xA900, 0xA9FF, ("failed: the identifier does not fit the SOP class", "the keys of the request")),
        (0xC000, 0xCFFF, ("failed: unable to process the request", _PEER_LOG)),
    ),
    "C-STORE": (
        (0xA700, 0xA7FF, ("refused: out of resources", "the free space of the peer's storage")),
        (0xA900, 0xA9FF, ("failed: the data set does not fit its SOP class", "where the instance comes from")),
        (0xC000, 0xCFFF, ("failed: the peer cannot understand the data set", _PEER_LOG)),
    ),
    "C-ECHO": (),
}

_GENERAL: dict[int, Finding] = {
    0x0105: ("failed: no such attribute", _PEER_LOG),
    0x0106: ("failed: invalid attribute value", _PEER_LOG),
    0x0107: ("done, but some attributes were not taken", _PEER_LOG),
    0x0110: (
        "failed: processing failure",
        "the peer's log; on a dcm4chee archive that passes a retrieve on, also the external archive's: it "
        "did not accept the presentation context, or the connection to it broke",
    ),
    0x0111: ("failed: duplicate SOP instance", _PEER_LOG),
    0x0112: ("failed: no such SOP instance", _PEER_LOG),
    0x0115: ("failed: invalid argument value", _PEER_LOG),
    0x0116: ("done, but an attribute value was out of range", _PEER_LOG),
    0x0117: ("failed: invalid SOP instance", _PEER_LOG),
    0x0118: ("failed: no such SOP class", _CAPABILITY),
    0x0119: ("failed: the instance is not of that SOP class", _PEER_LOG),
    0x0120: ("failed: an attribute is missing", _PEER_LOG),
    0x0121: ("failed: an attribute value is missing", _PEER_LOG),
    0x0122: ("refused: SOP class not supported", _CAPABILITY),
    0x0124: ("refused: not authorised", _ALLOWED),
    0x0210: ("failed: duplicate invocation", _PEER_LOG),
    0x0211: ("failed: unrecognised operation", _CAPABILITY),
    0x0212: ("failed: mistyped argument", _PEER_LOG),
    0x0213: ("failed: resource limitation", _PEER_LOG),
    0xFE00: ("cancelled", ""),
}


def _listed(service: Service, status: int) -> Finding | None:
    exact = _EXACT.get((service, status)) or _GENERAL.get(status)
    if exact:
        return exact
    return next((finding for low, high, finding in _RANGES[service] if low <= status <= high), None)

"""Explain the result of an A-ASSOCIATE-RJ in words (PS3.8 Table 9-21)."""

from __future__ import annotations

from dataclasses import dataclass

_RESULTS = {1: "rejected permanently", 2: "rejected temporarily"}
_TRANSIENT = 2
_SOURCES = {1: "by the application", 2: "by the ACSE provider", 3: "by the presentation provider"}
_REASONS = {
    (1, 1): "no reason given",
    (1, 2): "application context name not supported",
    (1, 3): "calling AE title not recognised",
    (1, 7): "called AE title not recognised",
    (2, 1): "no reason given",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}


@dataclass(frozen=True)
class Rejection:
    """Result, source and reason as received; ``str()`` is e.g. ``…, called AE title not recognised (1/1/7)``."""

    result: int
    source: int
    reason: int

    def __str__(self) -> str:
        return (
            f"the association was {_RESULTS.get(self.result, 'rejected')} "
            f"{_SOURCES.get(self.source, 'by an unknown source')}: "
            f"{_REASONS.get((self.source, self.reason), 'unknown reason')} "
            f"({self.result}/{self.source}/{self.reason})"
        )

    @property
    def is_transient(self) -> bool:
        """Whether the rejection is transient, so that the peer may accept later."""
        return self.result == _TRANSIENT

    def suggest_check(self, calling_ae_title: str, called_ae_title: str) -> str:
        """Return the setting to check, with its name on a dcm4chee archive (AssociationHandler of dcm4che)."""
        match (self.result, self.source, self.reason):
            case (_, 1, 7):
                return (
                    f"check that {called_ae_title} is an AE of the called device and port. On a dcm4chee archive, "
                    "check three attributes of the AE: dicomInstalled, dicomAssociationAcceptor (TRUE) and "
                    "dicomNetworkConnectionReference (the connection with this port). If the AE was changed after "
                    "the last reload, run dcmcfg reload"
                )
            case (_, 1, 3):
                return (
                    f"check that {called_ae_title} accepts calls from {calling_ae_title}. On a dcm4chee archive, "
                    "check dcmAcceptedCallingAETitle, dcmValidateCallingAEHostname, and the host of "
                    f"{calling_ae_title} in LDAP"
                )
            # The archive rejects a missing user identity without a more specific reason (AssociationHandler).
            case (1, 2, 1):
                return (
                    "check if the peer requires a user identity. On a dcm4chee archive, check "
                    "dcmUserIdentityNegotiation"
                )
            case (_, 3, 1 | 2):
                return (
                    "the peer has too many open associations; try again later. On a dcm4chee archive, check "
                    "dcmLimitOpenAssociations and dcmLimitAssociationsInitiatedBy"
                )
            case _:
                return "check the peer's log"

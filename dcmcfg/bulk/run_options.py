"""The parameters that identify the store of a run, and its options: parallelism, rate and retries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dcmcfg.schema_names import EXTERNAL_RETRIEVE_AE_DESTINATION

if TYPE_CHECKING:
    from dcmcfg.settings import Settings
    from dcmcfg.verify.addresses import VerificationAddresses
    from dcmcfg.verify.evidence import VerificationRequest

#: Hexadecimal digits of the hash in the name of a store.
_KEY_LENGTH = 16


class ReceiverKind(Enum):
    """The receiver of the studies of a run. Stores contain the values, so they must not change."""

    EXTERNAL = "by others"
    DCMCFG = "by us (--receive)"
    TEMPORARY_DESTINATION = "by us"  # a destination that exists for this run only, with a new title each time


@dataclass(frozen=True)
class RunParameters:
    """The question that the results in a store answer: parameters by name, in readable words.

    Stores contain names and values, and the name of a store is derived from them. A changed text makes existing stores
    unusable.
    """

    values: Mapping[str, str]

    def compute_store_name(self, source: str) -> str:
        """Return the file name for a store of these parameters and the studies of *source*."""
        # The name must not depend on the order of the parameters.
        octets = json.dumps([sorted(self.values.items()), source]).encode()
        return hashlib.sha256(octets).hexdigest()[:_KEY_LENGTH]

    def describe_differences(self, other: RunParameters) -> tuple[str, ...]:
        """Return descriptions of the differences from *other*, the current parameters."""
        return tuple(
            f"{name}: {self.values.get(name) or 'none'} in the store, {other.values.get(name) or 'none'} in this run"
            for name in self._find_differences(other)
        )

    def differs_only_in_route(self, other: RunParameters) -> bool:
        """Return whether dcmExternalRetrieveAEDestination is the only difference from *other*."""
        return self._find_differences(other) == [EXTERNAL_RETRIEVE_AE_DESTINATION]

    def _find_differences(self, other: RunParameters) -> list[str]:
        names = dict.fromkeys((*self.values, *other.values))
        return [name for name in names if (self.values.get(name) or "") != (other.values.get(name) or "")]


def collect_run_parameters(
    request: VerificationRequest,
    addresses: VerificationAddresses,
    settings: Settings,
    receiver_kind: ReceiverKind,
    *,
    keeps_files: bool,
) -> RunParameters:
    """Return the parameters that identify the store of a run: everything that the results depend on.

    *request* contains no study. With *keeps_files*, received files are kept and read back.
    """
    is_temporary = receiver_kind is ReceiverKind.TEMPORARY_DESTINATION
    parameters = {
        "archive": str(request.archive),
        # With its title, which is new in each run, no run could continue an earlier one.
        "destination": "a temporary one" if is_temporary else request.destination_ae_title,
        "calling": request.calling_ae_title,
        "received": receiver_kind.value,
        "level": request.selection.level.value,
        "model": request.model.value,
        "directory": f"{settings.ldap_url}/{settings.base_dn}",
        "device": settings.device,
        EXTERNAL_RETRIEVE_AE_DESTINATION: addresses.route.external_retrieve_destination or "",
    }
    optional = _collect_optional_parameters(request, keeps_files=keeps_files)
    # Unset parameters are left out: a store from before a parameter existed keeps its name.
    return RunParameters(parameters | {name: value for name, value in optional.items() if value})


def _collect_optional_parameters(request: VerificationRequest, *, keeps_files: bool) -> dict[str, str]:
    """Return the optional parameters that are set; a result about one part of a study does not apply to another."""
    patient, selection = request.patient, request.selection
    return {
        "series": ", ".join(sorted(selection.series_uids)),
        "instances": ", ".join(sorted(selection.instance_uids)),
        "patient": f"{patient.patient_id} {patient.issuer_of_patient_id}".rstrip() if patient else "",
        "expected": "" if request.expected_count is None else str(request.expected_count),
        "files": "kept and read back" if keeps_files else "",
    }


PARALLEL = 4
RETRIES = 3
FIRST_BACK_OFF_S = 2.0
OUTAGE_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class RunOptions:
    """The options of a run; there are at least ``min_interval_s`` seconds between two C-MOVE requests."""

    parallel: int = PARALLEL  # associations
    retries: int = RETRIES  # for each study, in addition to the first attempt
    _: KW_ONLY
    first_back_off_s: float = FIRST_BACK_OFF_S
    outage_timeout_s: float = OUTAGE_TIMEOUT_S  # the maximum wait for an unavailable archive
    min_interval_s: float = 0.0

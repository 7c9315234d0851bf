"""Advice for files on a storage that is not configured, so that the archive cannot read them.

Kept apart: each reason for a failure is a module of its own (next_steps.py lists them).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dcmcfg.dicom.status import MOVE_DESTINATION_NOT_ALLOWED, MOVE_DESTINATION_UNKNOWN
from dcmcfg.route.command import format_command
from dcmcfg.verify.advice.case import AdviceCase


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    reported = case.report
    if (
        not case.is_on_unconfigured_storage
        or reported.is_success
        or reported.status in (None, MOVE_DESTINATION_UNKNOWN, MOVE_DESTINATION_NOT_ALLOWED)
    ):
        return
    location = f"the files are on the storage {_format_storages(case)}, which is not in the LDAP configuration"
    if alternative := case.evidence.route.alternative_move_scp:
        work_order_command = f"dcmcfg work-order --external {shlex.quote(alternative)}"
        yield (
            f"{location}. The archive sent a C-MOVE to {alternative} (dcmAltCMoveSCP) with the Move Destination "
            f"{case.destination}, and passed on the response of {alternative}. The log of {alternative} shows the "
            f"reason. {alternative} must know {case.destination}. To list the settings for the administrator of "
            f"{alternative}, run {work_order_command} (for an Orthanc, add --format orthanc)"
        )
        return
    yield (
        f"{location}. The archive cannot read these files, and sent no C-MOVE to an external archive. Configure the "
        "storage again, or set an alternative C-MOVE SCP that has the study: "
        f"{format_command('set', case.device_name, 'dcmAltCMoveSCP=AET')}"
    )


def _format_storages(case: AdviceCase) -> str:
    before = case.evidence.database.before
    stored_instances = before.instances or () if before else ()
    return ", ".join(sorted({storage for each in stored_instances for storage in each.storage_ids}))

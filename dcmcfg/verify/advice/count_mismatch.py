"""What to do where the archive answers 0000 without a failure, and its numbers are not those of the study."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.retrieval import Patient
from dcmcfg.dicom.status import SUCCESS
from dcmcfg.verify.advice import partly_purged
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.local_files import FileLocality, count_recalled
from dcmcfg.verify.report_assessment import format_patient


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    reported = case.report
    if reported.is_success or reported.status != SUCCESS or reported.failed or reported.warning:
        return
    if case.is_on_unconfigured_storage or case.is_fallback_used or partly_purged.is_applicable(case):
        return
    if case.misrouting_advice:
        yield case.misrouting_advice
    elif not reported.completed:
        yield from _advise_on_nothing_completed(case)
    else:
        yield _advise_on_count_mismatch(case, reported.completed)


def _advise_on_nothing_completed(case: AdviceCase) -> Iterator[str]:
    """Explain 0000 with zero completed (CommonCMoveSCP, RetrieveServiceImpl)."""
    request = case.evidence.request
    if not case.evidence.instances_before and request.patient is not None:
        yield _advise_on_patient_mismatch(case, request.patient)
    elif not case.evidence.instances_before:
        yield (
            f"the archive lists no study {request.study_uid} (for {case.archive_ae_title}): check the "
            "UID; studies that only the external archive knows need dcmFallbackCMoveSCP"
        )
    elif case.evidence.move_records or count_recalled(case.evidence):
        yield _explain_unmatched_recall(case)
    elif case.files.probably_not_local_count:
        yield from _advise_on_nothing_forwarded(case)
    else:
        yield from _advise_on_dropped_instances(case)


def _advise_on_dropped_instances(case: AdviceCase) -> Iterator[str]:
    if case.files.locality is FileLocality.LOCAL:
        yield (
            "the archive has the files and sent none: dcmRestrictRetrieveSilently is set, and a transfer capability is "
            f"missing. {case.capability_check}"
        )
        return
    yield (
        "the archive lists the study but dropped its instances: dcmRestrictRetrieveSilently with a missing "
        "transfer capability, or instances whose external retrieve AE title is unknown; for a mix of "
        f"local and purged ones it needs a mapping: {case.mapping_command}"
    )


def _explain_unmatched_recall(case: AdviceCase) -> str:
    """Return why what came back was not forwarded (CommonCMoveSCP, RetrieveServiceImpl)."""
    location = "is in the archive's own storage now" if count_recalled(case.evidence) else "was sent"
    return (
        f"the study {location}, but it was not matched with this request, so it was not forwarded: "
        f"{case.external_description} must "
        f"name {case.evidence.request.calling_ae_title} as Move Originator AE Title (0000,1030), must store under "
        "the AE title "
        "that the archive recorded for the study, and must answer only after it has stored all. If it names none: "
        f"{case.mapping_command}"
    )


def _advise_on_nothing_forwarded(case: AdviceCase) -> Iterator[str]:
    if case.external_retrieve_destination is None:
        yield (
            f"see in the log of {case.external_description} whether it was asked to send to {case.destination}, and "
            "whether "
            "it holds "
            "the study under this UID: 0000 without numbers is also the answer of one that finds nothing"
        )
    else:
        yield (
            f"nothing of the study came back to the archive: see in the log of {case.external_description} whether "
            "it was asked, "
            "whether it sent anything, and as which AE: the archive takes an object only from the AE that it recorded "
            "as holding it"
        )
    yield (
        f"was it not asked, the archive dropped the instances (dcmRestrictRetrieveSilently): {case.capability_check}"
    )


def _advise_on_patient_mismatch(case: AdviceCase, patient: Patient) -> str:
    return (
        f"the archive lists no study {case.evidence.request.study_uid} for {format_patient(patient)}: check "
        "--patient-id and "
        "--patient-id-issuer; without them and --model patient it is asked for by its UID alone"
    )


def _advise_on_count_mismatch(case: AdviceCase, completed: int) -> str:
    evidence, expected = case.evidence, case.evidence.expected_count
    if expected is None and evidence.request.patient is not None:
        return _advise_on_patient_mismatch(case, evidence.request.patient)
    if expected is None:
        return (
            f"the archive sent {completed} and lists none of them by C-FIND: does the query/retrieve view of "
            f"{case.archive_ae_title} hide them (dcmQueryRetrieveViewID)? --expect N says how many instances the "
            "study has"
        )
    if evidence.request.expected_count is not None and completed == len(evidence.instances_before):
        return f"the archive lists {completed} and sent as many: is --expect {expected} right?"
    if completed < expected:
        return _advise_on_too_few(case, expected)
    if completed == expected:
        return (
            "all are completed, by its own count, and yet some are to come: the archive's log says which; verify again"
        )
    sender = case.external_description if case.files.probably_not_local_count else "it"
    return (
        f"the archive sent more than it lists by C-FIND: the query/retrieve view of {case.archive_ae_title} hides "
        "rejected "
        f"instances, or {sender} counts what it sends twice (--expect N overrides)"
    )


def _advise_on_too_few(case: AdviceCase, expected: int) -> str:
    purged_count = case.files.probably_not_local_count
    if purged_count and purged_count < len(case.evidence.instances_before):
        return (
            "of a partly purged study the archive forwards what it recalls only with a mapping to the external "
            f"archive's store SCU: {case.mapping_command}"
        )
    if purged_count:
        return f"does {case.external_description} hold all {expected}? Its log says how many it sent"
    return (
        "compare with what the archive lists (--expect N overrides it): the query/retrieve view of the AE hides "
        f"rejected instances; a partly purged study needs a mapping: {case.mapping_command}"
    )

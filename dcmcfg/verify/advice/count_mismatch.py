"""Advice for a response 0000 without failures whose numbers do not match the study."""

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
    # Other modules advise on these cases.
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
            f"the archive lists no study {request.study_uid} for {case.archive_ae_title}: check the UID. To retrieve "
            f"a study that only {case.external_description} has, run {case.fallback_command}"
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
            "the archive has the files, but did not send the instances, because a transfer capability is missing and "
            f"dcmRestrictRetrieveSilently is set. {case.capability_check}"
        )
        return
    yield (
        "the archive lists the study, but did not send the instances. Possible reasons: (1) a transfer capability is "
        "missing (with dcmRestrictRetrieveSilently); (2) the archive does not know the AE of the external archive; (3) "
        "only a part of the study is purged, and dcmCStoreSCUOfCMoveSCP has no mapping for the external archive. To "
        f"set the mapping: {case.mapping_command}"
    )


def _explain_unmatched_recall(case: AdviceCase) -> str:
    """Return why the archive did not forward returned objects (CommonCMoveSCP, RetrieveServiceImpl)."""
    location = "is in the archive's own storage now" if count_recalled(case.evidence) else "was sent"
    return (
        f"the study {location}, but the archive did not forward the instances, because it could not assign the "
        f"instances to this request. Check the C-STOREs in the log of {case.external_description}: (1) the Move "
        f"Originator AE Title (0000,1030) must be {case.evidence.request.calling_ae_title}; (2) the calling AE title "
        "must be the external AE title in the archive's database; (3) the final response must come after the last "
        f"C-STORE. If the external archive sends no Move Originator, run {case.mapping_command}"
    )


def _advise_on_nothing_forwarded(case: AdviceCase) -> Iterator[str]:
    if case.external_retrieve_destination is None:
        yield (
            f"check the log of {case.external_description}: did the external archive receive a C-MOVE to "
            f"{case.destination}? Does the external archive have a study with this UID? An external archive "
            "without this study also answers with status 0000, without counters"
        )
    else:
        yield (
            f"the archive received no instance of the study. Check the log of {case.external_description}: did the "
            "external archive receive a C-MOVE and send instances? With which calling AE title? The archive accepts "
            "instances only from the external archive that is in the archive's database for the study"
        )
    yield (
        "if the log shows no C-MOVE, the archive itself omitted the instances (dcmRestrictRetrieveSilently). "
        f"{case.capability_check}"
    )


def _advise_on_patient_mismatch(case: AdviceCase, patient: Patient) -> str:
    return (
        f"the archive lists no study {case.evidence.request.study_uid} for {format_patient(patient)}: check "
        "--patient-id and --patient-id-issuer. To retrieve the study by its UID alone, omit these options and "
        "--model patient"
    )


def _advise_on_count_mismatch(case: AdviceCase, completed: int) -> str:
    evidence, expected = case.evidence, case.evidence.expected_count
    if expected is None and evidence.request.patient is not None:
        return _advise_on_patient_mismatch(case, evidence.request.patient)
    if expected is None:
        return (
            f"{completed} instances were sent, but the archive lists no instance by C-FIND. Check whether the "
            f"query/retrieve view of {case.archive_ae_title} (dcmQueryRetrieveViewID) hides the instances. Specify "
            "the expected number of instances with --expect N"
        )
    # All listed instances were sent, so most likely the number in --expect is wrong.
    if evidence.request.expected_count is not None and completed == len(evidence.instances_before):
        return f"the archive sent all instances that it lists ({completed}): check the number in --expect {expected}"
    if completed < expected:
        return _advise_on_too_few(case, expected)
    if completed == expected:
        return (
            "the archive reports all instances as completed, but also reports remaining instances: check the archive's "
            "log, then verify again"
        )
    sender = case.external_description if case.files.probably_not_local_count else "the archive"
    return (
        "the archive sent more instances than it lists by C-FIND. Either the query/retrieve view of "
        f"{case.archive_ae_title} hides rejected instances, or {sender} sent some instances twice and counted them "
        "twice. To change the expected number of instances, use --expect N"
    )


def _advise_on_too_few(case: AdviceCase, expected: int) -> str:
    purged_count = case.files.probably_not_local_count
    if purged_count and purged_count < len(case.evidence.instances_before):
        return (
            "to forward the recalled instances of a partly purged study, the archive requires a mapping for the "
            f"external archive in dcmCStoreSCUOfCMoveSCP. To set the mapping: {case.mapping_command}"
        )
    if purged_count:
        return (
            f"check whether {case.external_description} has all {expected} instances. The log of the external archive "
            "shows the number of sent instances"
        )
    return (
        "compare the sent instances with the instances that the archive lists. The query/retrieve view of the AE "
        "hides rejected instances. To change the expected number of instances, use --expect N. For a partly purged "
        f"study, set a mapping: {case.mapping_command}"
    )

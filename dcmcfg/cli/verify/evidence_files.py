"""Write evidence files of verifications; loaded only if the run has such files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.output import make_folder, write_report
from dcmcfg.cli.verify.evidence_options import HTML, JSON, get_suffix
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.model.devices import Configuration
from dcmcfg.render.evidence import evidence_json
from dcmcfg.render.html.evidence_page import render_evidence_page
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.proof import Proof, SiteSetting, compute_tree_facts, create_proof, describe_configuration
from dcmcfg.verify.timeline import Timeline
from dcmcfg.verify.verdict import Verdict

if TYPE_CHECKING:
    from dcmcfg.bulk.attempt import StudyEvidence


def write_evidence_files(
    run: VerifyRun,
    configuration: Configuration,
    addresses: VerificationAddresses,
    *,
    timeline: Timeline,
    evidence: Evidence,
    verdict: Verdict,
) -> None:
    """Write each evidence file of *run* completely or not at all, and print the name of the file on stderr.

    Raises :class:`~dcmcfg.errors.DcmcfgError` if a file cannot be written.
    """
    files, settings = run.evidence_files, run.settings
    verified_configuration = describe_configuration(
        configuration, settings.device, addresses, site=list_site_settings(settings), evidence=evidence
    )
    proof = create_proof(timeline, verified_configuration, evidence, verdict)
    for file in files.paths:
        write_report(file, _render_file(file, proof), must_be_new=not files.replace)
        print_message(f"evidence: {file}")


def make_evidence_writer(
    run: VerifyRun,
    configuration: Configuration,
    addresses: VerificationAddresses,
    judge_evidence: Callable[[Evidence], Verdict],
) -> Callable[[StudyEvidence], None]:
    """Return a function that writes the evidence of one study to its own file, in each folder of *run*.

    The folders are created now. The file name is the Study Instance UID with the time of the request in UTC, so no file
    is replaced. The function can be called from several threads, and raises :class:`~dcmcfg.errors.DcmcfgError` if a
    file cannot be written.
    """
    files, settings = run.evidence_files, run.settings
    tree_facts, site = compute_tree_facts(configuration), list_site_settings(settings)
    for folder in files.paths:
        make_folder(folder)

    def write_evidence(study_evidence: StudyEvidence) -> None:
        evidence, timeline = study_evidence.evidence, study_evidence.timeline
        verified_configuration = describe_configuration(
            configuration, settings.device, addresses, site=site, evidence=evidence, facts=tree_facts
        )
        proof = create_proof(timeline, verified_configuration, evidence, judge_evidence(evidence))
        timestamp = f"{timeline.began:%Y%m%dT%H%M%S}{timeline.began.microsecond // 1000:03}Z"
        for folder in files.paths:
            file = Path(folder) / f"{evidence.request.study_uid}-{timestamp}{JSON}"
            write_report(str(file), _render_json(proof), must_be_new=True)

    return write_evidence


def list_site_settings(settings: Settings) -> tuple[SiteSetting, ...]:
    """Return the settings of the site without secrets, each with its origin."""
    values = {
        "profile": settings.profile,
        "ldap_url": settings.ldap_url,
        "base_dn": str(settings.base_dn),
        "bind_dn": settings.identity,
        "device": settings.device,
        "archive_url": settings.archive_url,
    }
    return tuple(
        SiteSetting(name, value, settings.origins.get(name, "default")) for name, value in values.items() if value
    )


def _render_file(file: str, proof: Proof) -> Iterable[str]:
    return render_evidence_page(proof) if get_suffix(file) == HTML else _render_json(proof)


def _render_json(proof: Proof) -> Iterable[str]:
    return [json.dumps(evidence_json(proof), indent=2), "\n"]

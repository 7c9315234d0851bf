"""The files in which verifications are kept; loaded only where there are any."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dcmcfg.cli.printing import tell
from dcmcfg.cli.session.output import make_folder, write_report
from dcmcfg.cli.verify.evidence_options import HTML, JSON, EvidenceFiles, ending
from dcmcfg.model.devices import Configuration
from dcmcfg.render.evidence import proof_json
from dcmcfg.render.html.evidence_page import proof_page
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.proof import Proof, SiteSetting, configured, proof_of, tree_facts
from dcmcfg.verify.timeline import Chronicle
from dcmcfg.verify.verdict import Verdict

if TYPE_CHECKING:
    from dcmcfg.bulk.attempt import Proven


def write_proof(
    files: EvidenceFiles,
    settings: Settings,
    configuration: Configuration,
    addresses: Addresses,
    chronicle: Chronicle,
    evidence: Evidence,
    verdict: Verdict,
) -> None:
    """Write each of *files* whole or not at all, and say so on stderr.

    Raises :class:`~dcmcfg.errors.DcmcfgError` when one cannot be written.
    """
    about = configured(configuration, settings.device, addresses, site_settings(settings), evidence)
    proof = proof_of(chronicle, about, evidence, verdict)
    for file in files.evidence:
        write_report(file, _text(file, proof), new=not files.replace)
        tell(f"evidence: {file}")


def folder_of_proofs(
    files: EvidenceFiles,
    settings: Settings,
    configuration: Configuration,
    addresses: Addresses,
    judged: Callable[[Evidence], Verdict],
) -> Callable[[Proven], None]:
    """Return what writes the evidence on each of many studies to a file of its own, in each folder of *files*.

    The folders are made now.
    The name is the Study Instance UID with the moment in UTC at which it was asked for, so no file is replaced. It may
    be called in several threads, and raises :class:`~dcmcfg.errors.DcmcfgError` when a file cannot be written.
    """
    tree, site = tree_facts(configuration), site_settings(settings)
    for folder in files.evidence:
        make_folder(folder)

    def keep(proven: Proven) -> None:
        evidence, chronicle = proven.evidence, proven.chronicle
        about = configured(configuration, settings.device, addresses, site, evidence, tree)
        proof = proof_of(chronicle, about, evidence, judged(evidence))
        began = f"{chronicle.began:%Y%m%dT%H%M%S}{chronicle.began.microsecond // 1000:03}Z"
        for folder in files.evidence:
            file = Path(folder) / f"{evidence.question.study_uid}-{began}{JSON}"
            write_report(str(file), _json(proof), new=True)

    return keep


def site_settings(settings: Settings) -> tuple[SiteSetting, ...]:
    """Return what *settings* say of the site, secrets left out."""
    named = {
        "profile": settings.profile,
        "ldap_url": settings.ldap_url,
        "base_dn": str(settings.base_dn),
        "bind_dn": settings.identity,
        "device": settings.device,
        "archive_url": settings.archive_url,
    }
    return tuple(
        SiteSetting(name, value, settings.origins.get(name, "default")) for name, value in named.items() if value
    )


def _text(file: str, proof: Proof) -> Iterable[str]:
    return proof_page(proof) if ending(file) == HTML else _json(proof)


def _json(proof: Proof) -> Iterable[str]:
    return [json.dumps(proof_json(proof), indent=2), "\n"]

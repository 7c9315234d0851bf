"""The files in which a verification is kept; loaded only where there are any."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dcmcfg.cli.output import write_report
from dcmcfg.cli.telling import tell
from dcmcfg.cli.verify_files import HTML, EvidenceFiles, ending
from dcmcfg.devices import Configuration
from dcmcfg.render.proof import proof_json
from dcmcfg.render.proof_page import proof_page
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.chronicle import Chronicle
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.proof import Proof, SiteSetting, configured, proof_of
from dcmcfg.verify.verdict import Verdict


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
    return proof_page(proof) if ending(file) == HTML else [json.dumps(proof_json(proof), indent=2), "\n"]

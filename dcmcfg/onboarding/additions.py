"""The edit that adds the AEs of many rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.edits.cipher_suites import archive_cipher_suites
from dcmcfg.edits.network_ae import NetworkAEAdditions, NewNetworkAE
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.devices import Configuration
from dcmcfg.onboarding.proposal import LeftOut, Proposal
from dcmcfg.plan.plan import Wanted


@dataclass(frozen=True)
class Secured:
    """Where connections with TLS get their ``cipher_suites`` from: without any, from the device ``archive``."""

    archive: str
    cipher_suites: tuple[str, ...] = ()

    def suites(self, configuration: Configuration) -> tuple[str, ...]:
        """Return them; raises :class:`~dcmcfg.errors.Refused` where the archive has none, or NotFound without it."""
        return self.cipher_suites or archive_cipher_suites(configuration, self.archive)


@dataclass(frozen=True)
class Additions:
    """The changes that are ``wanted``, each with the place of its row; the proposals ``added``, the rows left out."""

    wanted: tuple[Wanted, ...]
    added: tuple[Proposal, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


def add_all(configuration: Configuration, proposals: Iterable[Proposal], secured: Secured) -> Additions:
    """Return what adds *proposals* to *configuration*, each with those before it in view."""
    additions = NetworkAEAdditions(configuration)
    wanted: list[Wanted] = []
    added: list[Proposal] = []
    left_out: list[LeftOut] = []
    warnings: list[str] = []
    for proposal in proposals:
        try:
            edit = additions.add(_new(proposal, secured.suites(configuration) if proposal.tls else ()))
        except DcmcfgError as error:
            # In a file the option is a column.
            step = error.next_step.replace("--device ", "device ")
            left_out.append(LeftOut(proposal.row, f"{error.what}; {step}" if step else error.what))
            continue
        wanted += (Wanted(change, place=proposal.row.place) for change in edit.changes)
        warnings += (f"{proposal.row.place}: {warning}" for warning in edit.warnings)
        added.append(proposal)
    return Additions(tuple(wanted), tuple(added), tuple(left_out), tuple(warnings))


def _new(proposal: Proposal, cipher_suites: tuple[str, ...]) -> NewNetworkAE:
    role = proposal.taken_role
    return NewNetworkAE(
        proposal.title,
        proposal.host or "",
        proposal.port,
        device=proposal.device,
        device_type=role.device_type,
        cipher_suites=cipher_suites,
        description=proposal.description,
        acceptor=role.listens,
    )

"""Make the edit that adds the AEs of many rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.edits.cipher_suites import get_archive_cipher_suites
from dcmcfg.edits.network_ae import NetworkAEAdder, NewNetworkAE
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.devices import Configuration
from dcmcfg.onboarding.proposal import Proposal, RejectedRow
from dcmcfg.plan.plan import DesiredChange


@dataclass(frozen=True)
class CipherSuiteSource:
    """The source of the cipher suites for TLS connections: ``cipher_suites``, or the device ``archive_device``."""

    archive_device: str
    cipher_suites: tuple[str, ...] = ()

    def resolve(self, configuration: Configuration) -> tuple[str, ...]:
        """Return the cipher suites; raises :class:`~dcmcfg.errors.Refused` if the archive has none, or NotFound."""
        return self.cipher_suites or get_archive_cipher_suites(configuration, self.archive_device)


@dataclass(frozen=True)
class Additions:
    """The ``desired`` changes with the locations of their rows, the ``added`` proposals and the ``rejected`` rows."""

    desired: tuple[DesiredChange, ...]
    added: tuple[Proposal, ...]
    rejected: tuple[RejectedRow, ...]
    warnings: tuple[str, ...]


def add_proposals(
    configuration: Configuration, proposals: Iterable[Proposal], cipher_suite_source: CipherSuiteSource
) -> Additions:
    """Return the changes that add *proposals* to *configuration*. Each takes the previous ones into account."""
    adder = NetworkAEAdder(configuration)
    desired: list[DesiredChange] = []
    added: list[Proposal] = []
    rejected: list[RejectedRow] = []
    warnings: list[str] = []
    for proposal in proposals:
        try:
            # The cipher suites are resolved for each row: an archive without any rejects only the rows with TLS.
            edit = adder.add(_make_new_ae(proposal, cipher_suite_source.resolve(configuration) if proposal.tls else ()))
        except DcmcfgError as error:
            # The message names an option of ``ae add``; in a file it is a column.
            next_step = error.next_step.replace("--device ", "device ")
            rejected.append(RejectedRow(proposal.row, f"{error.message}; {next_step}" if next_step else error.message))
            continue
        desired += (DesiredChange(change, location=proposal.row.location) for change in edit.changes)
        warnings += (f"{proposal.row.location}: {warning}" for warning in edit.warnings)
        added.append(proposal)
    return Additions(tuple(desired), tuple(added), tuple(rejected), tuple(warnings))


def _make_new_ae(proposal: Proposal, cipher_suites: tuple[str, ...]) -> NewNetworkAE:
    role = proposal.effective_role
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

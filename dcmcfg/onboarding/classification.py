"""Classify rows as new, unchanged or rejected."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.model.devices import Configuration, Connection, NetworkAE
from dcmcfg.network_address import format_host_port
from dcmcfg.onboarding.proposal import Proposal, RejectedRow, make_proposal, reject_if_incomplete
from dcmcfg.onboarding.role import determine_role
from dcmcfg.onboarding.row import DESCRIPTION, TITLE, SheetRow, make_row_values
from dcmcfg.schema.findings import SourceLocation

_MAX_TITLES_SHOWN = 3


@dataclass(frozen=True)
class ClassifiedRows:
    """Classified rows; ``unchanged`` contains the existing AE of each unchanged row."""

    new: tuple[Proposal, ...]
    unchanged: tuple[NetworkAE, ...]
    rejected: tuple[RejectedRow, ...]
    warnings: tuple[str, ...]


def classify_rows(configuration: Configuration, rows: Iterable[SheetRow]) -> ClassifiedRows:
    """Return *rows* classified by comparison with the AEs of *configuration* and with each other.

    A row is unchanged if an AE with its title has the same values, even if the title is not valid. A row is rejected if
    the AE differs, or if another row has the same title with other values, because only the user knows the right one.
    """
    by_title: dict[str, list[NetworkAE]] = defaultdict(list)
    for ae in configuration.network_aes():
        # Cells are stripped on reading, so titles are compared without outer blanks.
        by_title[ae.title.strip()].append(ae)
    unchanged: list[NetworkAE] = []
    rejected: list[RejectedRow] = []
    candidates: list[Proposal] = []
    for row in rows:
        existing = by_title.get(row.text(TITLE), ())
        match _classify_row(row, existing):
            case NetworkAE() as ae:
                unchanged.append(ae)
            case RejectedRow() as rejected_row:
                rejected.append(rejected_row)
            case Proposal() as proposal:
                candidates.append(proposal)
    new, ambiguous, repeated = _split_duplicates(candidates)
    rejected += ambiguous
    warnings = (*repeated, *_warn_about_shared_addresses(configuration, new))
    return ClassifiedRows(tuple(new), tuple(unchanged), tuple(rejected), warnings)


def _classify_row(row: SheetRow, existing: Sequence[NetworkAE]) -> NetworkAE | RejectedRow | Proposal:
    """Return the one of the AEs *existing* with the values of *row*, or else the rejected row or a proposal."""
    for ae in existing:
        if make_row_values(ae) == row.values:  # an existing AE may have values that a new AE must not have
            return ae
    proposal = make_proposal(row)
    if isinstance(proposal, RejectedRow):
        return proposal
    if not existing:
        return reject_if_incomplete(proposal) or proposal
    differences = [(ae, tuple(_describe_differences(proposal, ae))) for ae in existing]
    equal = next((ae for ae, found in differences if not found), None)
    if equal is not None:
        return equal
    # Of several AEs with this title, the user most likely means the most similar one.
    ae, found = min(differences, key=lambda each: len(each[1]))
    return RejectedRow(row, f"{ae.device.name}/{ae.title} exists and differs: {'; '.join(found)}")


def _describe_differences(proposal: Proposal, ae: NetworkAE) -> Iterator[str]:
    """Yield the differences of *ae* from *proposal*, each with the command that resolves it."""
    target = f"{ae.device.name}/{ae.title}"
    # dicomDeviceName ignores case (caseIgnoreMatch), dicomAETitle does not.
    if proposal.device is not None and proposal.device.casefold() != ae.device.name.casefold():
        yield f"the AE belongs to the device {ae.device.name}, not to {proposal.device}"
    if not any(_matches_connection(proposal, each) for each in ae.connections):
        if ae.connections:
            yield _describe_other_address(proposal, ae.device.name, ae.connections)
        elif proposal.host is not None:
            yield f"the AE has no connection (run dcmcfg ae remove {target}, then import this row again)"
    if proposal.description is not None and proposal.description != make_row_values(ae).get(DESCRIPTION):
        command = _format_command("set", target, f"dicomDescription={proposal.description}")
        yield f"the description of the AE differs ({command})"
    if proposal.role is not None and proposal.role is not (role := determine_role(ae)):
        yield f"the role of the AE is {role.value}, not {proposal.role.value}"


def _describe_other_address(proposal: Proposal, device: str, connections: Sequence[Connection]) -> str:
    """Return the current and the desired address, with the command that changes the first of *connections*."""
    first = connections[0]
    current = ", ".join(
        f"{format_host_port(each.host, each.port)}{' with TLS' if each.tls else ''}" for each in connections
    )
    desired = format_host_port(proposal.host or first.host, proposal.port or first.port)
    tls = first.tls if proposal.tls is None else proposal.tls
    tls_option = () if tls == first.tls else ("--tls" if tls else "--no-tls",)
    command = _format_command("connection", "set", f"{device}/{first.dn.rdn.parts[0][1]}", desired, *tls_option)
    return f"the address of the AE is {current}, not {desired}{' with TLS' if tls else ''} ({command})"


def _format_command(*words: str) -> str:
    return f"dcmcfg {shlex.join(words)}"


def _matches_connection(proposal: Proposal, connection: Connection) -> bool:
    return (
        (proposal.host is None or proposal.host.casefold() == connection.host.casefold())
        and (proposal.port is None or proposal.port == connection.port)
        and (proposal.tls is None or proposal.tls == connection.tls)
    )


def _split_duplicates(proposals: Sequence[Proposal]) -> tuple[list[Proposal], list[RejectedRow], list[str]]:
    """Return the unambiguous proposals, the rows rejected for contradicting values, and warnings about duplicates."""
    by_title: dict[str, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        by_title[proposal.title].append(proposal)
    new: list[Proposal] = []
    ambiguous: list[RejectedRow] = []
    repeated: list[str] = []
    for proposal in proposals:
        first, *others = by_title[proposal.title]
        if not all(first.is_equivalent(other) for other in others):
            other_locations = ", ".join(str(each.row.location) for each in (first, *others) if each is not proposal)
            ambiguous.append(
                RejectedRow(proposal.row, f"this row and {other_locations} have the same title, but different values")
            )
        elif proposal is first:
            new.append(proposal)
        else:
            repeated.append(f"{proposal.row.location}: {proposal.title} is a duplicate of {first.row.location}.")
    return new, ambiguous, repeated


def _warn_about_shared_addresses(configuration: Configuration, new: Iterable[Proposal]) -> Iterator[str]:
    """Yield a sentence for each address that a new AE would share with an AE of another title."""
    titles: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
    locations: dict[tuple[str, int], SourceLocation] = {}
    for ae in configuration.network_aes():
        for connection in ae.connections:
            if connection.port is not None:
                titles[connection.host.casefold(), connection.port][ae.title] = None
    for proposal in new:
        if proposal.host is not None and proposal.port is not None:
            key = (proposal.host.casefold(), proposal.port)
            titles[key][proposal.title] = None
            locations.setdefault(key, proposal.row.location)
    for key, location in locations.items():
        sharing_titles = list(titles[key])
        if len(sharing_titles) > 1:
            more = (
                f" and {len(sharing_titles) - _MAX_TITLES_SHOWN} more"
                if len(sharing_titles) > _MAX_TITLES_SHOWN
                else ""
            )
            yield (
                f"{location}: several AEs share the address {format_host_port(*key)}: "
                f"{', '.join(sharing_titles[:_MAX_TITLES_SHOWN])}{more}."
            )

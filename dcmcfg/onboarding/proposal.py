"""Convert rows into proposals of AEs, or reject them with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.errors import MalformedInput
from dcmcfg.network_address import format_host_port, parse_host, parse_port
from dcmcfg.onboarding.role import DEFAULT_ROLE, AERole, parse_role
from dcmcfg.onboarding.row import DESCRIPTION, DEVICE, HOST, PORT, ROLE, TITLE, TLS, SheetRow
from dcmcfg.secret_values import format_value

_BOOLEANS = dict.fromkeys(("yes", "true", "1", "on", "y", "tls"), True) | dict.fromkeys(
    ("no", "false", "0", "off", "n", "none"), False
)
T = TypeVar("T")


@dataclass(frozen=True)
class RejectedRow:
    """A rejected row, with the ``reason`` as a phrase."""

    row: SheetRow
    reason: str

    def __str__(self) -> str:
        title = self.row.text(TITLE)
        return f"{self.row.location}: {title}: {self.reason}" if title else f"{self.row.location}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """An AE as described by a row; None stands for values that the row does not contain."""

    row: SheetRow
    title: str
    host: str | None
    port: int | None
    tls: bool | None
    description: str | None
    role: AERole | None
    device: str | None

    @property
    def effective_role(self) -> AERole:
        """The role of the AE; the default is workstation."""
        return self.role or DEFAULT_ROLE

    @property
    def listens(self) -> bool:
        """Whether the AE accepts associations."""
        return self.effective_role.listens

    @property
    def address(self) -> str:
        """The host and port, as far as the row contains them."""
        return format_host_port(self.host or "", self.port)

    def __str__(self) -> str:
        return f"{self.title}@{self.address}"

    def is_equivalent(self, other: Proposal) -> bool:
        """Return whether *other*, from another row, describes the same AE with the same values."""
        return self._make_comparison_key() == other._make_comparison_key()

    def _make_comparison_key(self) -> tuple[object, ...]:
        host = self.host.casefold() if self.host else None
        # Without a device, the new AE gets a device with its title as the name, in lower case.
        device = (self.device or self.title).casefold()
        return (self.title, host, self.port, bool(self.tls), self.description, self.effective_role, device)


def make_proposal(row: SheetRow) -> Proposal | RejectedRow:
    """Return the proposal of *row*, or the rejected row with all problems of its values.

    Only :func:`reject_if_incomplete` requires a host and, for an AE that listens, a port: existing AEs have them
    already.
    """
    problems = list(row.problems)
    if not row.text(TITLE):
        problems.append("the title is missing")
    problems += (
        f"{name} contains a control character; check for a missing quotation mark"
        for name in (HOST, PORT, TLS, DESCRIPTION, ROLE, DEVICE)
        if not row.text(name).isprintable()
    )
    title = _parse_cell(row, TITLE, parse_ae_title, problems)
    proposal = Proposal(
        row=row,
        title=title or "",
        host=_parse_cell(row, HOST, _parse_host, problems),
        port=_parse_cell(row, PORT, parse_port, problems),
        tls=_parse_cell(row, TLS, _parse_boolean, problems),
        description=row.values.get(DESCRIPTION),
        role=_parse_cell(row, ROLE, parse_role, problems),
        device=row.values.get(DEVICE),
    )
    return RejectedRow(row, "; ".join(problems)) if problems else proposal


def reject_if_incomplete(proposal: Proposal) -> RejectedRow | None:
    """Return *proposal* of a new AE as a rejected row if its address is incomplete, otherwise None."""
    missing = [HOST] if proposal.host is None else []
    if proposal.port is None and proposal.listens:
        missing.append(f"{PORT} (optional only for a {AERole.MODALITY.value})")
    return RejectedRow(proposal.row, f"missing: {', '.join(missing)}") if missing else None


def _parse_cell(row: SheetRow, name: str, parse: Callable[[str], T], problems: list[str]) -> T | None:
    """Return the parsed value of a column; None if it is empty or invalid, with an entry in *problems* then."""
    text = row.text(name)
    if not text or (not text.isprintable() and name != TITLE):
        return None
    try:
        return parse(text)
    except MalformedInput as error:
        problems.append(f"{name} {format_value(name, text.encode('utf-8', 'replace'))} is invalid ({error.message})")
        return None


def _parse_host(text: str) -> str:
    return parse_host(text[1:-1] if text.startswith("[") and text.endswith("]") else text)


def _parse_boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.casefold())
    if value is None:
        raise MalformedInput("must be yes or no")
    return value

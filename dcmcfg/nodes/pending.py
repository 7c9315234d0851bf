"""Find changes that are in the directory, but that a node may not have loaded yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.node_record import NodeRecord, read_node_record
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.reload_result import RecordedReloadOutcome, read_reload


@dataclass(frozen=True)
class PendingActivation:
    """The newest change of a directory, which is applied, but not known to be loaded by every node.

    ``node_record`` is None if the run ended before it handled the nodes.
    """

    record: RolloutRecord
    node_record: NodeRecord | None

    @property
    def pending_nodes(self) -> tuple[str, ...]:
        """The names of the nodes that are not known to have loaded the change; empty if that is unknown."""
        return self.node_record.pending_nodes if self.node_record is not None else ()


def find_pending_activation(history: History, ldap_url: str) -> PendingActivation | None:
    """Return the newest change on the directory at *ldap_url* if a node may not have loaded it, or None.

    A reload loads the whole configuration, so only the newest change counts. A change that was applied with
    ``--no-reload`` is not pending: the user did not want a reload.
    """
    for record in history.records:
        if record.header.ldap_url != ldap_url or determine_status(record) is not RolloutStatus.APPLIED:
            continue
        node_record, result = read_node_record(record.folder), read_reload(record.folder)
        if node_record is not None:
            return None if not node_record.pending_nodes else PendingActivation(record, node_record)
        # A run that ended before the reload has written no result; one that ended during it, an unknown one.
        is_pending = result is None or result.outcome is RecordedReloadOutcome.UNKNOWN
        return PendingActivation(record, None) if is_pending and record.header.reload_requested else None
    return None


def find_leftover_markers(history: History, ldap_url: str) -> Iterator[tuple[RolloutRecord, DN]]:
    """Yield the changes on the directory at *ldap_url* whose marker may still be there, with the DN of the marker."""
    for record in history.records:
        try:
            node_record = read_node_record(record.folder) if record.header.ldap_url == ldap_url else None
        except DcmcfgError:  # a record that cannot be read must not hide the others
            continue
        if node_record is not None and node_record.marker is not None and node_record.marker.is_present:
            yield record, DN.parse(node_record.marker.dn)


def rebuild_plan(record: RolloutRecord, tree: Tree) -> Plan:
    """Return the plan of *record*, which leads to *tree*, the present directory.

    If the tree has changed since, the plan has no steps, and nothing can be concluded from what a node shows.
    """
    try:
        before = tree.with_changes(record.get_undo_changes(record.header.steps))
        plan = make_plan(before, [DesiredChange(change, strict=True) for change in record.changes])
    except DoesNotApply:
        return Plan(tree, tree, ())
    return plan

"""Collect the C-STOREs of a verification by leg, and describe changes of the transfer syntax on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.verdict import format_instance_count
from dcmcfg.well_known_uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

OWN_RECEIVER = "our receiver"
#: Implicit and Explicit VR Little Endian: AEs convert between them without changing the pixel data.
_LITTLE_ENDIAN = frozenset({IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN})


def collect_legs(evidence: Evidence) -> tuple[TransferLeg, ...]:
    """Return the legs of all evidence sources, first those to the archive, last that of the receiver of dcmcfg.

    Each evidence source has one leg between two AEs, for all C-MOVEs.
    """
    archive_ae_titles = evidence.route.archive_ae_titles
    stores: dict[tuple[str, str, str], tuple[StoreRecord, ...]] = {}
    for leg in sorted(evidence.legs, key=lambda leg: leg.called_ae_title not in archive_ae_titles):
        leg_key = (leg.calling_ae_title, leg.called_ae_title, leg.evidence_source)
        stores[leg_key] = (*stores.get(leg_key, ()), *leg.stores)
    return (
        *(TransferLeg(*leg_key, leg_stores) for leg_key, leg_stores in stores.items()),
        *_collect_received_legs(evidence),
    )


def _collect_received_legs(evidence: Evidence) -> Iterator[TransferLeg]:
    """Yield the C-STOREs of the study that the receiver of dcmcfg got, by caller."""
    request, expected = evidence.request, {each.sop_instance_uid for each in evidence.instances_before}
    stores: dict[str, list[StoreRecord]] = {}
    for each in evidence.received or ():
        if each.study_uid == request.study_uid or each.sop_instance_uid in expected:
            store = StoreRecord(
                each.sop_instance_uid,
                each.sop_class_uid,
                each.transfer_syntax,
                each.status,
                move_originator=each.move_originator_ae_title or "",
                time=each.received_at,
            )
            stores.setdefault(each.calling_ae_title, []).append(store)
    for calling_ae_title, caller_stores in stores.items():
        yield TransferLeg(calling_ae_title, request.destination_ae_title, OWN_RECEIVER, tuple(caller_stores))


def describe_transcoding(evidence: Evidence) -> Iterator[str]:
    """Yield which instances reached the destination in another transfer syntax than they were stored or sent in.

    A change between Implicit and Explicit VR Little Endian is ignored.
    """
    destination = evidence.request.destination_ae_title
    legs = collect_legs(evidence)
    last_legs = [leg for leg in legs if leg.called_ae_title == destination]
    sources = {
        leg.calling_ae_title: _SourceSyntaxes(leg)
        for leg in legs
        if leg.called_ae_title != destination or _has_file_syntax(leg)
    }
    delivered = {each.sop_instance_uid: each for leg in last_legs for each in leg.stores if each.is_stored}
    changes: Counter[tuple[str, str, str]] = Counter()
    for uid, store in delivered.items():
        for title, source in sources.items():
            syntax = source.get_transfer_syntax(uid)
            if syntax and store.transfer_syntax and _differ(syntax, store.transfer_syntax):
                changes[title, syntax, store.transfer_syntax] += 1
    for (title, before, after), number in changes.items():
        reached = (
            f"{format_instance_count(number)} reached {destination} in the transfer syntax {look_up_uid_name(after)}"
        )
        pronoun = "it" if number == 1 else "them"
        if sources[title].has_file_syntaxes:
            yield (
                f"{reached}, but {title} stores {pronoun} in {look_up_uid_name(before)}. Possible reasons: {title} "
                f"does not offer {look_up_uid_name(before)}, or an AE on the path does not accept "
                f"{look_up_uid_name(before)} (see the transfer capabilities of the AEs in LDAP)"
            )
        else:
            yield (
                f"{reached}, but the archive received {pronoun} from {title} in {look_up_uid_name(before)}. Possible "
                f"reasons: {destination} does not accept {look_up_uid_name(before)}, or the transfer capabilities of "
                f"{destination} in LDAP do not list {look_up_uid_name(before)}"
            )


def _differ(one: str, other: str) -> bool:
    return one != other and not {one, other} <= _LITTLE_ENDIAN


class _SourceSyntaxes:
    """The transfer syntax of each instance at a sender: that of its file, otherwise that in which it was sent."""

    def __init__(self, leg: TransferLeg) -> None:
        self.has_file_syntaxes = _has_file_syntax(leg)
        self._by_instance = {
            each.sop_instance_uid: each.file_transfer_syntax or each.transfer_syntax for each in leg.stores
        }
        syntaxes = {each.file_transfer_syntax or each.transfer_syntax for each in leg.stores}
        # In a log without instance UIDs, a value applies to each instance only if it is the same for all.
        self._common_syntax = next(iter(syntaxes)) if len(syntaxes) == 1 and "" in self._by_instance else ""

    def get_transfer_syntax(self, sop_instance_uid: str) -> str:
        return self._by_instance.get(sop_instance_uid) or self._common_syntax


def _has_file_syntax(leg: TransferLeg) -> bool:
    return any(each.file_transfer_syntax for each in leg.stores)

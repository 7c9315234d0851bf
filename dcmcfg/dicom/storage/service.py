"""Process the requests to a storage SCP (PS3.4 Annex B, PS3.7 Section 9.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime

from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.status import (
    CANNOT_UNDERSTAND,
    INVALID_SOP_INSTANCE,
    OUT_OF_RESOURCES,
    SUCCESS,
    UNRECOGNIZED_OPERATION,
)
from dcmcfg.dicom.storage.files import InstanceFolder, build_file_header
from dcmcfg.dicom.storage.incoming_data_set import MAX_UID_SEARCH_OCTETS, IncomingDataSet, ReceivedDataSet
from dcmcfg.dicom.storage.received_instances import ReceivedInstance
from dcmcfg.dicom.uid_registry import may_be_storage_class
from dcmcfg.dicom.ul.command_set import (
    AFFECTED_SOP_CLASS_UID,
    AFFECTED_SOP_INSTANCE_UID,
    MOVE_ORIGINATOR_AE_TITLE,
    MOVE_ORIGINATOR_MESSAGE_ID,
    CommandField,
    CommandSet,
)
from dcmcfg.limits import INSTANCES
from dcmcfg.well_known_uids import VERIFICATION

#: Prefix of the problem of an instance whose file could not be written.
NOT_SAVED_PREFIX = "the file could not be written"
#: The longest UID that is accepted, since each is kept for the verdict. UIDs have at most 64 octets; some senders use
#: slightly longer ones.
_MAX_UID_OCTETS = 128
#: An AE title has at most 16 characters; the beginning of a longer text is enough for the report.
_MAX_TITLE_CHARACTERS = 64


def accepts_abstract_syntax(abstract_syntax: str) -> bool:
    """Return whether it is Verification or a storage SOP class; unknown ones are taken for private storage classes."""
    return abstract_syntax == VERIFICATION or (bool(abstract_syntax) and may_be_storage_class(abstract_syntax))


@dataclass(frozen=True)
class RequestOrigin:
    """The origin of a request: the caller's AE title, and the transfer syntax of its presentation context."""

    calling_ae_title: str
    transfer_syntax: str


@dataclass(frozen=True)
class StorageScp:
    """A storage SCP with its AE title, time-outs, callbacks, and folder for received instances."""

    ae_title: str
    timeouts: DicomTimeouts
    on_received: Callable[[ReceivedInstance], None]
    on_problem: Callable[[str], None]
    _: KW_ONLY
    sha256: bool = False
    folder: InstanceFolder | None = None
    #: Returns the number of instances held so far.
    count_received: Callable[[], int] = lambda: 0

    def prepare_data_set(self, command: CommandSet, origin: RequestOrigin) -> IncomingDataSet:
        """Return the receiver of the data set of *command*."""
        if not _is_valid_store_request(command):
            # The sender sends the data set of a refused request too; it is read, but not kept.
            return IncomingDataSet(origin.transfer_syntax)
        data_set = IncomingDataSet(origin.transfer_syntax, sha256=self.sha256)
        if self.folder is not None:
            file_header = build_file_header(
                sop_class_uid=command.octets(AFFECTED_SOP_CLASS_UID),
                sop_instance_uid=command.octets(AFFECTED_SOP_INSTANCE_UID),
                transfer_syntax=origin.transfer_syntax,
                source_ae_title=origin.calling_ae_title,
                receiving_ae_title=self.ae_title,
            )
            data_set.write_to(self.folder, file_header)
        return data_set

    def handle_request(
        self, command: CommandSet, data_set: IncomingDataSet | None, origin: RequestOrigin
    ) -> bytes | None:
        """Process a complete request; return the command set of the response, None if there is none."""
        match command.field:
            case CommandField.C_STORE:
                uid = command.sop_instance_uid
                if data_set is None or not uid:
                    return command.build_response(
                        CANNOT_UNDERSTAND, "the request has no data set or no SOP Instance UID"
                    )
                if not _has_valid_uid_lengths(command):
                    self.on_problem(
                        f"{origin.calling_ae_title} sent instances with UIDs of more than {_MAX_UID_OCTETS} octets; "
                        f"dcmcfg refused these instances ({INVALID_SOP_INSTANCE:04X})"
                    )
                    return command.build_response(INVALID_SOP_INSTANCE, f"a UID has more than {_MAX_UID_OCTETS} octets")
                if self.count_received() >= INSTANCES.maximum:
                    data_set.discard()
                    self.on_problem(
                        f"{origin.calling_ae_title} sent more than {INSTANCES.format_maximum()} "
                        f"{INSTANCES.description}; dcmcfg refused the rest. {INSTANCES.next_step}"
                    )
                    return command.build_response(OUT_OF_RESOURCES, "the limit of instances is reached")
                return self._store(command, uid, data_set.finish(uid), origin)
            case CommandField.C_ECHO:
                return command.build_response(SUCCESS)
            case CommandField.C_CANCEL:
                return None
            case _:
                return command.build_response(UNRECOGNIZED_OPERATION, "only C-ECHO and C-STORE are supported")

    def _store(self, command: CommandSet, uid: str, received: ReceivedDataSet, origin: RequestOrigin) -> bytes:
        status = OUT_OF_RESOURCES if received.save_error else SUCCESS
        instance = ReceivedInstance(
            sop_instance_uid=uid,
            sop_class_uid=command.sop_class_uid,
            study_uid=received.uids.study_uid or None,
            calling_ae_title=origin.calling_ae_title,
            move_originator_ae_title=command.text(MOVE_ORIGINATOR_AE_TITLE)[:_MAX_TITLE_CHARACTERS] or None,
            data_set_length=received.length,
            transfer_syntax=origin.transfer_syntax,
            fingerprint=received.fingerprint,
            sha256=received.sha256,
            saved_path=received.saved_path,
            problem=_find_problem(uid, received),
            received_at=datetime.now(UTC),
            move_originator_message_id=command.number(MOVE_ORIGINATOR_MESSAGE_ID),
            status=status,
            started_monotonic=received.started_monotonic,
        )
        self.on_received(instance)
        return command.build_response(status, received.save_error)


def _is_valid_store_request(command: CommandSet) -> bool:
    """Return whether it is a C-STORE with an instance UID."""
    return command.field == CommandField.C_STORE and bool(command.sop_instance_uid) and _has_valid_uid_lengths(command)


def _has_valid_uid_lengths(command: CommandSet) -> bool:
    uids = (AFFECTED_SOP_CLASS_UID, AFFECTED_SOP_INSTANCE_UID)
    return all(len(command.octets(each)) <= _MAX_UID_OCTETS for each in uids)


def _find_problem(uid: str, received: ReceivedDataSet) -> str:
    """Return the problem of the instance *uid*, empty if there is none."""
    if received.save_error:
        return f"{NOT_SAVED_PREFIX}: {received.save_error}"
    data_set_uids = received.uids
    # If the search ended at its limit, the UID may be further on in the data set.
    if not data_set_uids.study_uid and (data_set_uids.is_conclusive or received.length < MAX_UID_SEARCH_OCTETS):
        return "the data set has no Study Instance UID"
    inner_uid = data_set_uids.sop_instance_uid
    return f"the data set belongs to another instance, {inner_uid}" if inner_uid and inner_uid != uid else ""

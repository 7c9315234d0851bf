"""The options of ``verify`` that select the retrieved instances, and whether dcmcfg receives them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.dicom.retrieval import InformationModel, Patient, Priority, QueryRetrieveLevel
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.verify.receiver_options import ReceiverOptions
from dcmcfg.verify.selection import RetrieveSelection


@dataclass(frozen=True, kw_only=True)
class RetrieveOptions:
    """The options for the retrieve request, as given."""

    level: str | None
    series: tuple[str, ...]
    image: tuple[str, ...]
    model: str | None
    patient_id: str | None
    patient_id_issuer: str | None
    priority: str

    def parse_selection(self) -> RetrieveSelection:
        """Return the selection, with its level. Raises :class:`click.UsageError` if level and UIDs contradict."""
        series, images = tuple(map(parse_uid, self.series)), tuple(map(parse_uid, self.image))
        named_level = (
            QueryRetrieveLevel.IMAGE if images else QueryRetrieveLevel.SERIES if series else QueryRetrieveLevel.STUDY
        )
        level = QueryRetrieveLevel(self.level) if self.level else named_level
        if named_level is QueryRetrieveLevel.IMAGE and level is not QueryRetrieveLevel.IMAGE:
            raise click.UsageError(f"--image requires --level image, not --level {level.value}")
        if named_level is QueryRetrieveLevel.SERIES and level is QueryRetrieveLevel.STUDY:
            raise click.UsageError("--series requires --level series or image, not --level study")
        return RetrieveSelection(level, tuple(dict.fromkeys(series)), tuple(dict.fromkeys(images)))

    def parse_model_and_patient(self) -> tuple[InformationModel, Patient | None]:
        """Return the information model, and the patient if given. Raises :class:`click.UsageError`."""
        if self.patient_id is None:
            return InformationModel(self.model or "study"), None
        if self.model == "study":
            raise click.UsageError("--patient-id requires --model patient")
        # In a DICOM query, `*` and `?` are wildcards, and a backslash separates values.
        if not self.patient_id.strip() or set(self.patient_id) & set("\\*?"):
            raise click.UsageError(f"--patient-id {self.patient_id!r} must be a single Patient ID without wildcards")
        return InformationModel.PATIENT, Patient(self.patient_id, self.patient_id_issuer or "")

    def get_priority(self) -> Priority:
        """Return the priority of the C-MOVE."""
        return Priority[self.priority.upper()]


_option = section_option("Retrieve request")
retrieval_options = option_group(
    "retrieving",
    RetrieveOptions,
    [
        _option(
            "--level",
            type=click.Choice([level.value for level in QueryRetrieveLevel]),
            help="Level of the C-MOVE: study, series or image (instance).",
        ),
        _option(
            "--series", multiple=True, metavar="UID", help="Series to retrieve, instead of all series. Can be repeated."
        ),
        _option(
            "--image",
            "--instance",
            "image",
            multiple=True,
            metavar="UID",
            help="Instance to retrieve, instead of all instances. Can be repeated.",
        ),
        _option(
            "--model",
            type=click.Choice([model.value for model in InformationModel]),
            help="Query/Retrieve information model; Study Root by default.",
        ),
        _option(
            "--patient-id",
            metavar="ID",
            help="Patient ID of the study, instead of the Patient ID that the archive lists. Implies --model patient.",
        ),
        _option("--patient-id-issuer", metavar="NAME", help="Issuer of --patient-id."),
        _option(
            "--priority",
            type=click.Choice([priority.name.lower() for priority in Priority]),
            default="medium",
            show_default=True,
            help="Priority of the C-MOVE.",
        ),
    ],
)


@dataclass(frozen=True)
class ReceiveOptions:
    """The options of the receiver, as given."""

    receive: bool
    storage_folder: Path | None

    @property
    def is_enabled(self) -> bool:
        """Whether dcmcfg listens as the destination, which is also necessary to keep files."""
        return self.receive or self.storage_folder is not None

    def make_receiver_settings(self, *, sha256: bool) -> ReceiverOptions:
        """Return the options of the receiver; *sha256* computes digests, for evidence files and JSON."""
        return ReceiverOptions(self.storage_folder, sha256)


_receiving_option = section_option("Receiver")
receiving_options = option_group(
    "receiving",
    ReceiveOptions,
    [
        _receiving_option(
            "--receive",
            is_flag=True,
            help="Let dcmcfg receive the study instead of the destination, at the destination's configured address.",
        ),
        _receiving_option(
            "--keep",
            "storage_folder",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Store received instances as files in DIR, and read each file to check it. Implies --receive.",
        ),
    ],
)

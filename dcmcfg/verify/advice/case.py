"""The input of all advice: a verification with the values that several kinds of advice use."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.route.command import format_address_command, format_command
from dcmcfg.route.path import RouteFailure
from dcmcfg.verify.called_ae import find_candidate_archives, format_ae_address, is_returned_to_archive
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.external_request import is_fallback_used, is_sent_directly
from dcmcfg.verify.local_files import FileLocality, FilesBeforeMove, locate_files_before_move
from dcmcfg.verify.verdict import ReceiptAssessment, ReportAssessment, RouteAssessment, RouteFinding


def suggest_capability_check(destination_ae_title: str) -> str:
    """Return the command that lists the SOP classes blocked by capabilities for *destination_ae_title*."""
    return (
        "To list the SOP classes with a missing transfer capability, run dcmcfg route --dest "
        f"{shlex.quote(destination_ae_title)}"
    )


@dataclass(frozen=True)
class AdviceCase:
    """The evidence, with the assessments of its parts."""

    evidence: Evidence
    report: ReportAssessment
    receipt: ReceiptAssessment
    route: RouteAssessment

    @property
    def destination(self) -> str:
        return self.evidence.request.destination_ae_title

    @property
    def quoted_destination(self) -> str:
        """The destination, quoted for a command line."""
        return shlex.quote(self.destination)

    @property
    def capability_check(self) -> str:
        return suggest_capability_check(self.destination)

    @property
    def archive_ae_title(self) -> str:
        return self.evidence.request.archive.ae_title

    @property
    def external_retrieve_destination(self) -> str | None:
        """The AE to which the external archive sends; None if it sends straight to the destination."""
        return self.evidence.route.external_retrieve_destination

    @cached_property
    def files(self) -> FilesBeforeMove:
        return locate_files_before_move(self.evidence)

    @property
    def is_sent_directly(self) -> bool:
        """Whether the external archive had to send straight to the destination, as far as is known."""
        return is_sent_directly(self.evidence)

    @property
    def is_returned_to_archive(self) -> bool:
        """Whether a part came from the external archive to the archive, forwarded or not."""
        return self.external_retrieve_destination in self.evidence.route.archive_ae_titles and is_returned_to_archive(
            self.evidence
        )

    @property
    def is_on_unconfigured_storage(self) -> bool:
        """Whether the files of the study are on a storage that the tree does not configure."""
        return self.files.locality is FileLocality.UNCONFIGURED_STORAGE

    @property
    def is_fallback_used(self) -> bool:
        """Whether the archive did not know the study, and has a fallback archive."""
        return is_fallback_used(self.evidence)

    @property
    def device_name(self) -> str:
        """The archive's device, for a command."""
        # Without a known device, the command has a placeholder for the user to replace.
        return self.evidence.route.device or "DEVICE"

    @property
    def mapping_command(self) -> str:
        """The command that lets the archive forward objects that do not match the request by themselves."""
        title = self._external_title_for_command
        return format_command("set", self.device_name, f"dcmCStoreSCUOfCMoveSCP+={title}={title}")

    @property
    def fallback_command(self) -> str:
        """The command that lets the archive retrieve unknown studies from the external archive."""
        return format_command("set", self.device_name, f"dcmFallbackCMoveSCP={self._external_title_for_command}")

    @property
    def _external_title_for_command(self) -> str:
        """The external archive, or a placeholder for the user to replace if there are none or several."""
        candidates = sorted(find_candidate_archives(self.evidence))
        return candidates[0] if len(candidates) == 1 else "AET"

    @property
    def is_own_receiver(self) -> bool:
        """Whether dcmcfg was the destination."""
        return self.evidence.received is not None

    @property
    def external_description(self) -> str:
        """The external archive, with its title if known."""
        candidates = ", ".join(sorted(find_candidate_archives(self.evidence)))
        return f"the external archive {candidates}" if candidates else "the external archive"

    @property
    def sender_description(self) -> str:
        """The AE that had to send to the destination."""
        return self.external_description if self.is_sent_directly else f"the archive {self.archive_ae_title}"

    @property
    def is_contradicted(self) -> bool:
        return self.route.finding is RouteFinding.CONTRADICTED

    @property
    def work_order_command(self) -> str:
        """The command that lists the settings for the external archive's administrator."""
        candidates = sorted(find_candidate_archives(self.evidence))
        title = shlex.quote(candidates[0]) if len(candidates) == 1 else "AET"
        return f"dcmcfg work-order --external {title}"

    @property
    def external_echo_command(self) -> str:
        """The command that checks whether the external archives that come into question answer."""
        return f"dcmcfg echo {shlex.join(sorted(find_candidate_archives(self.evidence))) or 'AET'}"

    @property
    def external_retrieve_command(self) -> str:
        """The command that lets external archives send to the archive."""
        return format_command("set-external-retrieve", self.archive_ae_title)

    @property
    def misrouting_advice(self) -> str:
        """The fix for a route that does not lead back; "" if it does, or if the study need not have taken it."""
        is_possibly_purged = self.evidence.instances_before and self.files.locality is not FileLocality.LOCAL
        return _format_misrouting(self.evidence.route.misrouting) if is_possibly_purged else ""

    @property
    def fallback_misrouting_advice(self) -> str:
        """The fix for a route that does not lead back from the fallback archive; "" if it does, or is not used."""
        return _format_misrouting(self.evidence.route.fallback_misrouting) if self.is_fallback_used else ""

    def format_address_command(self, title: str, address: str = "HOST:PORT") -> str:
        """Return a colon and the command that changes the address of the AE *title*; "" if the tree has no address."""
        name = dict(self.evidence.route.connection_names).get(title)
        return f": {format_address_command(name, address)}" if name else ""

    def format_ae_address(self, title: str) -> str:
        """Return *title* with the address at which the archive calls it, if the tree has one."""
        return format_ae_address(self.evidence, title)


def _format_misrouting(failure: RouteFailure | None) -> str:
    return f"{failure.reason}; {failure.next_step}" if failure is not None else ""

"""The option ``--recall`` of ``verify``: find a purged study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.verify.bulk_options import BulkOptions
from dcmcfg.dicom.query_keys import parse_keys
from dcmcfg.printable import escape_unprintable
from dcmcfg.verify.recall import ChosenStudy, RecallSearch, find_purged_study


@dataclass(frozen=True)
class RecallOptions:
    """Whether ``verify`` finds a purged study, instead of a specified one."""

    recall: bool

    def parse_query_keys(self, bulk: BulkOptions) -> Mapping[str, str]:
        """Return the query keys of the search; without any, all studies are searched.

        Raises :class:`~dcmcfg.errors.MalformedInput` for an invalid key.
        """
        return parse_keys(bulk.query) if self.recall and bulk.query is not None else {}

    def choose_study(self, recall: RecallSearch) -> ChosenStudy | None:
        """Find a purged study and print the steps of the search on stderr; return None without ``--recall``.

        Raises what :func:`find_purged_study` raises.
        """
        if not self.recall:
            return None
        chosen = find_purged_study(recall, _print_step)
        _print_step(f"chosen: study {chosen.study_uid}, {chosen.reason}")
        return chosen


def _print_step(words: str) -> None:
    print_message(f"recall: {escape_unprintable(words)}")


_option = section_option("Retrieve request")
recall_options = option_group(
    "recalling",
    RecallOptions,
    [
        _option(
            "--recall",
            is_flag=True,
            help=(
                "Find the smallest purged study and verify this study. Replaces --study. To limit the "
                "search, use --query."
            ),
        )
    ],
)

"""Option of ``verify`` about a study that is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.cli.printing import tell
from dcmcfg.cli.verify.bulk_options import Bulk
from dcmcfg.dicom.query_keys import parse_keys
from dcmcfg.printable import visible
from dcmcfg.verify.recall import Choice, Recall, purged_study


@dataclass(frozen=True)
class Recalling:
    """Whether a purged study is looked for, instead of one that is named."""

    recall: bool

    def keys(self, bulk: Bulk) -> Mapping[str, str]:
        """Return by which keys it is looked for; with none, among all.

        Raises :class:`~dcmcfg.errors.MalformedInput` for what is no key.
        """
        return parse_keys(bulk.query) if self.recall and bulk.query is not None else {}

    def choose(self, recall: Recall) -> Choice | None:
        """Return the study that is taken, said on stderr with what was done to find it; None where one is named.

        Raises what :func:`purged_study` does.
        """
        if not self.recall:
            return None
        chosen = purged_study(recall, _tell)
        _tell(f"chosen: study {chosen.study_uid}, {chosen.why}")
        return chosen


def _tell(words: str) -> None:
    tell(f"recall: {visible(words)}")


_option = section_option("What is asked for")
recall_options = option_group(
    "recalling",
    Recalling,
    [
        _option(
            "--recall",
            is_flag=True,
            help="Instead of --study: take the smallest study that is found to be purged; --query says among which.",
        )
    ],
)

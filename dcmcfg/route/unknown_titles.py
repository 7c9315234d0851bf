"""Warnings about AE titles on the command line that no AE has.

Kept apart: a work order does not depend on these warnings, and the archive accepts these titles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.suggestions import TYPO_SIMILARITY, suggest_names


def warn_about_unknown_titles(
    configuration: Configuration, archive_ae: NetworkAE, *, requesters: Iterable[str], destinations: Iterable[str]
) -> Iterator[str]:
    """Yield a warning for each of *destinations* that no AE has, and for each of *requesters* that may be a typo.

    The archive sends studies only to AEs, but accepts requests from callers without an AE.
    """
    titles = {ae.title for ae in configuration.network_aes()}
    # The device of the archive accepts these titles as its own.
    known = titles.union(*(ae.other_titles for ae in archive_ae.device.network_aes))
    unknown = dict.fromkeys(title for title in destinations if title not in known)
    for title in unknown:
        similar = suggest_names(title, titles)
        yield f"no AE has the title {title}" + (f"; did you mean {', '.join(similar)}?" if similar else "")
    for title in dict.fromkeys(title for title in requesters if title not in known and title not in unknown):
        if similar := suggest_names(title, titles, min_similarity=TYPO_SIMILARITY):
            yield f"no AE has the title {title}; did you mean {', '.join(similar)}?"

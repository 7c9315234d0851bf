"""Which studies match a query, asked of the archive."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace

from dcmcfg.bulk.source import Matching
from dcmcfg.dicom.studies import find_studies
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Question
from dcmcfg.verify.run import opened_for, query_timeouts

#: Given what matches: raises where so many are not meant.
Consent = Callable[[Matching], None]


def matched(
    source: Matching, question: Question, addresses: Addresses, tls: ssl.SSLContext | None, consent: Consent
) -> Matching:
    """Return *source* with what the archive lists for it, once *consent* was given.

    Raises :class:`~dcmcfg.errors.NotFound` when nothing matches, :class:`~dcmcfg.errors.DicomError` when the query
    fails, and what *consent* does.
    """
    with opened_for(question, addresses, tls) as opened:
        asking = opened.with_patience(query_timeouts(addresses))
        known = replace(source, found=find_studies(asking, source.keys, most=source.most))
    known.read()
    consent(known)
    return known

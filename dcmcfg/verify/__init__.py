"""Verify external retrieve with one real C-MOVE.

:func:`find_addresses` reads the tree, :func:`gather_evidence` sends the C-MOVE, :func:`judge_evidence` returns a
verdict::

    addresses = find_addresses(configuration, "dcm4chee-arc", "WORKSTATION", calling_ae_title="DCMCFG")
    request = VerificationRequest(study_uid, addresses.archive, "WORKSTATION", "DCMCFG")
    verdict = judge_evidence(gather_evidence(request, addresses))

A :class:`Verdict` has ``is_verified``, a ``headline``, the three assessments and the next steps. :class:`Evidence` is
its basis. Errors before the C-MOVE are raised as :class:`dcmcfg.errors.DcmcfgError`. :func:`create_proof` returns a
complete record.

Import these names from here. Other modules of the package may change without notice. dcmcfg itself imports the
defining modules, because that loads less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports

if TYPE_CHECKING:
    from dcmcfg.verify.addresses import AddressOverride, VerificationAddresses, find_addresses
    from dcmcfg.verify.evidence import (
        ConfiguredRoute,
        DatabaseEvidence,
        Evidence,
        MoveRecord,
        ReceiverInfo,
        VerificationRequest,
    )
    from dcmcfg.verify.evidence_sources import NO_EVIDENCE_SOURCES, EvidenceSources
    from dcmcfg.verify.judgement import judge_evidence
    from dcmcfg.verify.legs import StoreRecord, TransferLeg
    from dcmcfg.verify.moves import SentMove
    from dcmcfg.verify.proof import (
        Proof,
        SiteSetting,
        TreeFacts,
        VerifiedConfiguration,
        compute_tree_facts,
        create_proof,
        describe_configuration,
    )
    from dcmcfg.verify.recall import ChosenStudy, LocatedStudy, RecallSearch, find_purged_study, locate_study
    from dcmcfg.verify.receiver_options import ReceiverOptions
    from dcmcfg.verify.run import (
        ReceivedCollector,
        VerificationCallbacks,
        gather_evidence,
        gather_evidence_over,
        open_query_association,
    )
    from dcmcfg.verify.selection import RetrieveSelection
    from dcmcfg.verify.timeline import Timeline, TimelineEvent
    from dcmcfg.verify.verdict import (
        ReceiptAssessment,
        ReceiptFinding,
        ReportAssessment,
        ReportFinding,
        RouteAssessment,
        RouteFinding,
        Verdict,
    )

__all__ = [
    "NO_EVIDENCE_SOURCES",
    "AddressOverride",
    "ChosenStudy",
    "ConfiguredRoute",
    "DatabaseEvidence",
    "Evidence",
    "EvidenceSources",
    "LocatedStudy",
    "MoveRecord",
    "Proof",
    "RecallSearch",
    "ReceiptAssessment",
    "ReceiptFinding",
    "ReceivedCollector",
    "ReceiverInfo",
    "ReceiverOptions",
    "ReportAssessment",
    "ReportFinding",
    "RetrieveSelection",
    "RouteAssessment",
    "RouteFinding",
    "SentMove",
    "SiteSetting",
    "StoreRecord",
    "Timeline",
    "TimelineEvent",
    "TransferLeg",
    "TreeFacts",
    "Verdict",
    "VerificationAddresses",
    "VerificationCallbacks",
    "VerificationRequest",
    "VerifiedConfiguration",
    "compute_tree_facts",
    "create_proof",
    "describe_configuration",
    "find_addresses",
    "find_purged_study",
    "gather_evidence",
    "gather_evidence_over",
    "judge_evidence",
    "locate_study",
    "open_query_association",
]

if not TYPE_CHECKING:  # a type checker would take a ``__getattr__`` for every misspelt name
    __getattr__, __dir__ = make_lazy_exports(
        __name__,
        {
            "addresses": ("AddressOverride", "VerificationAddresses", "find_addresses"),
            "evidence": (
                "ConfiguredRoute",
                "DatabaseEvidence",
                "Evidence",
                "MoveRecord",
                "ReceiverInfo",
                "VerificationRequest",
            ),
            "evidence_sources": ("EvidenceSources", "NO_EVIDENCE_SOURCES"),
            "judgement": ("judge_evidence",),
            "legs": ("TransferLeg", "StoreRecord"),
            "moves": ("SentMove",),
            "proof": (
                "Proof",
                "SiteSetting",
                "TreeFacts",
                "VerifiedConfiguration",
                "compute_tree_facts",
                "create_proof",
                "describe_configuration",
            ),
            "recall": ("ChosenStudy", "LocatedStudy", "RecallSearch", "find_purged_study", "locate_study"),
            "receiver_options": ("ReceiverOptions",),
            "run": (
                "ReceivedCollector",
                "VerificationCallbacks",
                "gather_evidence",
                "gather_evidence_over",
                "open_query_association",
            ),
            "selection": ("RetrieveSelection",),
            "timeline": ("Timeline", "TimelineEvent"),
            "verdict": (
                "ReceiptAssessment",
                "ReceiptFinding",
                "ReportAssessment",
                "ReportFinding",
                "RouteAssessment",
                "RouteFinding",
                "Verdict",
            ),
        },
    )

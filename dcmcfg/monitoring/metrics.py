"""The metrics of a check. Their names, without the prefix ``dcmcfg_``, are those of the OpenMetrics output.

Every metric is a gauge, because the text of other types is not the same in OpenMetrics and in Prometheus' own format.
"""

from __future__ import annotations

from dataclasses import dataclass

SECONDS = "seconds"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric: ``labels`` are the names of its labels, ``unit`` is empty for a number without one.

    ``in_performance_data`` metrics are also in the performance data of a plugin.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    in_performance_data: bool = True


SITE_STATE = Metric(
    name="site_state", help="State of the site: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.", in_performance_data=False
)
RUN_DURATION = Metric(name="run_duration_seconds", help="Duration of the whole check, in seconds.", unit=SECONDS)
PART_STATE = Metric(
    name="part_state",
    help="State of a part of the check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
    labels=("part",),
    in_performance_data=False,
)
PART_DURATION = Metric(
    name="part_duration_seconds",
    help="Duration of a part of the check, in seconds.",
    labels=("part",),
    unit=SECONDS,
    in_performance_data=False,
)
DIRECTORY_ENTRIES = Metric(name="directory_entries", help="Number of entries in the directory below the base DN.")
NODES_NOT_STARTED = Metric(name="nodes_not_started", help="Number of nodes that are stopped or not running.")
NODE_STARTED = Metric(
    name="node_started", help="1 if the node is started, else 0.", labels=("node",), in_performance_data=False
)
NODE_RESPONSE = Metric(
    name="node_response_seconds", help="Seconds until the node reported its status.", labels=("node",), unit=SECONDS
)
NODE_OTHER_VALUES = Metric(
    name="node_other_values",
    help="Number of values that differ between the node and the directory.",
    labels=("node",),
)
REPLICA_BEHIND = Metric(
    name="replica_behind_seconds",
    help="Age of the oldest change that is missing in the replica, in seconds.",
    labels=("replica",),
    unit=SECONDS,
)
REPLICA_EQUAL = Metric(
    name="replica_equal",
    help="1 if the replica has the same entries as the directory, else 0.",
    labels=("replica",),
    in_performance_data=False,
)
CHECK_FINDINGS = Metric(name="check_findings", help="Number of findings of dcmcfg check.", labels=("severity",))
CHECK_UNLOADABLE = Metric(
    name="check_unloadable", help="Number of findings that prevent the archive from loading its configuration."
)
DRIFT_CHANGES = Metric(
    name="drift_changes", help="Number of entries that differ from the file with the expected configuration."
)
ECHO_FAILED = Metric(name="echo_failed", help="Number of AEs that did not answer a C-ECHO.")
ECHO_SUCCESS = Metric(
    name="echo_success",
    help="1 if the AE answered a C-ECHO, else 0.",
    labels=("ae", "address"),
    in_performance_data=False,
)
ECHO_RESPONSE = Metric(
    name="echo_response_seconds",
    help="Seconds until the AE answered a C-ECHO, association included.",
    labels=("ae", "address"),
    unit=SECONDS,
)
CERTIFICATE_NOT_AFTER = Metric(
    name="certificate_not_after_timestamp_seconds",
    help="Time when a certificate in the directory expires, in seconds since 1970.",
    labels=("entry", "subject"),
    unit=SECONDS,
    in_performance_data=False,
)
CERTIFICATE_REMAINING = Metric(
    name="certificate_remaining_seconds",
    help="Seconds until the first certificate in the directory expires. Negative if the certificate has expired.",
    unit=SECONDS,
)
RECALL_SUCCESS = Metric(
    name="recall_success", help="1 if the last recall was successful, else 0.", in_performance_data=False
)
RECALL_AGE = Metric(name="recall_age_seconds", help="Seconds since the start of the last recall.", unit=SECONDS)
RECALL_DURATION = Metric(name="recall_duration_seconds", help="Duration of the last recall.", unit=SECONDS)

#: In the order of the output.
METRICS = (
    SITE_STATE,
    RUN_DURATION,
    PART_STATE,
    PART_DURATION,
    DIRECTORY_ENTRIES,
    NODES_NOT_STARTED,
    NODE_STARTED,
    NODE_RESPONSE,
    NODE_OTHER_VALUES,
    REPLICA_BEHIND,
    REPLICA_EQUAL,
    CHECK_FINDINGS,
    CHECK_UNLOADABLE,
    DRIFT_CHANGES,
    ECHO_FAILED,
    ECHO_SUCCESS,
    ECHO_RESPONSE,
    CERTIFICATE_NOT_AFTER,
    CERTIFICATE_REMAINING,
    RECALL_SUCCESS,
    RECALL_AGE,
    RECALL_DURATION,
)

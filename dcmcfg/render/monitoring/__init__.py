"""The report of ``monitor`` as the output of a Nagios plugin, as OpenMetrics text and as JSON."""

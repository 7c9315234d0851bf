"""Checks of a site for a monitoring system: parts that run in parallel, each with a state and figures."""

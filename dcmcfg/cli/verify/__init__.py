"""The ``verify`` command: its options, one study, many studies, evidence files."""

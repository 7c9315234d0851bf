"""Update the schema of directory servers through cn=config: inspect each server, record, apply, verify, revert."""

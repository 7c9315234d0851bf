"""A stand-in for the dcm4chee archive, for trying and testing; ``docs/lab.md`` says what it imitates."""

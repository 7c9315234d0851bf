"""A simulation of the dcm4chee archive for trials and tests; ``docs/lab.md`` lists the simulated behaviour."""

"""From changes to a plan that is shown, reviewed, undone."""

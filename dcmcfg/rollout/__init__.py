"""From a plan to a changed directory, with a way back."""

"""A job: the rules."""

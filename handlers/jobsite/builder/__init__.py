"""A builder: the rules."""

"""A question and its answer: the rules."""

"""A recording: what may be asked of it, what decisions need to know, and the rules."""

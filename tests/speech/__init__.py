"""Speech to text: on this machine, and by servers that each speak their own dialect."""

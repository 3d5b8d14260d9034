"""What has happened: immutable facts, their envelope and their catalogue. No I/O."""

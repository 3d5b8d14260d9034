"""Recordings as people send them: what kind a file is, and any of them as 16 kHz mono WAV."""

from infra.audio.decoding import decode
from infra.audio.kinds import media_type

__all__ = ["decode", "media_type"]

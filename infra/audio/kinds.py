"""Tells kinds of audio file apart by their first bytes, never by name."""

IMAGES = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
"""Brands of the MP4 family that hold pictures."""

MPEG1_KBPS = {
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
MPEG2_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def media_type(head: bytes) -> str | None:
    """The media type of an audio file, from its first bytes (4 KB suffice); None if it is no kind we take."""
    match head[:4]:
        case b"RIFF" | b"RIFX" | b"RF64" | b"BW64" if head[8:12] == b"WAVE":
            found = "audio/wav"
        case b"fLaC":
            found = "audio/flac"
        case b"OggS":
            found = "audio/ogg"
        case b"\x1a\x45\xdf\xa3" if b"webm" in head[:4096] or b"matroska" in head[:4096]:
            found = "audio/webm"
        case _ if head[4:8] == b"ftyp" and head[8:12] not in IMAGES:
            found = "audio/mp4"
        case _ if head[:3] == b"ID3" or _mp3_frames(head):
            found = "audio/mpeg"
        case _:
            return None
    return found


def _mp3_frames(head: bytes) -> bool:
    """Whether the file starts with an MPEG audio frame and, as far as can be seen, another follows it."""
    size = frame_bytes(head)
    follower = head[size : size + 4]
    return size > 0 and (len(follower) < 4 or frame_bytes(follower) > 0)


def frame_bytes(header: bytes) -> int:
    """The length of the MPEG audio frame (layer II or III) that starts here; 0 if none does."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bit_rate, sample_rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer not in (2, 3) or bit_rate in (0, 15) or sample_rate == 3:
        return 0
    kbps = (MPEG1_KBPS[layer] if version == 3 else MPEG2_KBPS)[bit_rate - 1]
    hertz = (44_100, 48_000, 32_000)[sample_rate] >> (0 if version == 3 else 1 if version == 2 else 2)
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * kbps * 1000 // hertz + padding

"""Something to hear and something to see, made on the spot."""

import io
import math
import struct
import wave
import zlib

RATE = 8000


def spoken(seconds: int) -> bytes:
    """A WAV of that length, as Twilio makes them (8 kHz, 16 bits, one channel): a soft tone
    that comes and goes like syllables.
    """
    frames = bytearray()
    for place in range(RATE * max(seconds, 1)):
        at = place / RATE
        loudness = 0.25 * abs(math.sin(math.pi * 2.2 * at))
        frames += struct.pack("<h", int(32767 * loudness * math.sin(2 * math.pi * 220 * at)))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(bytes(frames))
    return file.getvalue()


def picture(width: int = 240, height: int = 160) -> bytes:
    """A PNG with a gradient."""
    rows = b"".join(
        b"\0" + bytes(
            value
            for x in range(width)
            for value in (30 + 120 * x // width, 110 + 100 * y // height, 140)
        )
        for y in range(height)
    )  # fmt: skip

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip

"""The port of a folder: the same for the same folder, so that it need not be remembered (as MASC has it)."""

from __future__ import annotations

import os

FIRST, COUNT = 9100, 900
FIXED = 8935  # of the presets
_POLYNOMIAL, _MASK = 0x04C11DB7, 0xFFFFFFFF


def derived_port(folder: str | os.PathLike[str]) -> int:
    """From 9100 to 9999, by the checksum of the folder's path without symbolic links."""
    return FIRST + checksum(os.fsencode(os.path.realpath(folder))) % COUNT


def checksum(data: bytes) -> int:
    """What POSIX ``cksum`` says of these bytes: a CRC over them and their length, which is not zlib's."""
    length = len(data)
    size = bytearray()
    while length:
        size.append(length & 0xFF)
        length >>= 8
    crc = 0
    for byte in (*data, *size):
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x80000000 else crc << 1) & _MASK
    return crc ^ _MASK

"""Metrics as TensorBoard reads them: records of a TFRecord file, each an ``Event`` of protocol buffers."""

from __future__ import annotations

import os
import socket
import struct
import time
from pathlib import Path

from jupyter_blueno.jobs.readings import Curves

_POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected


def _table() -> list[int]:
    found = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
        found.append(value)
    return found


_TABLE = _table()


class EventFile:
    """One file that grows; made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None

    def add(self, curves: Curves) -> None:
        """Append the points of some curves."""
        records = [
            _scalar(curve.name, float(step), at, float(value))
            for curve in curves.curves
            for step, at, value in zip(curve.steps, curve.times, curve.values, strict=True)
        ]
        if not records:
            return
        if self._path is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.blueno"
            self._path = self._folder / name
            records.insert(0, _double(1, time.time()) + _bytes(3, b"brain.Event:2"))
        with open(self._path, "ab") as file:
            file.write(b"".join(map(record, records)))


def record(data: bytes) -> bytes:
    """A record: length, its checksum, the data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked(length)) + data + struct.pack("<I", _masked(data))


def _masked(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _scalar(tag: str, step: float, at: float, value: float) -> bytes:
    """``Event(wall_time=1, step=2, summary=5)`` with one ``Value(tag=1, simple_value=2)``."""
    try:
        number = struct.pack("<f", value)
    except OverflowError:
        number = struct.pack("<f", float("inf") if value > 0 else float("-inf"))
    summary = _bytes(1, _bytes(1, tag.encode()) + b"\x15" + number)
    return _double(1, at) + b"\x10" + _varint(max(0, round(step))) + _bytes(5, summary)


def _double(field: int, value: float) -> bytes:
    return bytes([field << 3 | 1]) + struct.pack("<d", value)


def _bytes(field: int, data: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])

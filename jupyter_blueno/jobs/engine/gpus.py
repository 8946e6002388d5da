"""Use and memory of NVIDIA's GPUs, by their own library (NVML). Standard library only."""

from __future__ import annotations

import ctypes

EVERY = "all"
NAMES = ("libnvidia-ml.so.1", "libnvidia-ml.so")


class _Rates(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class Gpus:
    """Some of the machine's GPUs; none where they cannot be asked.

    Parameters
    ----------
    devices : list of str
        Numbers in the order of the PCI bus, or UUIDs; `EVERY` are all that can be seen.
    """

    def __init__(self, devices: list[str]) -> None:
        self.handles: list[ctypes.c_void_p] = []
        library = None
        for name in NAMES:
            try:
                library = ctypes.CDLL(name)
                break
            except OSError:
                continue
        if library is None or library.nvmlInit_v2():
            return
        self.library = library
        if devices == [EVERY]:
            count = ctypes.c_uint()
            library.nvmlDeviceGetCount_v2(ctypes.byref(count))
            devices = [str(number) for number in range(count.value)]
        for device in devices:
            handle = ctypes.c_void_p()
            if device.isdigit():
                failed = library.nvmlDeviceGetHandleByIndex_v2(
                    ctypes.c_uint(int(device)), ctypes.byref(handle)
                )
            else:
                failed = library.nvmlDeviceGetHandleByUUID(device.encode(), ctypes.byref(handle))
            if not failed:
                self.handles.append(handle)

    def sample(self) -> dict[str, float]:
        """``gpu``: how many are busy, in parts of one; ``gpu_memory``: bytes in use on them."""
        busy = used = 0.0
        answers = 0
        for handle in self.handles:
            rates, memory = _Rates(), _Memory()
            if not self.library.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(rates)):
                busy += rates.gpu / 100
                answers |= 1
            if not self.library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
                used += memory.used
                answers |= 2
        return ({"gpu": busy} if answers & 1 else {}) | ({"gpu_memory": used} if answers & 2 else {})

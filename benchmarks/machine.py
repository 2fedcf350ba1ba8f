"""The machine: what it is, how busy it is, and how much memory a process took. Linux; elsewhere what is known."""

import os
import platform
import re
from pathlib import Path

PROC = Path("/proc")


def processors():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def describe(cpuinfo=None):
    """{"cpu": the model's name, "instruction set": the widest vectors it has, "processors": n, "system": ...}"""
    path = PROC / "cpuinfo"
    text = cpuinfo if cpuinfo is not None else path.read_text() if path.exists() else ""
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)
    flags = flags[1].split() if flags else []
    sets = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
    return {
        "cpu": model[1] if model else platform.processor() or platform.machine(),
        "instruction set": next((name for flag, name in sets.items() if flag in flags), platform.machine()),
        "processors": processors(),
        "system": f"{platform.system()} {platform.release()}",
    }


def memory(field="VmRSS"):
    """The memory this process holds, in bytes, or None where the system does not say."""
    path = PROC / "self" / "status"
    if not path.exists():
        return None
    return 1024 * int(re.search(rf"^{field}:\s*(\d+) kB$", path.read_text(), re.MULTILINE)[1])


def peak_memory():
    """The most memory this process has held at once, in bytes, or None where the system does not say."""
    return memory("VmHWM")


def busy_seconds():
    """Processor seconds spent by everyone since the machine started (idle and waiting left out), or None."""
    path = PROC / "stat"
    if not path.exists():
        return None
    user, nice, system, _idle, _iowait, *rest = map(int, path.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def process_seconds(pid):
    """Processor seconds spent by a process and the children it has waited for, or None."""
    path = PROC / str(pid) / "stat"
    if not path.exists():
        return None
    fields = path.read_text().rpartition(")")[2].split()  # from field 3 on; 14 to 17 are the times
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

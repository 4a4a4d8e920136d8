"""What results depend on besides the code: processor, memory, versions."""

import importlib.metadata
import os
import pathlib
import platform
import time

PACKAGES = ("torch", "jax", "jaxlib", "neurogym", "gymnasium", "numpy")


def _first_field(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return "unknown"


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe():
    versions = {package: _version(package) for package in PACKAGES}
    return {
        "processor": _first_field("/proc/cpuinfo", "model name"),
        "processors": len(os.sched_getaffinity(0)),
        "memory": _first_field("/proc/meminfo", "MemTotal"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version for name, version in versions.items() if version},
        "load_before": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }

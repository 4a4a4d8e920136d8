#!/usr/bin/env bash
# nanobind 3.1.0: a new __init__ of a bound class is accepted and never called. (2026-11-29)
#
# A good guess: `Network.__init__ = wrapped` changes what Network(...) does, as for every class whose attributes
#               can be set; if C++ classes do not support it, the assignment raises. That is how tests patch
#               constructors and how tracing, validation and deprecation wrappers are added.
# Instead:      the assignment works, Network.__init__ is the new function, and Network(...) still calls the
#               constructor in C++: the class keeps a direct pointer to it for speed. A mock records no call, a
#               check lets everything pass. A subclass in Python calls its own __init__.
# What to do:   wrap in a subclass, or in a function that makes the object.
# Needs:        g++ and the headers of the interpreter (python3-dev).
. "$(dirname "$0")/packages.inc" nanobind==3.1.0
observe <<'PYTHON'
import importlib.metadata
import pathlib
import subprocess
import sysconfig

import nanobind

pathlib.Path("bound.cpp").write_text("""
#include <nanobind/nanobind.h>
struct Network {
  explicit Network(int units) : units(units) {}
  int units;
};
NB_MODULE(bound, m) {
  nanobind::class_<Network>(m, "Network").def(nanobind::init<int>()).def_rw("units", &Network::units);
}
""")
source = pathlib.Path(nanobind.source_dir())
include = [sysconfig.get_path("include"), nanobind.include_dir(), source.parent / "ext/robin_map/include"]
subprocess.run(["g++", "-std=c++17", "-O0", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing",
                *[f"-I{folder}" for folder in include], "bound.cpp", source / "nb_combined.cpp",
                "-o", "bound" + sysconfig.get_config_var("EXT_SUFFIX")], check=True)
import bound

calls = []
original = bound.Network.__init__

def checked(self, units):
    calls.append(units)
    original(self, units)

bound.Network.__init__ = checked
replaced = bound.Network.__init__ is checked
made = bound.Network(5)
print("nanobind", importlib.metadata.version("nanobind"))
print("Network.__init__ is the new function:", replaced, " calls of it by Network(5):", calls, " units:", made.units)

class Checked(bound.Network):
    __init__ = checked

Checked(6)
print("calls of it as the __init__ of a subclass:", calls)
assert replaced and made.units == 5 and calls == [6]
PYTHON

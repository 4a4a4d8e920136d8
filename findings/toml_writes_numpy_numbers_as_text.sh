#!/usr/bin/env bash
# toml 0.10.2: NumPy numbers in a configuration are written as text. (2026-11-29)
#
# A good guess: toml.dumps({"learning_rate": numpy.float64(0.001)}) writes 0.001, as json.dumps does (float64 is a
#               float), or raises, as json.dumps does for numpy.int64.
# Instead:      it writes learning_rate = "np.float64(0.001)", a text, and so for whole numbers and lists. False becomes
#               "np.False_", which is true in Python. Values of a grid from numpy.logspace or numpy.arange are all
#               NumPy numbers. toml.load reads the texts back, so that a round trip raises nothing either; a
#               program that checks types refuses the file. With NumPy 1, the texts are "0.001" and "False".
# What to do:   value.item() or array.tolist() first; or encoder=toml.encoder.TomlNumpyEncoder(), which knows numbers
#               but not numpy.bool; or tomli_w, which writes float64 as a number and refuses the others.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 toml==0.10.2 tomli-w==1.2.0
observe <<'PYTHON'
import numpy as np
import toml
import toml.encoder
import tomli_w

settings = {"learning_rate": np.logspace(-3, -2, 2)[0], "units": np.arange(256, 512)[0], "noise": np.array([False])[0],
            "radii": list(np.arange(1.0, 3.0))}
native = {"learning_rate": 0.001, "units": 256, "noise": False, "radii": [1.0, 2.0]}


def encoded(value):
    """What the encoder for NumPy writes."""
    return toml.dumps({"x": value}, encoder=toml.encoder.TomlNumpyEncoder()).strip()


def refuses(value):
    try:
        tomli_w.dumps({"x": value})
    except TypeError:
        return True
    return False


text = toml.dumps(settings)
print("toml", toml.__version__, "NumPy", np.__version__)
print(text.strip())
print("the same from Python numbers:", toml.dumps(native).strip().splitlines())
print("TomlNumpyEncoder:", [encoded(value) for value in settings.values()])
print("tomli_w, float64:", tomli_w.dumps({"x": settings["learning_rate"]}).strip(),
      " refuses the others:", [refuses(settings[key]) for key in ("units", "noise")])
assert toml.loads(text) == {"learning_rate": "np.float64(0.001)", "units": "np.int64(256)", "noise": "np.False_",
                            "radii": ["np.float64(1.0)", "np.float64(2.0)"]}
assert toml.loads(toml.dumps(native)) == native and refuses(settings["units"]) and refuses(settings["noise"])
PYTHON

#!/usr/bin/env bash
# Hydra 1.3.8: a setting has another value on the command line than in the YAML file. (2026-11-29)
#
# A good guess: `noise=off` on the command line and `noise: off` in the file of the same program are the same value; the
#               command line is there to replace lines of the file.
# Instead:      the command line has a grammar of its own. `off` and `no` are False in the file and the text "off" on the
#               command line, which is true in Python. `10:30`, ten and a half minutes for Slurm, is 630 in the file,
#               ten and a half hours for Slurm. `010` is 8 or "010", `nan` and `inf` are texts in the file and numbers on
#               the command line, and for `.inf` it is the other way round.
# What to do:   write true and false, and numbers without leading zeros; quote the rest in the file. A dataclass that gives
#               the types makes off False in both places.
. "$(dirname "$0")/packages.inc" hydra-core==1.3.8 omegaconf==2.3.1
observe <<'PYTHON'
import os

import hydra
import omegaconf

texts = {"noise": "off", "limit": "10:30", "subject": "010", "bound": "inf", "cap": ".inf", "rate": "1e-3", "dale": "true"}
with open("file.yaml", "w") as file:
    file.writelines(f"{key}: {text}\n" for key, text in texts.items())
with open("line.yaml", "w") as file:
    file.writelines(f"{key}: null\n" for key in texts)
with hydra.initialize_config_dir(os.getcwd(), version_base="1.3"):
    from_file = hydra.compose("file")
    from_line = hydra.compose("line", overrides=[f"{key}={text}" for key, text in texts.items()])
print("Hydra", hydra.__version__, "OmegaConf", omegaconf.__version__)
for key, text in texts.items():
    print(f"{text}: in the file {from_file[key]!r}, on the command line {from_line[key]!r}")
assert from_file == {"noise": False, "limit": 630, "subject": 8, "bound": "inf", "cap": float("inf"), "rate": 0.001, "dale": True}
assert from_line == {"noise": "off", "limit": "10:30", "subject": "010", "bound": float("inf"), "cap": ".inf", "rate": 0.001,
                     "dale": True}
PYTHON

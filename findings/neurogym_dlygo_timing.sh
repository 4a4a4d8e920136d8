#!/usr/bin/env bash
# NeuroGym 2.3.1: yang19's dlygo and dlyanti take `timing` and ignore all of it. (2026-11-28)
#
# A good guess: make("yang19.dlygo-v0", timing={"delay": 1000}) has a delay of 1000 ms, as the same
#               call has for yang19.go, and as decision tasks keep what they are given.
# Instead:      the two factories put {"delay": 500} in the place of the whole dictionary. A delay
#               of 1000 ms, or a decision of 2000 ms, is accepted and changes nothing. A task whose
#               name is about the delay is the one whose delay cannot be set.
# What to do:   make("yang19.go-v0", timing={"delay": 1000}): the same task.
. "$(dirname "$0")/neurogym.inc"
observe <<'PYTHON'
import neurogym

def trial(name, **timing):
    env = neurogym.make(f"yang19.{name}-v0", timing=timing).unwrapped
    env.new_trial()
    return {period: env.end_t[period] - env.start_t[period] for period in env.start_t}

print("neurogym", neurogym.__version__)
seen = {name: trial(name, delay=1000, decision=2000) for name in ("go", "dlygo", "anti", "dlyanti")}
for name, periods in seen.items():
    print(f"{name:8} with delay=1000, decision=2000:", periods)
for name in ("go", "anti"):
    assert seen[name]["delay"] == 1000 and seen[name]["decision"] == 2000
    assert seen["dly" + name]["delay"] == 500 and seen["dly" + name]["decision"] == 500
PYTHON

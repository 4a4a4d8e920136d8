#!/usr/bin/env bash
# TensorBoard 2.21.0: its own reader finds no scalars in its own writer's file, and keeps 10 of
# 12 000 values. (2026-11-28)
#
# A good guess: EventAccumulator(folder).Scalars("loss") returns all that
#               tensorboard.summary.Writer(folder).add_scalar("loss", ...) wrote.
# Instead:      the writer stores every scalar as a tensor, so that Scalars() says there is no such
#               tag. Tensors("loss") has it, but as a random sample of 10 values, spread unevenly:
#               a learning curve drawn from it starts late and looks coarse, with nothing to say
#               that values are missing. size_guidance={"scalars": 0} ("keep all") changes nothing.
#               Files of other writers, which store plain values, are not affected in this way.
# What to do:   EventAccumulator(folder, size_guidance={"tensors": 0}), then Tensors("loss").
. "$(dirname "$0")/packages.inc" numpy==2.4.6 tensorboard==2.21.0 setuptools==80.9.0
observe <<'PYTHON'
import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary import Writer

writer = Writer("run")
for step in range(12000):
    writer.add_scalar("loss", 1.0 / (1 + step), step)
writer.close()

def read(**arguments):
    events = EventAccumulator("run", **arguments)
    events.Reload()
    return events.Tags()["scalars"], [event.step for event in events.Tensors("loss")]

print("tensorboard", tensorboard.__version__)
scalars, steps = read()
guided = read(size_guidance={"scalars": 0})[1]
everything = read(size_guidance={"tensors": 0})[1]
print("tags of scalars:", scalars)
print("steps of Tensors('loss'):                ", steps)
print('with size_guidance={"scalars": 0}:       ', len(guided), "values")
print('with size_guidance={"tensors": 0}:       ', len(everything), "values")
assert scalars == [] and len(steps) == len(guided) == 10 and everything == list(range(12000))
PYTHON

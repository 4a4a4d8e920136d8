"""An LM-RNN in a PyTorch loop: your own loss, Dale's law, a cost of wire, and a GRU for comparison."""

# --8<-- [start:loop]
import torch
from torch import nn
from torch.nn.utils import parametrize

import lmrnn
import lmrnn.torch

battery = lmrnn.Battery("go,dlygo")
stream = battery.stream(batch=32, steps=60, seed=1, rules="index")


def train(network, rate=5e-3, extra=lambda: 0.0):
    """`network(inputs, rules)` -> logits; `extra`: what is added to the loss."""
    optimiser = torch.optim.Adam(network.parameters(), rate)
    for inputs, targets, mask, info in lmrnn.torch.loader(stream, 200):
        logits = network(inputs, info["rules"])
        # Your own loss: here, cross-entropy with smoothed labels.
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), label_smoothing=0.02
        )
        optimiser.zero_grad()
        (loss + extra()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return network


class Readout(nn.Module):
    """The logits of an LMRNN. Its states stay where they are: nothing is copied."""

    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, inputs, rules):
        return self.rnn(inputs, rules, states=False)[1]


def fresh():
    mask = lmrnn.Mask.make("local", rows=8, cols=8, radius=2)
    return lmrnn.torch.LMRNN(
        mask=mask, n_channels=battery.n_channels, n_classes=battery.n_classes,
        n_rules=battery.n_rules, seed=1,
    )  # fmt: skip


plain = fresh()
print(plain)
train(Readout(plain))
# --8<-- [end:loop]


# --8<-- [start:dale]
class Dale(nn.Module):
    def __init__(self, sign):  # of each synapse: that of its source
        super().__init__()
        self.sign = sign

    def forward(self, weight):
        return self.sign * weight.abs()


dale = fresh()
inhibitory = torch.arange(dale.n_units) % 5 == 0
parametrize.register_parametrization(
    dale, "recurrent", Dale(torch.where(inhibitory, -1.0, 1.0)[dale.sources])
)
train(Readout(dale))
# --8<-- [end:dale]
assert (dale.recurrent[inhibitory[dale.sources]] <= 0).all()

# --8<-- [start:wire]
short = fresh()
across = ((short.targets % 8 - short.sources % 8).abs() + 4) % 8 - 4  # columns, around the torus
down = ((short.targets // 8 - short.sources // 8).abs() + 4) % 8 - 4
length = across.abs() + down.abs()
train(Readout(short), extra=lambda: 2e-3 * (length * short.recurrent.abs()).sum())
# --8<-- [end:wire]
for name, rnn in {"plain": plain, "wire": short}.items():
    weight = rnn.recurrent.detach().abs()
    print(f"mean length of a unit of weight, {name}: {(length * weight).sum() / weight.sum():.2f}")


# --8<-- [start:gru]
class GRU(nn.Module):
    def __init__(self, n_units):
        super().__init__()
        self.rule = nn.Embedding(battery.n_rules, 8)
        self.gru = nn.GRU(battery.n_channels + 8, n_units)
        self.readout = nn.Linear(n_units, battery.n_classes)

    def forward(self, inputs, rules):
        x = torch.cat([inputs, self.rule(rules[..., 0].long())], dim=-1)
        return self.readout(self.gru(x)[0])


torch.manual_seed(1)
models = {"LM-RNN": plain, "Dale": dale, "wire": short, "GRU": train(GRU(64), rate=1e-2)}
# --8<-- [end:gru]


# --8<-- [start:numpy]
def always_fixate(inputs):
    logits = inputs[..., : battery.n_classes] * 0
    logits[..., 0] = 1
    return logits


models["always fixate"] = always_fixate  # NumPy
# --8<-- [end:numpy]

# --8<-- [start:evaluate]
scores = {
    name: lmrnn.evaluate(model, battery, seed=1, n_trials=200) for name, model in models.items()
}
print(scores["GRU"])
print(f"{'share of ceiling':16}" + "".join(f"{task:>8}" for task in battery.names))
for name, score in scores.items():
    print(f"{name:16}" + "".join(f"{task.share_of_ceiling:8.2f}" for task in score))
# --8<-- [end:evaluate]

# --8<-- [start:analyses]
import copy

gru = models["GRU"]
curves = lmrnn.psychometric(gru, battery, seed=1, tasks=["dlygo"], n_trials=200)
delays = curves.where(curves["axis"] == "delay")
for delay, accuracy in zip(delays["x"], delays["accuracy"]):
    print(f"delay {delay:4.0f} ms: accuracy {accuracy:.2f}")


def cell(inputs, states):  # (row, channel), a channel per rule last; (row, unit)
    channels, rules = inputs.split([battery.n_channels, battery.n_rules], dim=-1)
    x = torch.cat([channels, rules @ gru.rule.weight], dim=-1)
    return gru.gru(x[None], states[None])[1][0]


points = lmrnn.fixed_points(cell, task=battery["dlygo"], seed=1, n_units=64)
print(repr(points).splitlines()[0])

lesioned = copy.deepcopy(gru)
lesioned.gru = lmrnn.without_units(gru.gru, range(16))
print(lmrnn.evaluate(lesioned, battery, seed=1, n_trials=200)["dlygo"])
# --8<-- [end:analyses]

"""The battery in a PyTorch training loop: a GRU learns two tasks and is scored on held-out ones."""

# --8<-- [start:loop]
import torch

import lmrnn
import lmrnn.torch

battery = lmrnn.Battery("go,dlygo")
stream = battery.stream(batch=32, steps=60, seed=1)  # endless; batch b is the same on any machine

torch.manual_seed(1)
network = torch.nn.GRU(stream.n_inputs, 64)
readout = torch.nn.Linear(64, stream.n_classes)
optimiser = torch.optim.Adam([*network.parameters(), *readout.parameters()], 1e-2)

for inputs, targets, mask, info in lmrnn.torch.loader(stream, 200):
    states, _ = network(inputs)  # inputs: (time, row, channel), the rule in the last channels
    loss = lmrnn.torch.masked_cross_entropy(readout(states), targets, mask)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
# --8<-- [end:loop]
print(f"loss after 200 steps: {loss.item():.3f}")

# --8<-- [start:score]
test = battery.stream(batch=64, steps=60, seed=1, split="test")  # shares no trial with training
inputs, targets, mask, info = next(iter(lmrnn.torch.loader(test, 1)))
with torch.no_grad():
    answers = readout(network(inputs)[0]).argmax(dim=2)
decision = info["periods"] == lmrnn.stream.PERIODS.index("decision")
for number, name in enumerate(battery.names):
    steps = decision & (info["tasks"] == number)
    print(f"{name}: {(answers == targets)[steps].float().mean():.2f} of the decision steps are right")
# --8<-- [end:score]

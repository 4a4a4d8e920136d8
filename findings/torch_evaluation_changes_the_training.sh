#!/usr/bin/env bash
# PyTorch 2.15.0: an evaluation with a DataLoader that does not shuffle changes the training after it. (2026-11-30)
#
# A good guess: going through a DataLoader without shuffle, without workers and with a model in eval mode under
#               no_grad draws no random number. A run that is evaluated more often trains in the same way.
# Instead:      each iter(loader) draws a seed for workers from the global generator, also if there are none. One
#               more evaluation and all later noise, dropout and shuffles are others: the final weights differ, and
#               a run that is resumed without its evaluation, or that looks at one batch for a figure, does not
#               repeat the first one. Even `len(list(loader))` for a progress bar does it.
# What to do:   give loaders a generator of their own: DataLoader(..., generator=torch.Generator()).
. "$(dirname "$0")/torch.inc" numpy==2.2.6
observe <<'PYTHON'
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(64, 5)
targets = inputs.sum(dim=1, keepdim=True)
data = TensorDataset(inputs, targets)


def evaluate(network, **options):
    network.eval()
    with torch.no_grad():
        for x, y in DataLoader(data, batch_size=16, shuffle=False, num_workers=0, **options):
            torch.nn.functional.mse_loss(network(x), y)
    network.train()


def trained(every, **options):
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(5, 20), torch.nn.Dropout(0.5), torch.nn.Linear(20, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    batches = DataLoader(data, batch_size=16, shuffle=True)
    for epoch in range(20):
        for x, y in batches:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x), y).backward()
            optimizer.step()
        if every and (epoch + 1) % every == 0:
            evaluate(network, **options)
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def difference(first, second):
    return round(float((first - second).abs().max()), 3)


plain = trained(every=0)
same, evaluated = difference(plain, trained(every=0)), difference(plain, trained(every=5))
own = difference(plain, trained(every=5, generator=torch.Generator()))
print("PyTorch", torch.__version__)
print("largest difference of the final weights from those without evaluation:")
print("without evaluation again:", same, " with 4 evaluations:", evaluated)
print("with 4 evaluations, loaders with a generator of their own:", own)
torch.manual_seed(1)
first = torch.rand(3).tolist()
torch.manual_seed(1)
next(iter(DataLoader(data)))
after = torch.rand(3).tolist()
print("random numbers:", [round(x, 3) for x in first], " after one iter(loader):", [round(x, 3) for x in after])
assert same == own == 0 and evaluated > 0.01 and after[0] == first[2]
PYTHON

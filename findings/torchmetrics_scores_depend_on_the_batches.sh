#!/usr/bin/env bash
# torchmetrics 1.9.0: the accuracy of the same outputs of a network depends on the batch size. (2026-11-30)
#
# A good guess: a binary metric collects the outputs of all batches. Accuracy, F1 and AUROC of the same outputs and
#               answers are the same whatever the size of the batches.
# Instead:      each batch is looked at by itself: if all its values are between 0 and 1 they are probabilities, if
#               not they are logits. So the logits of some batches are passed through the sigmoid and those of others
#               are not. A logit of 0.2 means "yes" in one batch and "no" in the next. If the trials, which differ in
#               length, are evaluated one by one, the accuracy is 0.77 instead of 0.83, and AUROC is 0.80 instead of
#               0.90, as the order of the outputs changes. And as the sigmoid of 17 and more is 1 in float32, the
#               AUROC of large logits is 0.5 though they are in perfect order. No error, no warning. The
#               documentation says that the range decides, but not that each batch decides by itself.
# What to do:   pass torch.sigmoid(logits) (in float64 for AUROC), or the classes (logits > 0).int() for an accuracy.
. "$(dirname "$0")/torch.inc" numpy==2.2.6 torchmetrics==1.9.0
observe <<'PYTHON'
import torch
import torchmetrics
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinaryF1Score

torch.manual_seed(1)
answers = torch.randint(2, (2000,))
logits = (answers * 2 - 1) * 0.7 + 0.8 * torch.randn(2000)


def score(metric, outputs, size):
    metric = metric()
    for start in range(0, len(outputs), size):
        metric.update(outputs[start:start + size], answers[start:start + size])
    return round(float(metric.compute()), 3)


print("torchmetrics", torchmetrics.__version__, "PyTorch", torch.__version__)
seen = {}
for metric in (BinaryAccuracy, BinaryF1Score, BinaryAUROC):
    seen[metric] = [score(metric, logits, size) for size in (2000, 10, 4, 2, 1)]
    safe = {score(metric, torch.sigmoid(logits), size) for size in (2000, 10, 4, 2, 1)}
    print(f"{metric.__name__} of batches of 2000, 10, 4, 2, 1: {seen[metric]}, after torch.sigmoid: {safe}")
    assert safe == {seen[metric][0]} and seen[metric][-1] < seen[metric][0] - 0.01
right = round(float(((logits > 0) == answers).float().mean()), 3)
print("share of right answers:", right)
assert seen[BinaryAccuracy][0] == right and seen[BinaryAccuracy][-1] < right - 0.05

large = BinaryAUROC()(torch.tensor([20.0, 30.0, 40.0, 50.0]), torch.tensor([0, 0, 1, 1]))
print("AUROC of the logits 20, 30 (no) and 40, 50 (yes):", float(large))
assert large == 0.5
PYTHON

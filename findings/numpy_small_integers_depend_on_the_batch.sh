#!/usr/bin/env bash
# NumPy 2.4.6: int8, int16 and bool random numbers of one seed depend on how many are drawn at once. (2026-11-30)
#
# A good guess: 64 trials drawn one by one have the numbers of 64 trials drawn in one call, as holds for normal,
#               random, choice and poisson, and for integers of 32 and 64 bits.
# Instead:      a call of integers() with a small dtype takes 32 random bits, cuts them into 4 int8, 2 int16 or
#               32 bools and throws the rest away when the call ends. Choices of 0 and 1 as int8 that are drawn
#               trial by trial agree with those of one call in half of the trials, which is chance; in blocks of
#               10 they are others from the 11th on. All numbers drawn later from the same generator, of any
#               kind, are others, too. So a task in a loop and its vectorized version differ with the same seed,
#               if the choice is int8 to save memory. int32 keeps its rest for the next call.
# What to do:   random.integers(0, 2, n).astype(np.int8).
. "$(dirname "$0")/packages.inc" numpy==2.4.6
observe <<'PYTHON'
import numpy as np


def drawn(draw, blocks):
    """The numbers of these blocks, and a normal number afterwards."""
    random = np.random.default_rng(1)
    return np.concatenate([draw(random, n) for n in blocks]), random.normal()


def integers(dtype):
    return lambda random, n: random.integers(0, 2, n, dtype=dtype)


print("NumPy", np.__version__, "- trials of 64 that agree with those of one call, drawn by ones, by tens and in halves")
blocks = {"ones": [1] * 64, "tens": [10] * 6 + [4], "halves": [32, 32]}
draws = {np.dtype(t).name: integers(t) for t in (bool, np.int8, np.int16, np.int32, np.int64)} | {
    "normal": lambda random, n: random.normal(size=n),
    "float32": lambda random, n: random.random(n, dtype=np.float32),
    "choice": lambda random, n: random.choice(5, n, p=[0.1, 0.2, 0.3, 0.2, 0.2]),
    "poisson": lambda random, n: random.poisson(3, n),
}
agree = {}
for name, draw in draws.items():
    whole, after = drawn(draw, [64])
    parts = {how: drawn(draw, sizes) for how, sizes in blocks.items()}
    agree[name] = [int((values == whole).sum()) for values, _ in parts.values()]
    same_after = [bool(value == after) for _, value in parts.values()]
    print(f"{name:8} {agree[name]}  the normal number drawn next is the same: {same_after}")
    assert (agree[name] == [64, 64, 64] and all(same_after)) == (name not in ("bool", "int8", "int16"))
    assert name not in ("bool", "int8", "int16") or agree[name][0] < 45 and not same_after[0]
first = drawn(integers(np.int8), [64])[0] == drawn(integers(np.int8), blocks["tens"])[0]
print("int8 by tens: the first trial that differs is number", int(np.argmin(first)) + 1)
assert first[:10].all() and not first[10:].all()
PYTHON

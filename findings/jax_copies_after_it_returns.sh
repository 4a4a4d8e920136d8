#!/usr/bin/env bash
# JAX 0.10.2: jnp.array(batch, copy=True) reads the batch after it has returned. (2026-11-29)
#
# A good guess: jnp.array(batch, copy=True) is a copy once it returns, as numpy.array is. Only computations are
#               asynchronous. So a generator can fill its buffer with the next batch right away.
# Instead:      on the CPU, an array whose address is not a multiple of 64, as is common, is copied by another thread
#               later. If the buffer is filled again at once, the JAX array has the next batch, or a part of both.
#               Small arrays are usually copied in time, so that tests do not show it; batches of 40 MB are
#               nearly always wrong. It is a race: the same program trains on other data each time, without an
#               error. A jitted function that is given the NumPy array itself reads it late, too.
# What to do:   jax.block_until_ready(jnp.array(batch)) before the buffer changes, or a new NumPy array for each batch.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

size = 10_000_000
memory = np.zeros(4 * size + 128, np.uint8)
buffer = memory[-memory.ctypes.data % 64 + 16:][:4 * size].view("float32")
total = jax.jit(jnp.sum)
buffer[:] = 1
jax.block_until_ready(total(buffer))


def wrong(convert):
    """In how many of 10 batches of ones there is something of the next one, of twos; and the largest share of it."""
    shares = []
    for _ in range(10):
        buffer[:] = 1
        batch = convert(buffer)
        buffer[:] = 2
        shares.append(float(np.mean(np.asarray(batch) != 1)))
    return sum(share > 0 for share in shares), max(shares)


ways = {
    "numpy.array(batch)": np.array,
    "jnp.array(batch, copy=True)": lambda batch: jnp.array(batch, copy=True),
    "jnp.asarray(batch)": jnp.asarray,
    "block_until_ready(jnp.array(batch))": lambda batch: jax.block_until_ready(jnp.array(batch)),
}
print("JAX", jax.__version__, "NumPy", np.__version__)
seen = {name: wrong(way) for name, way in ways.items()}
for name, (count, share) in seen.items():
    print(f"{name}: {count} of 10 batches have numbers of the next one, at most {share:.0%} of them")
sums = []
for _ in range(10):
    buffer[:] = 1
    result = total(buffer)
    buffer[:] = 2
    sums.append(float(result) / size)
print("means of ten batches of ones, by jax.jit(jnp.sum)(batch):", *[round(mean, 2) for mean in sums])
counts = [count for count, _ in seen.values()]
assert counts[0] == counts[3] == 0 and counts[1] > 0 and counts[2] > 0 and max(sums) > 1
PYTHON

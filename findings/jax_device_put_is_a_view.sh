#!/usr/bin/env bash
# JAX 0.10.2: device_put(batch, may_alias=False) is a view of the NumPy array, or not, by its address. (2026-11-29)
#
# A good guess: JAX arrays never change. jax.device_put gives "a copy", and with may_alias=False the array "will be
#               copied", as its documentation says. So a generator can fill its buffer again for the next batch.
# Instead:      on the CPU, an array whose address is a multiple of 64 is not copied, with and without may_alias=False:
#               the JAX array changes when the buffer is filled again, and so does everything that was kept. At
#               other addresses it is a copy. Where NumPy puts an array depends on its size and on chance, so that it
#               happens with one batch size, or in one run, and not in another.
# What to do:   a new NumPy array for each batch, or jax.block_until_ready(jnp.array(batch)).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

memory = np.zeros(4096, np.uint8)
first = -memory.ctypes.data % 64


def after_refill(convert, address):
    """A batch of ones at an address that is this much above a multiple of 64; its buffer is filled with twos later."""
    buffer = memory[first + address:][:400].view("float32")
    buffer[:] = 1
    batch = jax.block_until_ready(convert(buffer))
    buffer[:] = 2
    return float(batch[0])


ways = {
    "device_put(batch)": jax.device_put,
    "device_put(batch, may_alias=False)": lambda batch: jax.device_put(batch, may_alias=False),
    "jnp.array(batch)": jnp.array,
}
print("JAX", jax.__version__, "NumPy", np.__version__)
seen = {name: [after_refill(way, address) for address in (0, 16)] for name, way in ways.items()}
for name, values in seen.items():
    print(f"{name} of ones, after the refill with twos, addresses 0 and 16 modulo 64: {values}")
assert list(seen.values()) == [[2, 1], [2, 1], [1, 1]]
random, changed = np.random.default_rng(1), 0
for _ in range(200):
    buffer = np.ones(int(random.integers(10, 100000)), "float32")
    batch = jax.block_until_ready(jax.device_put(buffer, may_alias=False))
    buffer[:] = 2
    changed += float(batch[0]) == 2
print("of 200 batches of random sizes, changed:", changed)
PYTHON

#!/usr/bin/env bash
# JAX 0.10.2: the cumulative sum of spike counts in uint8 wraps at 256, though their sum does not. (2026-12-01)
#
# A good guess: jnp.cumsum promotes small integers as NumPy and jnp.sum do, so its last value is the sum. Spikes and
#               counts are saved in 8 bits, and only arithmetic of two such arrays can wrap.
# Instead:      jnp.cumsum, cumprod, nancumsum, add.accumulate and x.cumsum() keep the type: the number of spikes up to
#               time t falls from 255 to 0 again and again. jnp.sum, prod, cumulative_sum and the cumsum of a bool
#               promote to 32 bits. The documentation of the argument dtype says so. A count of spikes over a window,
#               c[t + w] - c[t], is right again (modulo 256) as long as it is below 256, so tests with few spikes pass.
# What to do:   jnp.cumsum(counts, dtype=jnp.int32), or jnp.cumulative_sum(counts).
. "$(dirname "$0")/packages.inc" numpy==2.4.6 scipy==1.17.1 jax==0.10.2 jaxlib==0.10.2
observe <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

counts = np.random.default_rng(0).poisson(2, 1000).astype("uint8")
total = int(counts.sum())
print("JAX", jax.__version__, " spikes:", total)
as_sum = {"NumPy cumsum": np.cumsum(counts), "jnp.sum": jnp.sum(counts),
          "jnp.cumulative_sum": jnp.cumulative_sum(counts),
          "jnp.cumsum(dtype=int32)": jnp.cumsum(counts, dtype=jnp.int32),
          "jnp.cumsum of int32": jnp.cumsum(jnp.asarray(counts, "int32"))}
wrapped = {"jnp.cumsum": jnp.cumsum(counts), "jnp.nancumsum": jnp.nancumsum(counts),
           "jnp.add.accumulate": jnp.add.accumulate(jnp.asarray(counts)),
           "x.cumsum()": jnp.asarray(counts).cumsum()}
for name, values in (as_sum | wrapped).items():
    print(f"{name:24} {str(values.dtype):7} last value {int(values.ravel()[-1])}")
assert all(int(values.ravel()[-1]) == total for values in as_sum.values())
assert all(int(values[-1]) == total % 256 and values.dtype == "uint8" for values in wrapped.values())

falls = int((np.diff(np.asarray(jnp.cumsum(counts)).astype(int)) < 0).sum())
print("number of times that the cumulative count falls:", falls)
spikes = np.ones(300, bool)
print("cumsum of 300 spikes as bool:", int(jnp.cumsum(spikes)[-1]), " as uint8:",
      int(jnp.cumsum(spikes.astype("uint8"))[-1]), " as int8:", int(jnp.cumsum(spikes.astype("int8"))[-1]))
assert falls == total // 256
assert [int(jnp.cumsum(spikes.astype(kind))[-1]) for kind in ("bool", "uint8", "int8")] == [300, 44, 44]
PYTHON

#!/usr/bin/env bash
# joblib 1.6.0: cached functions that differ in an enclosed variable return each other's results. (2026-11-29)
#
# A good guess: Memory.cache knows two functions apart that a factory made with radius=1 and radius=2; their results
#               differ, and functools.lru_cache gives each a cache of its own.
# Instead:      a result is found by the module, the name and the source of the function and by its arguments. Enclosed
#               and global variables do not count, and there is no warning: with radius=2 you get the result of
#               radius=1, in this process and in all later ones. An analysis that is run again after a setting at the
#               top of the file has changed returns the old numbers.
# What to do:   pass everything that the result depends on as an argument.
. "$(dirname "$0")/packages.inc" joblib==1.6.0
observe <<'PYTHON'
import functools
import warnings

import joblib

memory = joblib.Memory("cache", verbose=0)
threshold = 0.5


def scorer(radius, cache):
    @cache
    def score(seed):
        return 100 * radius + seed

    return score


@memory.cache
def passed(accuracy):
    return accuracy >= threshold


print("joblib", joblib.__version__)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    cached = [scorer(radius, memory.cache)(seed=7) for radius in (1, 2, 3)]
    before = passed(0.7)
    threshold = 0.9
    after = passed(0.7)
plain = [scorer(radius, functools.cache)(seed=7) for radius in (1, 2, 3)]
print("radius 1, 2, 3, joblib.Memory:  ", cached)
print("radius 1, 2, 3, functools.cache:", plain)
print("0.7 passes 0.5:", before, " 0.7 passes 0.9:", after, " warnings:", len(caught))
assert cached == [107, 107, 107] and plain == [107, 207, 307] and before and after and not caught
PYTHON

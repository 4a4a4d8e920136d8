#!/usr/bin/env bash
# The kernels under valgrind's memcheck: reads outside of what was allocated, and results that depend
# on memory that nobody wrote. Sizes of units, trials and steps are multiples of nothing, so that
# every tail of every loop is entered.
#
#   tests/robustness/valgrind.sh [BUILD] [SHAPES]     default: build/release, 60 random shapes
#
# valgrind's processor has no AVX-512: dispatch finds avx2 and everything below by itself. (AVX-512
# is looked after by the address sanitizer, `ctest --preset sanitize`.) A build of the preset dev
# gives line numbers.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/release}
export LMRNN_TEST_SHAPES=${2:-60}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
memcheck() { # PROGRAM GTEST_FILTER
  local seconds=$SECONDS status=0
  valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
    "$build/tests/$1" --gtest_filter="$2" >"$log" 2>&1 || status=$?
  [ $status -eq 0 ] || { failed=1 && cat "$log"; }
  printf '%-48s %s  %4d s  exit %d\n' "${2%%:*}" "$(grep -E '^\[==========\] [0-9]+ tests? from .* ran' "$log" |
    sed -E 's/^\[=+\] ([0-9]+ tests?).*/\1/')" $((SECONDS - seconds)) $status
}

printf 'targets: '
valgrind --quiet "$build/src/cli/lmrnn" info | grep -i simd
memcheck test_properties 'RandomShapes.*:Adjointness.*:Symmetry.ATranslated*'
memcheck test_unit '*.KernelsAgree*:*.Recomputing*:*.ForwardAgrees*'
memcheck test_unit 'Noise/*:Noise.*:NormalSample.*'
memcheck test_unit 'Optimiser.*:Slices.*:BlockGradients.*'
exit $failed

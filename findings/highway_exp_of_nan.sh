#!/usr/bin/env bash
# Good guess: hn::Exp(NaN) is NaN, as std::exp(NaN) is; a kernel that uses it lets divergence through.
# Instead:    it is 0, on the portable target as on AVX2: the last step zeroes whatever is not at or above the
#             smallest argument, and a NaN is not. softplus, written as max(x, 0) + log1p(exp(-|x|)), is then 0
#             or NaN depending on the order of the arguments of max.
# Package:    Highway 1.0.3 (Debian 12's libhwy-dev 1.0.3-3+deb12u1), g++ 12; seen on 2026-11-29.
# Needs:      apt-get download (a package index), g++; the second line needs a processor with AVX2.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

version=1.0.3-3+deb12u1
for package in libhwy-dev libhwy1; do
  apt-get download -q "$package:amd64=$version" >/dev/null 2>messages || { cat messages >&2; exit 1; }
done
for file in *.deb; do dpkg-deb -x "$file" root; done

cat >program.cpp <<'END'
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstdio>

HWY_BEFORE_NAMESPACE();
namespace on_target {
namespace hn = hwy::HWY_NAMESPACE;
const hn::CappedTag<float, 4> d;
float first(hn::Vec<decltype(d)> v) { return hn::GetLane(v); }
float exp(float x) { return first(hn::Exp(d, hn::Set(d, x))); }
float softplus(float x, bool zero_first) {
  const auto u = hn::Set(d, x), zero = hn::Zero(d);
  const auto larger = zero_first ? hn::Max(zero, u) : hn::Max(u, zero);
  return first(hn::Add(larger, hn::Log1p(d, hn::Exp(d, hn::Neg(hn::Abs(u))))));
}
}  // namespace on_target
HWY_AFTER_NAMESPACE();

int main() {
  volatile float nan = std::nanf("");
  std::printf("%s: exp(NaN) = %g (std: %g), softplus(NaN) = %g or %g\n", hwy::TargetName(HWY_TARGET),
              on_target::exp(nan), std::exp(nan), on_target::softplus(nan, false), on_target::softplus(nan, true));
}
END

flags="-std=c++17 -O1 -Iroot/usr/include"
library=$(find root -name 'libhwy.so.1*' -type f -o -name 'libhwy.a' | head -1)
echo "Highway $version, $(g++ --version | head -1)"
g++ $flags -DHWY_COMPILE_ONLY_STATIC program.cpp "$library" -o portable
programs=portable
if grep -q avx2 /proc/cpuinfo; then
  g++ $flags -march=haswell -maes -DHWY_COMPILE_ONLY_STATIC program.cpp "$library" -o avx2
  programs+=" avx2"
fi
seen=$(for program in $programs; do LD_LIBRARY_PATH=$(dirname "$library") ./$program; done)
echo "$seen"
if grep -qv 'exp(NaN) = 0 (std: nan)' <<<"$seen"; then
  echo "CHANGED: this is not what was seen on 2026-11-29 any more" >&2
  exit 1
fi

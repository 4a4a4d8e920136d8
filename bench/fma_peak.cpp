#include "fma_peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fma_peak.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lmrnn::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Latency times throughput is 10 on current x86 (5 cycles, 2 units at most); with the two operands
// 12 chains fit the 16 registers of AVX2.
constexpr std::size_t n_chains = 12;

/// Runs `n` rounds of n_chains multiply-adds; returns the operations done.
double multiply_add(std::int64_t n, float* sink) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  // Tends to 1 / (1 - 0.5) * 0.25: neither overflows nor becomes subnormal, which would be slow.
  const V factor = hn::Set(d, 0.5f), term = hn::Set(d, 0.25f);
  V c0 = hn::Zero(d), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
  V c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
  for (std::int64_t i = 0; i < n; ++i) {
    c0 = hn::MulAdd(c0, factor, term);
    c1 = hn::MulAdd(c1, factor, term);
    c2 = hn::MulAdd(c2, factor, term);
    c3 = hn::MulAdd(c3, factor, term);
    c4 = hn::MulAdd(c4, factor, term);
    c5 = hn::MulAdd(c5, factor, term);
    c6 = hn::MulAdd(c6, factor, term);
    c7 = hn::MulAdd(c7, factor, term);
    c8 = hn::MulAdd(c8, factor, term);
    c9 = hn::MulAdd(c9, factor, term);
    c10 = hn::MulAdd(c10, factor, term);
    c11 = hn::MulAdd(c11, factor, term);
#if HWY_COMPILER_GCC && HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
    // All chains start equal: without this, the compiler keeps only one of them.
    asm volatile(""
                 : "+v"(c0.raw), "+v"(c1.raw), "+v"(c2.raw), "+v"(c3.raw), "+v"(c4.raw),
                   "+v"(c5.raw), "+v"(c6.raw), "+v"(c7.raw), "+v"(c8.raw), "+v"(c9.raw),
                   "+v"(c10.raw), "+v"(c11.raw));
#endif
  }
  for (const V& chain : {c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11}) c0 = hn::Add(c0, chain);
  *sink = hn::GetLane(hn::SumOfLanes(d, c0));
  return 2.0 * static_cast<double>(n) * n_chains * static_cast<double>(hn::Lanes(d));
}

}  // namespace lmrnn::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lmrnn::bench {

HWY_EXPORT(multiply_add);

double fma_peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto kernel = HWY_DYNAMIC_DISPATCH(multiply_add);
  volatile float keep = 0;
  float sink = 0;
  double best = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    const auto start = Clock::now();
    const double operations = kernel(1'000'000, &sink);
    keep = sink;
    best = std::max(best, operations / std::chrono::duration<double>(Clock::now() - start).count());
  }
  static_cast<void>(keep);
  return best;
}

}  // namespace lmrnn::bench
#endif

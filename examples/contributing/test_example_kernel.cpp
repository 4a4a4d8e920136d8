// An example of a kernel: a readable twin, the SIMD version for every instruction set, and the test
// that compares them. docs/contributing/index.md explains it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "examples/contributing/test_example_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which includes this file once per instruction set:
#include <hwy/highway.h>

#include <cstddef>

#include "kernels/dispatch.hpp"

// --8<-- [start:simd]
HWY_BEFORE_NAMESPACE();
namespace lmrnn::example::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void leak(float alpha, const float* rate, float* state, std::size_t n) {
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, alpha), rest = hn::Set(d, 1 - alpha);
  const std::size_t width = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + width <= n; i += width) {
    const auto driven = hn::Mul(a, hn::LoadU(d, rate + i));
    hn::StoreU(hn::MulAdd(rest, hn::LoadU(d, state + i), driven), d, state + i);
  }
  for (; i < n; ++i) state[i] = (1 - alpha) * state[i] + alpha * rate[i];
}

}  // namespace lmrnn::example::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
// --8<-- [end:simd]

#if HWY_ONCE
#include <gtest/gtest.h>

#include <vector>

#include "lmrnn/simd.hpp"

namespace lmrnn::example {

// --8<-- [start:dispatch]
HWY_EXPORT(leak);

/// state <- (1 - alpha) state + alpha rate, for n units.
void leak(float alpha, const float* rate, float* state, std::size_t n) noexcept {
  LMRNN_DISPATCH(leak)(alpha, rate, state, n);
}
// --8<-- [end:dispatch]

// --8<-- [start:reference]
template <class T>
void leak_reference(T alpha, const T* rate, T* state, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) state[i] = (1 - alpha) * state[i] + alpha * rate[i];
}
// --8<-- [end:reference]

// --8<-- [start:test]
TEST(ExampleKernel, EveryTargetAgreesWithTheReference) {
  for (const std::string_view target : simd_targets()) {
    choose_simd(target);
    for (const std::size_t n : {0u, 1u, 7u, 16u, 67u}) {
      std::vector<float> rate(n), state(n);
      for (std::size_t i = 0; i < n; ++i) {
        rate[i] = static_cast<float>(i % 5) - 1.5f;
        state[i] = static_cast<float>(i % 7) / 3;
      }
      std::vector<float> wanted = state;
      leak_reference(0.3f, rate.data(), wanted.data(), n);
      leak(0.3f, rate.data(), state.data(), n);
      for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(state[i], wanted[i], 1e-6f) << target;
    }
  }
  choose_simd("auto");
}
// --8<-- [end:test]

}  // namespace lmrnn::example
#endif

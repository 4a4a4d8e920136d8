// Loops of the kernels over lanes and groups of rows. Included once per SIMD target, after
// hwy/foreach_target.h.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/row_groups.hpp"

#if defined(LMRNN_KERNELS_LANES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef LMRNN_KERNELS_LANES_INL_HPP
#undef LMRNN_KERNELS_LANES_INL_HPP
#else
#define LMRNN_KERNELS_LANES_INL_HPP
#endif

HWY_BEFORE_NAMESPACE();
namespace lmrnn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Keeps a loaded vector in its register. Otherwise GCC folds the load into each use, and loads are
/// the bottleneck of these loops.
template <class V>
HWY_INLINE V in_register(V v) {
#if HWY_COMPILER_GCC && HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  asm("" : "+v"(v.raw));
#endif
  return v;
}

/// Prefetches rows of (row, lane) arrays. States come from main memory, and the processor's own
/// prefetching stops at each page, which is 32 rows.
HWY_INLINE void prefetch_rows(const float* array, const std::uint32_t* rows, std::size_t n_rows,
                              std::size_t n_lanes, std::size_t lane, std::size_t n) {
  constexpr std::size_t line = 64 / sizeof(float);
  for (std::size_t r = 0; r < n_rows; ++r)
    for (std::size_t k = 0; k < n; k += line) hwy::Prefetch(array + rows[r] * n_lanes + lane + k);
}

/// Calls body(d, std::integral_constant<std::size_t, n_vectors>, first_lane) until all lanes are
/// covered: two vectors at a time, which with the four rows of a group makes eight sums, as many as
/// AVX2 has registers for, and a single vector at the end if their number is odd.
template <class D, class Body>
HWY_INLINE void for_vectors(D d, std::size_t n_lanes, Body&& body) {
  const std::size_t width = hn::Lanes(d);
  std::size_t lane = 0;
  for (; lane + 2 * width <= n_lanes; lane += 2 * width)
    body(d, std::integral_constant<std::size_t, 2>(), lane);
  if (lane < n_lanes) body(d, std::integral_constant<std::size_t, 1>(), lane);
}

template <class Body>
HWY_INLINE void for_lanes(std::size_t n_lanes, Body&& body) {
  if (n_lanes % 16 == 0) {
    for_vectors(hn::CappedTag<float, 16>(), n_lanes, body);
  } else if (n_lanes == 8) {
    for_vectors(hn::CappedTag<float, 8>(), n_lanes, body);
  } else {
    for_vectors(hn::CappedTag<float, 4>(), n_lanes, body);
  }
}

}  // namespace lmrnn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

// Calls kernels on the SIMD target of the calling thread (lmrnn/simd.hpp).
//
// Highway's own HWY_DYNAMIC_DISPATCH has one choice for the whole process, so a run that pins its
// target would change the kernels of every other run. We still use Highway's tables: HWY_EXPORT(f),
// then LMRNN_DISPATCH(f)(arguments).
#pragma once

#include <hwy/targets.h>

#include <cstddef>
#include <cstdint>

#include "core/simd_choice.hpp"

namespace lmrnn::kernels {

/// Index into the tables of HWY_EXPORT. Always inlined, like Highway's own, because it depends on
/// the targets of the file that is being compiled.
HWY_INLINE std::size_t dispatch_index() noexcept {
  const std::int64_t chosen = simd_of_thread();
  if (chosen == 0) return hwy::GetChosenTarget().GetIndex();  // the best of the machine
  const std::int64_t bits = HWY_CHOSEN_TARGET_SHIFT(chosen) | HWY_CHOSEN_TARGET_MASK_SCALAR;
  return hwy::Num0BitsBelowLS1Bit_Nonzero64(
      static_cast<std::uint64_t>(bits & HWY_CHOSEN_TARGET_MASK_TARGETS));
}

}  // namespace lmrnn::kernels

#if HWY_IDE || ((HWY_TARGETS & (HWY_TARGETS - 1)) == 0)  // one target: there is no table
#define LMRNN_DISPATCH(function) HWY_STATIC_DISPATCH(function)
#else
#define LMRNN_DISPATCH(function) \
  (*(HWY_DISPATCH_TABLE(function)[::lmrnn::kernels::dispatch_index()]))
#endif

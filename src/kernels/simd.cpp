#include "lmrnn/simd.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <string>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

/// The processor's own word for a target where Highway's differs from it.
std::string_view name_of_target(std::int64_t target) {
  switch (target) {
#if HWY_ARCH_X86
    case HWY_AVX3_DL:
      return "avx512-dl";
    case HWY_AVX3:
      return "avx512";
    case HWY_AVX2:
      return "avx2";
    case HWY_SSE4:
      return "sse4";
    case HWY_SSSE3:
      return "ssse3";
#endif
#if HWY_ARCH_ARM
    case HWY_SVE2_128:
      return "sve2-128";
    case HWY_SVE_256:
      return "sve-256";
    case HWY_SVE2:
      return "sve2";
    case HWY_SVE:
      return "sve";
    case HWY_NEON:
      return "neon";
#endif
    case HWY_SCALAR:  // in builds without HWY_EMU128
    case HWY_EMU128:
      return "baseline";
    default:
      return hwy::TargetName(target);
  }
}

void apply(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);  // 0: whatever the processor has
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

std::vector<std::int64_t> all_targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

std::vector<std::string_view> simd_targets() {
  std::vector<std::string_view> names;
  for (const std::int64_t target : all_targets()) names.push_back(name_of_target(target));
  return names;
}

std::string_view simd_target() {
  return name_of_target(hwy::SupportedAndGeneratedTargets().front());
}

void choose_simd(std::string_view name) {
  const auto targets = all_targets();  // before any restriction
  if (name == "auto") return apply(0);
  std::string known = "auto";
  for (const std::int64_t target : targets) {
    if (name_of_target(target) == name) return apply(target);
    known += ", " + std::string(name_of_target(target));
  }
  throw UsageError("simd = \"" + std::string(name) + "\" is not to be had here; this machine has " +
                   known);
}

}  // namespace lmrnn

#include "lmrnn/simd.hpp"

#include <hwy/highway.h>

#include <string>

#include "core/simd_choice.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

/// The processor vendor's name for a target if Highway's differs from it. CMakeLists.txt disables
/// the other targets.
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
#endif
#if HWY_ARCH_ARM
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

// Independent of the choice of any thread: Highway's default comes first.
const std::vector<std::int64_t>& all_targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

std::int64_t target_of(std::string_view name) {
  if (name == "auto") return 0;
  std::string known = "auto";
  for (const std::int64_t target : all_targets()) {
    if (name_of_target(target) == name) return target;
    known += ", " + std::string(name_of_target(target));
  }
  throw UsageError("simd = \"" + std::string(name) +
                   "\" is not available on this machine; it has " + known);
}

}  // namespace

std::vector<std::string_view> simd_targets() {
  std::vector<std::string_view> names;
  for (const std::int64_t target : all_targets()) names.push_back(name_of_target(target));
  return names;
}

std::string_view simd_target() {
  const std::int64_t chosen = simd_of_thread();
  return name_of_target(chosen == 0 ? all_targets().front() : chosen);
}

void choose_simd(std::string_view name) {
  set_simd_of_thread(target_of(name));
}

SimdScope::SimdScope(std::string_view name) : before_(simd_of_thread()) {
  choose_simd(name);
}
SimdScope::~SimdScope() {
  set_simd_of_thread(before_);
}

}  // namespace lmrnn

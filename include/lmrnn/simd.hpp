// Which SIMD instructions the kernels use. Chosen at run time; the same target gives the same bits.
//
// The choice belongs to the thread that makes it, and to the work that a ThreadPool does for that
// thread. Threads do not see each other's choices, so runs that pin different targets can live side
// by side in one process. Every function here may be called from any thread at any time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lmrnn {

/// Targets that this build has and this processor can run, best first, e.g. {"avx2", "sse4",
/// "baseline"}.
std::vector<std::string_view> simd_targets();

/// The target that the calling thread uses.
std::string_view simd_target();

/// Makes the calling thread use the target `name` ("auto": the best) from now on. Throws
/// UsageError, listing what there is, for any other name.
void choose_simd(std::string_view name);

/// Makes the calling thread use the target `name` for as long as the object lives; then the one
/// that it used before.
///
/// Threads: must not be shared; the thread that made it destroys it, last made first.
class SimdScope {
 public:
  /// Throws as choose_simd does.
  explicit SimdScope(std::string_view name);
  ~SimdScope();
  SimdScope(const SimdScope&) = delete;
  SimdScope& operator=(const SimdScope&) = delete;

 private:
  std::int64_t before_;
};

}  // namespace lmrnn

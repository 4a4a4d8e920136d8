// The SIMD instructions of the kernels, chosen at run time; the same target gives the same bits.
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
/// UsageError, which lists the available targets, for any other name.
void choose_simd(std::string_view name);

/// Makes the calling thread use the target `name` as long as this object exists; then the thread
/// uses its previous target again.
///
/// Threads: must not be shared; the thread that made it destroys it, the last one made first.
class SimdScope {
 public:
  /// Throws like choose_simd.
  explicit SimdScope(std::string_view name);
  ~SimdScope();
  SimdScope(const SimdScope&) = delete;
  SimdScope& operator=(const SimdScope&) = delete;

 private:
  std::int64_t before_;
};

}  // namespace lmrnn

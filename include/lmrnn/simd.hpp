// Which SIMD instructions the kernels use. Chosen at run time; the same target gives the same bits.
#pragma once

#include <string_view>
#include <vector>

namespace lmrnn {

/// Targets that this build has and this processor can run, best first, e.g. {"avx2", "sse4",
/// "ssse3", "sse2"}.
std::vector<std::string_view> simd_targets();

/// The target in use.
std::string_view simd_target();

/// Uses the target `name` ("auto": the best) from now on, in the whole process. Not to be called
/// while a computation runs. Throws UsageError, listing what there is, for any other name.
void choose_simd(std::string_view name);

}  // namespace lmrnn

// The class that a network answers at one time step.
#pragma once

#include <cstdint>
#include <span>

#include "lmrnn/array.hpp"

namespace lmrnn {

/// argmax over classes of logits (time, class, trial) at `step`, per trial; the lowest class wins a
/// tie. `best` is scratch; both spans hold at least the trials of `logits`.
void most_likely_classes(View3<const float> logits, std::size_t step, std::span<float> best,
                         std::span<std::int32_t> classes) noexcept;

}  // namespace lmrnn

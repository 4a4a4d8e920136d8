#include <cstring>
#include <limits>

#include "kernels/drive.hpp"

namespace lmrnn::kernels {
namespace {

/// Whether one of the four values is not 0. Tests the bits, all of them but the signs at once: that
/// takes a fraction of the time of four comparisons.
bool any_active(const float* x) noexcept {
  constexpr std::uint64_t all_but_signs = 0x7fffffff'7fffffff;
  std::uint64_t pairs[2];
  std::memcpy(pairs, x, sizeof pairs);
  return ((pairs[0] | pairs[1]) & all_but_signs) != 0;
}

}  // namespace

void ActiveInputs::list(const TrialArray<const float>& inputs, std::size_t first,
                        std::size_t n_steps, std::size_t n_lanes) {
  inputs_ = inputs;
  first_ = first;
  n_steps_ = n_steps;
  n_lanes_ = n_lanes;
  const std::size_t n_cells = n_steps * n_lanes, alone = n_alone(), all = n_bundles();
  // Buffers only grow: a block's first steps must not shrink what its later steps need.
  if (n_active_.size() < n_cells) n_active_.resize(n_cells);
  if (active_.size() < n_cells * all) active_.resize(n_cells * all);
  std::size_t cell = 0;
  for (std::size_t step = 0; step < n_steps; ++step)
    for (std::size_t lane = 0; lane < n_lanes; ++lane, ++cell) {
      std::uint32_t* list = active_.data() + cell * all;
      std::uint32_t n = 0;
      if (lane < n_trials()) {
        const float* x = values(step, lane);
        for (std::uint32_t b = 0; b < alone; ++b, ++x) {
          list[n] = b;
          n += *x != 0;
        }
        for (auto b = static_cast<std::uint32_t>(alone); b < all; ++b, x += bundle) {
          list[n] = b;
          n += any_active(x);
        }
      }
      n_active_[cell] = n;
    }
}

void ActiveInputs::list_cells(const TrialArray<const float>& inputs, std::size_t first,
                              std::size_t n_steps, std::size_t n_lanes) {
  list(inputs, first, n_steps, n_lanes);
  cells_.resize(n_bundles());
  for (auto& cells : cells_) cells.clear();
  LMRNN_CHECK_FITS(n_steps * inputs.step_stride + inputs.n_trials * inputs.trial_stride,
                   std::numeric_limits<std::uint32_t>::max(), "a chunk of inputs is too far apart");
  for (std::size_t step = 0; step < n_steps; ++step)
    for (std::size_t trial = 0; trial < inputs.n_trials; ++trial) {
      const std::size_t cell = step * n_lanes + trial;
      const std::size_t at = step * inputs.step_stride + trial * inputs.trial_stride;
      for (std::size_t k = 0; k < n_active_[cell]; ++k)
        cells_[active(cell)[k]].push_back(
            {static_cast<std::uint32_t>(cell), static_cast<std::uint32_t>(at)});
    }
}

}  // namespace lmrnn::kernels

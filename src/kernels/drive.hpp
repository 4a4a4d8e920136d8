// The drive of units from outside: bias, rules and inputs.
//
// Unlike the other kernels of blocks of trials, these process one trial after another, with units
// as the SIMD dimension. That costs a transposition, but inputs are 0 most of the time (a ring is
// silent outside its stimuli), and the trials of a block are at different stages: a channel is
// often silent in one trial, but hardly ever in all of them. A rule is already a row. Units are
// padded to whole groups. Inputs of 0 are skipped, so 0 * infinity adds nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/one_trial.hpp"
#include "lmrnn/array.hpp"
#include "lmrnn/check.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn::kernels {

/// Units are in groups of this many, a multiple of RowSlices::width.
constexpr std::size_t drive_units = 64;
constexpr std::size_t padded_drive_units(std::size_t n_units) {
  return (n_units + drive_units - 1) / drive_units * drive_units;
}

/// Units that a kernel should compute: [first, last), limited to existing units. Both are multiples
/// of `drive_units`, except for the end.
struct UnitRange {
  std::size_t first = 0, last = std::numeric_limits<std::size_t>::max();
};

/// Which inputs of some time steps are not silent, by cell; the inputs themselves stay in the
/// caller's array. A cell is a lane at a time step, number step * n_lanes + lane. Channels form
/// bundles of four, which count as silent only together; the remaining channels are bundles of one,
/// and come first, because the fixation channel comes before the rings.
class ActiveInputs {
 public:
  static constexpr std::size_t bundle = 4;

  /// Lists steps first ... first + n_steps - 1 of `inputs`, which must outlive this object.
  void list(const TrialArray<const float>& inputs, std::size_t first, std::size_t n_steps,
            std::size_t n_lanes);
  /// The same, and for each bundle the cells in which it is not silent.
  void list_cells(const TrialArray<const float>& inputs, std::size_t first, std::size_t n_steps,
                  std::size_t n_lanes);

  std::size_t n_channels() const noexcept { return inputs_.n_items; }
  std::size_t n_lanes() const noexcept { return n_lanes_; }
  std::size_t n_trials() const noexcept { return inputs_.n_trials; }
  std::size_t n_steps() const noexcept { return n_steps_; }
  std::size_t n_bundles() const noexcept { return n_alone() + n_channels() / bundle; }
  /// Number of bundles of one channel.
  std::size_t n_alone() const noexcept { return n_channels() % bundle; }
  std::size_t first_channel(std::size_t b) const noexcept {
    return b < n_alone() ? b : n_alone() + bundle * (b - n_alone());
  }
  /// (channel)
  const float* values(std::size_t step, std::size_t trial) const noexcept {
    LMRNN_CHECK_INDEX(step, n_steps_, "this step was never listed");
    return inputs_.at(first_ + step, trial);
  }
  std::size_t n_active(std::size_t cell) const noexcept {
    check(cell);
    return n_active_[cell];
  }
  const std::uint32_t* active(std::size_t cell) const noexcept {
    check(cell);
    return active_.data() + cell * n_bundles();
  }
  struct Cell {
    std::uint32_t cell;
    std::uint32_t values;  ///< of the cell's values: offset in floats from values(0, 0)
  };
  const std::vector<Cell>& cells_of(std::size_t b) const noexcept {
    LMRNN_CHECK_INDEX(b, cells_.size(), "this bundle's cells were never listed");
    return cells_[b];
  }

 private:
  void check([[maybe_unused]] std::size_t cell) const noexcept {
    LMRNN_CHECK_INDEX(cell, n_steps_ * n_lanes_, "this cell was never listed");
    LMRNN_CHECK_FITS((cell + 1) * n_bundles(), active_.size(),
                     "lists were sized for fewer channels");
  }

  TrialArray<const float> inputs_;
  std::size_t first_ = 0, n_steps_ = 0, n_lanes_ = 0;
  std::vector<std::uint32_t> n_active_, active_;  ///< (cell), (cell, bundle)
  std::vector<std::vector<Cell>> cells_;          ///< (bundle)
};

/// drive[i, l] = bias[i] + sum_s rules[rule[s, l], i] + sum_c W_in[i, c] x[c, l]; 0 in lanes of
/// padding.
struct DriveStep {
  std::size_t n_units;
  const ActiveInputs* inputs;
  std::size_t step;            ///< of `inputs`
  const float* input_weights;  ///< (slice, channel, row of slice), whole groups
  const float* bias;           ///< (padded unit)
  const float* rule_weights;   ///< (rule, padded unit)
  /// (time, trial, slot); -1: none. Of all steps of the network; this step is `rule_step`.
  TrialArray<const std::int32_t> rules;
  std::size_t rule_step;
  float* drive;  ///< (padded unit, lane)
  UnitRange range = {};
  /// (lane) or nullptr; not 0: `drive` is already right, because nothing has changed since the last
  /// step.
  const std::uint8_t* unchanged = nullptr;
};
void drive_step(const DriveStep& step) noexcept;

/// Adds the gradients of some time steps: deltas[t] (unit, lane) is the gradient with respect to
/// the drive. Lanes of padding are ignored.
struct DriveGradient {
  std::size_t n_units;
  const ActiveInputs* inputs;            ///< of the same steps; cells listed
  const float* const* deltas;            ///< (step) -> (unit, lane)
  TrialArray<const std::int32_t> rules;  ///< (time, trial, slot)
  std::size_t first_step;                ///< the first of `inputs`, as an index into `rules`
  float* scratch;                        ///< drive_gradient_scratch(n_cells)
  float* input_gradient;                 ///< (slice, channel, row of slice), whole groups
  float* bias_gradient;                  ///< (padded unit)
  float* rule_gradient;                  ///< (rule, padded unit)
  UnitRange range = {};
};
constexpr std::size_t drive_gradient_scratch(std::size_t n_cells) {
  return n_cells * 2 * RowSlices::width;
}
void add_drive_gradient(const DriveGradient& gradient) noexcept;

}  // namespace lmrnn::kernels

// Kernels for a single trial, where units take the place of trials as the SIMD dimension.
//
// A slice is 16 consecutive rows. On a sheet, the sources of a slice at the same displacement are
// adjacent in memory, so one load reads them: a run. Gaps in runs (borders of the sheet) get zero
// weights. Sources are gathered if their runs would be nearly empty, and so more expensive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/row_groups.hpp"
#include "kernels/steps.hpp"

namespace lmrnn::kernels {

/// Pattern of a (row, column) matrix, by slices. Entries are packed slice by slice, and within a
/// slice: runs (run, row of slice), gathered (gather, row of slice).
struct RowSlices {
  static constexpr std::size_t width = 16;
  struct Slice {
    std::uint32_t n_runs, n_gathers;
    std::uint32_t first_entry;   ///< into packed entries
    std::uint32_t first_run;     ///< into `run_starts`
    std::uint32_t first_gather;  ///< into `gathered`, in units of `width`
  };
  std::vector<Slice> slices;
  /// Column of the run's first row plus `margin`: never negative.
  std::vector<std::uint32_t> run_starts;
  std::vector<std::uint32_t> gathered;      ///< (gather, row of slice): columns plus `margin`
  std::vector<std::uint32_t> source_index;  ///< packed entry -> weight, or RowGroups::filled

  /// Zeros that a vector of columns must have before its first and after its last element, because
  /// runs may reach beyond the ends.
  static constexpr std::size_t margin = width;
  std::size_t n_entries() const noexcept { return source_index.size(); }
};

RowSlices slice_rows(std::size_t n_rows, std::span<const Entry> entries);

/// Time steps whose inputs, and whose outputs, are multiplied together, so that the weights of the
/// product are loaded once for all of them.
constexpr std::size_t steps_together = 4;

/// currents[t][i] = sum_c W_in[i, c] inputs[t][c]. Channels that are 0 in all steps are skipped.
struct InputCurrents {
  std::size_t n_slices, n_channels;
  const float* weights;                             ///< (slice, channel, row of slice)
  std::array<const float*, steps_together> inputs;  ///< (step) -> (channel)
  std::array<float*, steps_together> currents;      ///< (step) -> (unit), whole slices
};
void input_currents(const InputCurrents& product) noexcept;

/// state = (1 - alpha) previous + alpha f(drive + current + recurrent), for one trial; see
/// ForwardStep for other equations.
struct OneTrialStep {
  const RowSlices* recurrent;
  const float* weights;          ///< packed
  const float *drive, *current;  ///< (unit), whole slices
  const float* previous;         ///< (unit) with a margin on either side; points to unit 0
  float* state;                  ///< (unit), whole slices; not `previous`
  float alpha;
  Nonlinearity nonlinearity;
  StateEquation equation = StateEquation::rate;
  float* voltage = nullptr;  ///< (unit), whole slices, in and out; only for `voltage`
};
void one_trial_step(const OneTrialStep& step) noexcept;

/// outputs[t][r] = offset[r] + sum_c weights[r, c] sources[t][c], a dense matrix.
struct DenseOutputs {
  std::size_t n_rows, n_columns;
  const float* weights;                              ///< (row, column)
  const float* offset;                               ///< (row)
  std::array<const float*, steps_together> sources;  ///< (step) -> (column)
  std::array<float*, steps_together> outputs;        ///< (step) -> (row)
};
void dense_outputs(const DenseOutputs& product) noexcept;

}  // namespace lmrnn::kernels

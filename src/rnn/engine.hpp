// Time loops over the kernels: what happens to one block of trials. Private to the module.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/drive.hpp"
#include "kernels/one_trial.hpp"
#include "kernels/row_groups.hpp"
#include "kernels/steps.hpp"
#include "lmrnn/array.hpp"
#include "lmrnn/check.hpp"
#include "lmrnn/network.hpp"

namespace lmrnn::rnn {

/// A weight matrix as the kernels want it: its pattern and the packed copy of its weights.
struct PackedMatrix {
  kernels::RowGroups pattern;
  Buffer<float> weights;

  kernels::Term term(const float* source) const { return {&pattern, weights.data(), source}; }
};

/// W_in, W_rule and b as kernels want them that have units as the SIMD dimension: whole groups of
/// kernels::drive_units.
struct DriveWeights {
  std::vector<std::uint32_t> input_index;  ///< (slice, channel, row of slice)
  Buffer<float> input, rule, bias;         ///< rule: (rule, padded unit)
};

/// W as the kernels for a single trial want it.
struct OneTrialMatrix {
  kernels::RowSlices pattern;
  Buffer<float> weights;
};

/// All matrices of a network, forward and transposed. `index`es of the patterns point into the flat
/// array of parameters.
struct PackedNetwork {
  /// `representation` is not `automatic`.
  PackedNetwork(const Architecture& architecture, Representation representation);
  void pack(std::span<const float> parameters);

  ParameterLayout layout;
  std::size_t n_units, n_rules;
  PackedMatrix recurrent, recurrent_transposed, readout, readout_transposed;
  DriveWeights drive;
  OneTrialMatrix one_trial;
  Buffer<float> readout_bias;
};

/// Time steps whose gradients are summed in one go (kernels::OuterProduct).
inline constexpr std::size_t chunk_steps = 8;

/// A sequence of (unit, lane) arrays, one per time step.
class Planes {
 public:
  void resize(std::size_t n_planes, std::size_t n_cells);
  /// Plane k, of which the caller uses `n_cells`.
  float* at(std::size_t k, std::size_t n_cells) {
    LMRNN_CHECK_INDEX(k, n_planes_, "this plane was never made");
    LMRNN_CHECK_FITS(n_cells, n_cells_, "planes were sized for a smaller block");
    return values_.data() + k * stride_;
  }

 private:
  Buffer<float> values_;
  std::size_t n_planes_ = 0, n_cells_ = 0;
  std::size_t stride_ = 0;  ///< floats from one plane to the next
};

/// A block being computed: sizes, inputs by lane, and buffers that live on between calls. Blocks
/// and networks of other sizes follow each other in one BlockRun, so every buffer is given its size
/// again for each block, where the block begins (`begin`, `reserve`), and nowhere "if it is empty".
struct BlockRun {
  const Architecture* architecture = nullptr;
  const PackedNetwork* packed = nullptr;
  const float* parameters = nullptr;  ///< flat, as in ParameterLayout
  TrialBlock block;
  RecurrentNoise noise;
  std::size_t n_lanes = 0;

  kernels::ActiveInputs inputs_now;  ///< of a step
  Buffer<float> drive;               ///< (padded unit, lane)
  Buffer<float> noise_of_trial;      ///< (unit)
  Buffer<float> state, previous;     ///< (unit, lane), where states are not kept
  Buffer<float> afresh;              ///< (unit, lane): a state with lanes that begin afresh at 0

  // Backward; indexed by time from the beginning of the segment now kept:
  std::size_t segment_first = 0;
  Planes kept;                  ///< kept[k]: the state before step k
  Buffer<float> logits;         ///< (class, lane)
  Buffer<float> dlogits;        ///< (time, class, lane)
  Planes deltas;                ///< of a chunk and the step after it, in turns: see delta_at
  Planes cleared;               ///< of a chunk: states before steps where trials begin
  Buffer<float> cleared_delta;  ///< (unit, lane)
  Buffer<float> carry;          ///< (unit, lane)
  kernels::ActiveInputs inputs_of_chunk;
  Buffer<float> loss;                                          ///< (time, lane), of the whole row
  std::vector<double> rate_square;                             ///< (time), of the whole row
  Buffer<float> penalty, lane_weights;                         ///< (lane)
  std::vector<std::int32_t> lane_targets;                      ///< (lane)
  Buffer<float> recurrent_gradient, readout_gradient;          ///< packed
  Buffer<float> input_gradient, rule_gradient, bias_gradient;  ///< as DriveWeights
  Buffer<float> drive_scratch;

  /// `lanes`: kernels::padded_lanes, or 1 for run_one_trial.
  void begin(const Architecture& a, const PackedNetwork& p, const float* values,
             const TrialBlock& b, const RecurrentNoise& n, std::size_t lanes);
  std::size_t n_cells() const noexcept { return architecture->n_units() * n_lanes; }
  const std::int32_t* rules_at(std::size_t t) const;
  bool resets_at(std::size_t t) const;

  /// Computes `next` from `before`, the state before time t (resets and noise included).
  void step(std::size_t t, const float* before, float* next);
  void run_forward(View3<float> states, View3<float> logits_out);
  /// The same for a block of one trial, with the kernels made for it.
  void run_one_trial(View3<float> states, View3<float> logits_out);
  LossResult run_loss(const LossOptions& options, const float* wanted, std::span<float> gradient);

 private:
  void add_noise(std::size_t t);
  void drive_at(std::size_t t);
  /// The same without inputs, for one trial.
  void drive_one_trial(std::size_t t);
  void clear_reset_lanes(std::size_t t, float* values) const;
  /// `values` with the lanes set to 0 whose trial begins at t, written to `copy`.
  const float* with_resets(std::size_t t, const float* values, float* copy) const;
  float* delta_at(std::size_t t) { return deltas.at(t % (chunk_steps + 1), n_cells()); }
  /// The state before step t of the segment now kept.
  float* kept_at(std::size_t t) { return kept.at(t - segment_first, n_cells()); }
  void loss_at(std::size_t t, const float* state_now, const LossOptions& options,
               const float* wanted);
  double sum_of_squares(const float* values) const;
  std::size_t segment_steps(bool recompute) const;
  void reserve(std::size_t segment, const LossOptions& options);
  void keep_segment(std::size_t first, std::size_t last, const LossOptions& options,
                    const float* wanted);
  void backward_chunk(std::size_t first, std::size_t last, bool with_penalty,
                      std::span<float> gradient);
  void add_weight_gradients(std::size_t first, std::size_t last, const float* const* before,
                            std::span<float> gradient);
  void scatter_gradients(std::span<float> gradient) const;
};

/// Targets of the least-squares loss, (class, class): row y holds what the outputs should be when
/// the class is y (Yang et al. 2019, Methods): fixation output 0.85 while fixating and 0.05 while
/// responding; ring outputs 0.05 plus, while responding, a bump of 0.8 and width pi / 8.
Buffer<float> least_squares_targets(std::size_t n_classes);

}  // namespace lmrnn::rnn

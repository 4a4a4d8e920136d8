// Time loops over the kernels: they compute one block of trials. Private to the module.
#pragma once

#include <cstdint>
#include <optional>
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

kernels::Nonlinearity kernel_name(Activation activation);

/// A weight matrix in the kernels' layout: its pattern and the packed copy of its weights.
struct PackedMatrix {
  kernels::RowGroups pattern;
  Buffer<float> weights;

  kernels::Term term(const float* source) const { return {&pattern, weights.data(), source}; }
};

/// W_in, W_rule and b in the layout of kernels with units as the SIMD dimension: whole groups of
/// kernels::drive_units.
struct DriveWeights {
  std::vector<std::uint32_t> input_index;  ///< (slice, channel, row of slice)
  Buffer<float> input, rule, bias;         ///< rule: (rule, padded unit)
};

/// W in the layout of the kernels for a single trial.
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
  /// No unit is a source of another, so a tile of units can go through several time steps while its
  /// data stay in the first caches.
  bool is_uncoupled;
};

/// Time steps whose gradients are summed in one go (kernels::OuterProduct).
inline constexpr std::size_t chunk_steps = 8;

/// Units that go through a chunk together.
inline constexpr std::size_t tile_units = kernels::drive_units;

/// A sequence of (unit, lane) arrays, one per time step.
class Planes {
 public:
  void resize(std::size_t n_planes, std::size_t n_cells);
  /// Uses the caller's memory instead: n_planes * stride(n_cells) floats.
  void borrow(float* memory, std::size_t n_planes, std::size_t n_cells);
  /// Floats from one plane to the next.
  static std::size_t stride(std::size_t n_cells) noexcept;
  /// Plane k, where the caller uses `n_cells` cells.
  float* at(std::size_t k, std::size_t n_cells) {
    LMRNN_CHECK_INDEX(k, n_planes_, "this plane was never made");
    LMRNN_CHECK_FITS(n_cells, n_cells_, "planes were sized for a smaller block");
    return first_ + k * stride_;
  }

 private:
  struct Owned : Buffer<float> {  ///< is moved and never copied: `first_` may point into it
    Owned() = default;
    Owned(Owned&&) = default;
    Owned& operator=(Owned&&) = default;
  };
  Owned values_;
  float* first_ = nullptr;
  std::size_t n_planes_ = 0, n_cells_ = 0, stride_ = 0;
};

/// Where gradients come from and go to if the loss is computed outside (lmrnn::Operation): arrays
/// of a whole batch, (time, row, item); the block begins at `first_row`. Each may be empty.
struct Outside {
  std::size_t first_row = 0;
  View3<const float> logits, states;               ///< given
  View3<float> inputs;                             ///< written; needs `input_transposed`
  View2<float> initial;                            ///< written: (row, unit)
  const PackedMatrix* input_transposed = nullptr;  ///< (channel, unit)
};

/// A block and its computation: sizes, inputs by lane, and buffers that are reused between calls.
/// One BlockRun handles blocks and networks of different sizes in turn, so every buffer gets its
/// size again at the beginning of each block (`begin`, `reserve`), never "if it is empty".
struct BlockRun {
  const Architecture* architecture = nullptr;
  const PackedNetwork* packed = nullptr;
  const float* parameters = nullptr;  ///< flat, as in ParameterLayout
  TrialView block;
  RecurrentNoise noise;
  std::size_t n_lanes = 0;

  kernels::ActiveInputs inputs_now;        ///< of a step
  Buffer<float> drive;                     ///< (padded unit, lane)
  std::optional<std::size_t> drive_is_of;  ///< the step whose drive, without noise, is in `drive`
  std::vector<std::uint8_t> unchanged;     ///< (lane): inputs and rules are those of the last step
  Buffer<float> noise_of_trial;            ///< (unit)
  // What other units see of a state: h. In the voltage form this is f(x), also in all planes below,
  // because the backward pass needs no more. Only `voltage` has x itself.
  Buffer<float> state, previous;  ///< (unit, lane), where states are not kept
  Buffer<float> voltage;          ///< (unit, lane): x after the last step, if there is one
  float at_rest = 0;              ///< h in state 0
  Buffer<float> restarted;        ///< (unit, lane): a state with lanes that begin again

  // Backward; indexed by time from the beginning of the kept segment:
  std::size_t segment_first = 0;
  Planes kept;                  ///< kept[k]: the state before step k
  Buffer<float> logits;         ///< (class, lane); (time of a chunk, class, lane) if uncoupled
  Buffer<float> chains;         ///< (time of a chunk, class, 3, lane), if uncoupled
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
  const Outside* outside = nullptr;  ///< if the loss is
  Buffer<float> from_units;  ///< a product with a transposed matrix: (channel or unit, lane)
  Buffer<float> zeros;       ///< (channel or unit)

  /// `lanes`: kernels::padded_lanes, or 1 for run_one_trial.
  void begin(const Architecture& a, const PackedNetwork& p, const float* values, const TrialView& b,
             const RecurrentNoise& n, std::size_t lanes);
  std::size_t n_cells() const noexcept { return architecture->n_units() * n_lanes; }
  bool resets_at(std::size_t t) const;
  bool has_voltage() const noexcept { return architecture->equation == StateEquation::voltage; }
  /// The state after the last step, from which a block can continue. `seen`: h of that step.
  const float* state_of(const float* seen) const { return has_voltage() ? voltage.data() : seen; }
  const Buffer<float>& last_state() const { return has_voltage() ? voltage : previous; }
  /// Continues from a state; writes what other units see of it to `seen`.
  void go_on_from(const float* from, float* seen);

  /// Computes `next` from `before`, the state before time t (resets and noise included).
  void step(std::size_t t, const float* before, float* next);
  /// Runs the block's trials, which are those from `first_trial` on in `states` and `logits_out`.
  void run_forward(View3<float> states, View3<float> logits_out, std::size_t first_trial);
  /// The same for a block of one trial, with the kernels for a single trial.
  void run_one_trial(View3<float> states, View3<float> logits_out);
  LossResult run_loss(const LossOptions& options, const float* wanted, std::span<float> gradient);

  // The two halves of run_loss for a loss outside (outside.cpp):

  /// Number of floats that run_keeping stores for run_outside.
  static std::size_t kept_size(std::size_t n_steps, std::size_t n_cells, bool recompute);
  /// Sets the state before the block's first step; `initial`: (row, unit) of the batch.
  void begin_from(View2<const float> initial, std::size_t first_row);
  /// Runs forward and writes the block's part of `logits` and `states` (time, row, item), which may
  /// be empty. If `memory` is given, keeps the states there; with `recompute`, only those between
  /// segments.
  void run_keeping(bool recompute, float* memory, std::size_t first_row, View3<float> states,
                   View3<float> logits_out);
  /// Runs backward from the states that run_keeping kept.
  void run_outside(const Outside& gradients, bool recompute, const float* memory,
                   std::span<float> gradient);

 private:
  void add_noise(std::size_t t, kernels::UnitRange units = {});
  void drive_at(std::size_t t);
  void find_unchanged(std::size_t t);
  /// The same without inputs, for one trial.
  void drive_one_trial(std::size_t t);
  void set_reset_lanes(std::size_t t, float* values, float to, kernels::UnitRange units = {}) const;
  /// `values` with the lanes whose trial begins at t set to `to`, written to `copy`.
  const float* with_resets(std::size_t t, const float* values, float to, float* copy,
                           kernels::UnitRange units = {}) const;
  float* delta_at(std::size_t t) { return deltas.at(t % (chunk_steps + 1), n_cells()); }
  /// The state before step t of the kept segment.
  float* kept_at(std::size_t t) { return kept.at(t - segment_first, n_cells()); }
  void step_units(std::size_t t, const float* before, float* next, kernels::UnitRange units);
  void loss_at(std::size_t t, const float* logits_now, const LossOptions& options,
               const float* wanted);
  double sum_of_squares(const float* values) const;
  static std::size_t segment_steps(std::size_t n_steps, bool recompute);
  void reserve(std::size_t segment, const LossOptions& options);
  void reserve_backward(std::size_t n_kept);
  void keep_segment(std::size_t first, std::size_t last, const LossOptions& options,
                    const float* wanted);
  void keep_uncoupled(std::size_t first, std::size_t last);
  void backward_chunk(std::size_t first, std::size_t last, bool with_penalty,
                      std::span<float> gradient);
  void backward_steps(std::size_t first, std::size_t last, const float* const* before,
                      bool with_penalty, kernels::UnitRange units);
  void add_weight_gradients(std::size_t first, std::size_t last, const float* const* before,
                            kernels::UnitRange units);
  void add_readout_bias_gradient(std::size_t first, std::size_t last, std::span<float> gradient);
  void scatter_gradients(std::span<float> gradient) const;
  // With a loss outside:
  bool has_outside_states() const { return outside && !outside->states.empty(); }
  void logits_at(std::size_t t, const float* state_now, std::size_t first_row, View3<float> to);
  void take_outside_logits(std::size_t first, std::size_t last);
  void take_outside_states(std::size_t t);
  void give_input_gradient(std::size_t t);
  void give_initial_gradient();
};

/// Targets of the least-squares loss, (class, class): row y holds what the outputs should be when
/// the class is y (Yang et al. 2019, Methods): fixation output 0.85 while fixating and 0.05 while
/// responding; ring outputs 0.05 plus, while responding, a bump of 0.8 and width pi / 8.
Buffer<float> least_squares_targets(std::size_t n_classes);

/// The pattern of W_in transposed, (channel, unit), its weights not yet packed.
PackedMatrix transposed_input(const Architecture& architecture);

}  // namespace lmrnn::rnn

// Time loops over the kernels: what happens to one block of trials. Private to the module.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/paired_rows.hpp"
#include "kernels/steps.hpp"
#include "lmrnn/array.hpp"
#include "lmrnn/network.hpp"

namespace lmrnn::rnn {

/// A weight matrix as the kernels want it: its pattern and the packed copy of its weights.
struct PackedMatrix {
  kernels::PairedRows pattern;
  Buffer<float> weights;

  kernels::Term term(const float* source) const { return {&pattern, weights.data(), source}; }
};

/// All matrices of a network, forward and transposed. `index`es of the patterns point into the flat
/// array of parameters.
struct PackedNetwork {
  explicit PackedNetwork(const Architecture& architecture);
  void pack(std::span<const float> parameters);

  ParameterLayout layout;
  PackedMatrix recurrent, recurrent_transposed, input, readout, readout_transposed;
  Buffer<float> bias, readout_bias;
};

/// Time steps whose gradients are summed in one go (kernels::OuterProduct).
inline constexpr std::size_t chunk_steps = 8;

/// States kept for the backward pass, by chunk: (chunk, unit, slot, lane). Slot k + 1 of a chunk
/// holds the state after its step k; slot 0 the state before its first step.
struct KeptStates {
  Buffer<float> values;
  std::size_t n_units = 0, n_lanes = 0;

  static constexpr std::size_t n_slots = chunk_steps + 1;
  void resize(std::size_t n_steps, std::size_t units, std::size_t lanes);
  /// Floats from one row of a chunk to the next. Other chunked arrays (delta, inputs, gradients of
  /// logits) take the same: an odd number of slots keeps rows from falling on the same cache sets.
  std::size_t stride() const { return n_slots * n_lanes; }
  float* slot(std::size_t chunk, std::size_t k) {
    return values.data() + chunk * n_units * stride() + k * n_lanes;
  }
  /// Where the state after step t (from the first kept one) goes.
  kernels::Strided<float> after(std::size_t t) {
    return {slot(t / chunk_steps, t % chunk_steps + 1), stride()};
  }
  void set_before(std::size_t chunk, const float* state);
};

/// A block being computed: sizes, inputs by lane, and buffers that live on between calls.
struct BlockRun {
  const Architecture* architecture = nullptr;
  const PackedNetwork* packed = nullptr;
  const float* rule_weights = nullptr;  ///< (rule, unit)
  TrialBlock block;
  RecurrentNoise noise;
  std::size_t n_lanes = 0;

  Buffer<float> padded_inputs;          ///< (time, channel, lane), if lanes and trials differ
  Buffer<float> rule_drive;             ///< (unit, lane): bias + rules now on
  Buffer<float> drive;                  ///< the same with noise, if there is noise
  Buffer<float> noise_of_trial;         ///< (unit)
  std::vector<std::int32_t> rules_now;  ///< (slot, lane)
  Buffer<float> state, previous;        ///< (unit, lane)

  // Backward; indexed by time from the beginning of the segment now kept:
  std::size_t segment_first = 0;
  KeptStates kept;
  Buffer<float> logits;                    ///< (class, lane)
  Buffer<float> dlogits;                   ///< (time, class, lane)
  Buffer<float> dlogits_chunk;             ///< (class, step of chunk, lane), one per chunk
  Buffer<float> delta, next_delta;         ///< (unit, lane)
  Buffer<float> delta_chunk;               ///< (unit, step of chunk, lane)
  Buffer<float> previous_chunk;            ///< (unit, step of chunk, lane), where trials reset
  Buffer<float> input_chunk;               ///< (channel, step of chunk, lane)
  Buffer<float> carry, delta_sum;          ///< (unit, lane)
  Buffer<float> loss;                      ///< (time, lane), of the whole row
  std::vector<double> rate_square;         ///< (time), of the whole row
  Buffer<float> penalty, lane_weights;     ///< (lane)
  std::vector<std::int32_t> lane_targets;  ///< (lane)
  Buffer<float> recurrent_gradient, input_gradient, readout_gradient;  ///< packed

  void begin(const Architecture& a, const PackedNetwork& p, const float* rules, const TrialBlock& b,
             const RecurrentNoise& n);
  const float* inputs_at(std::size_t t) const;
  bool resets_at(std::size_t t) const;

  /// Computes `state` from `previous` at time t (resets and noise included).
  void step(std::size_t t, bool keep);
  void run_forward(View3<float> states, View3<float> logits_out);
  LossResult run_loss(const LossOptions& options, const float* wanted, std::span<float> gradient);

 private:
  void update_rules(std::size_t t);
  const float* drive_at(std::size_t t);
  void clear_reset_lanes(std::size_t t, float* values) const;
  void loss_at(std::size_t t, const LossOptions& options, const float* wanted);
  double sum_of_squares() const;
  std::size_t segment_steps(bool recompute) const;
  void reserve(std::size_t segment, const LossOptions& options);
  void keep_segment(std::size_t first, std::size_t last, const LossOptions& options,
                    const float* wanted);
  void backward_chunk(std::size_t chunk, std::size_t segment_last, bool with_penalty,
                      std::span<float> gradient);
  void flush_rules(std::size_t t, std::span<float> gradient);
};

/// Targets of the least-squares loss, (class, class): row y holds what the outputs should be when
/// the class is y (Yang et al. 2019, Methods): fixation output 0.85 while fixating and 0.05 while
/// responding; ring outputs 0.05 plus, while responding, a bump of 0.8 and width pi / 8.
Buffer<float> least_squares_targets(std::size_t n_classes);

}  // namespace lmrnn::rnn

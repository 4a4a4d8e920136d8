#include "rnn/engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/noise.hpp"

namespace lmrnn::rnn {
namespace {

using kernels::Strided;

/// In `rules_now`: the lane's drive has not been computed yet.
constexpr std::int32_t rule_unknown = std::numeric_limits<std::int32_t>::min();

kernels::Nonlinearity kernel_name(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return kernels::Nonlinearity::relu;
    case Activation::tanh:
      return kernels::Nonlinearity::tanh;
    case Activation::softplus:
      return kernels::Nonlinearity::softplus;
  }
  return kernels::Nonlinearity::relu;
}

}  // namespace

void KeptStates::resize(std::size_t n_steps, std::size_t units, std::size_t lanes) {
  n_units = units;
  n_lanes = lanes;
  const std::size_t n_chunks = (n_steps + chunk_steps - 1) / chunk_steps;
  values.resize(n_chunks * units * stride());
}

void KeptStates::set_before(std::size_t chunk, const float* state) {
  for (std::size_t i = 0; i < n_units; ++i)
    std::copy_n(state + i * n_lanes, n_lanes, slot(chunk, 0) + i * stride());
}

void BlockRun::begin(const Architecture& a, const PackedNetwork& p, const float* rules,
                     const TrialBlock& b, const RecurrentNoise& n) {
  architecture = &a;
  packed = &p;
  rule_weights = rules;
  block = b;
  noise = n;
  n_lanes = kernels::padded_lanes(b.n_trials());
  const std::size_t cells = a.n_units() * n_lanes;
  state.assign(cells, 0.0f);
  previous.assign(cells, 0.0f);
  rule_drive.assign(cells, 0.0f);
  rules_now.assign(std::max<std::size_t>(1, b.rules.n1) * n_lanes, rule_unknown);
  if (n_lanes != b.n_trials()) {
    const std::size_t rows = b.n_steps() * a.n_channels;
    padded_inputs.assign(rows * n_lanes, 0.0f);
    for (std::size_t r = 0; r < rows; ++r)
      std::copy_n(b.inputs.data + r * b.n_trials(), b.n_trials(),
                  padded_inputs.data() + r * n_lanes);
  }
}

const float* BlockRun::inputs_at(std::size_t t) const {
  return n_lanes == block.n_trials()
             ? block.inputs.plane(t)
             : padded_inputs.data() + t * architecture->n_channels * n_lanes;
}

bool BlockRun::resets_at(std::size_t t) const {
  if (block.resets.empty()) return false;
  const std::uint8_t* row = block.resets.row(t);
  return std::any_of(row, row + block.n_trials(), [](std::uint8_t r) { return r != 0; });
}

void BlockRun::clear_reset_lanes(std::size_t t, float* values) const {
  for (std::size_t k = 0; k < block.n_trials(); ++k)
    if (block.resets(t, k))
      for (std::size_t i = 0; i < architecture->n_units(); ++i) values[i * n_lanes + k] = 0.0f;
}

// A rule holds for a whole trial, so a lane's column of bias + rule weights is rewritten only where
// its trial changes. Lanes of padding keep a drive of 0.
void BlockRun::update_rules(std::size_t t) {
  const std::size_t n_units = architecture->n_units(), n_slots = block.rules.n1;
  for (std::size_t k = 0; k < block.n_trials(); ++k) {
    bool changed = rules_now[k] == rule_unknown;
    for (std::size_t s = 0; s < n_slots; ++s)
      changed |= rules_now[s * n_lanes + k] != block.rules(t, s, k);
    if (!changed) continue;
    for (std::size_t i = 0; i < n_units; ++i) rule_drive[i * n_lanes + k] = packed->bias[i];
    rules_now[k] = -1;
    for (std::size_t s = 0; s < n_slots; ++s) {
      const std::int32_t rule = block.rules(t, s, k);
      rules_now[s * n_lanes + k] = rule;
      if (rule < 0) continue;
      const float* weights = rule_weights + static_cast<std::size_t>(rule) * n_units;
      for (std::size_t i = 0; i < n_units; ++i) rule_drive[i * n_lanes + k] += weights[i];
    }
  }
}

const float* BlockRun::drive_at(std::size_t t) {
  update_rules(t);
  if (noise.sigma == 0) return rule_drive.data();
  const std::size_t n_units = architecture->n_units();
  drive.assign(rule_drive.begin(), rule_drive.end());
  noise_of_trial.resize(n_units);
  const auto sigma = static_cast<float>(noise.sigma);
  for (std::size_t k = 0; k < block.n_trials(); ++k) {
    Key key = noise.key;
    key.row = noise.first_row + static_cast<std::uint32_t>(k);
    kernels::fill_normal(key, t * n_units, noise_of_trial);
    for (std::size_t i = 0; i < n_units; ++i) drive[i * n_lanes + k] += sigma * noise_of_trial[i];
  }
  return drive.data();
}

void BlockRun::step(std::size_t t, bool keep) {
  if (resets_at(t)) clear_reset_lanes(t, previous.data());
  kernels::ForwardStep s;
  s.n_lanes = n_lanes;
  s.recurrent = packed->recurrent.term(previous.data());
  s.input = packed->input.term(inputs_at(t));
  s.drive = drive_at(t);
  s.previous = previous.data();
  s.state = state.data();
  s.kept = keep ? kept.after(t - segment_first) : Strided<float>{nullptr, 0};
  s.alpha = static_cast<float>(architecture->alpha);
  s.nonlinearity = kernel_name(architecture->activation);
  kernels::forward_step(s);
}

void BlockRun::run_forward(View3<float> states, View3<float> logits_out) {
  const std::size_t n_units = architecture->n_units(), n_classes = architecture->n_classes;
  const std::size_t n_trials = block.n_trials();
  logits.resize(n_classes * n_lanes);
  for (std::size_t t = 0; t < block.n_steps(); ++t) {
    step(t, false);
    if (!states.empty())
      for (std::size_t i = 0; i < n_units; ++i)
        std::copy_n(state.data() + i * n_lanes, n_trials, states.row(t, i));
    if (!logits_out.empty()) {
      kernels::affine_step({n_lanes, packed->readout.term(state.data()),
                            packed->readout_bias.data(), logits.data()});
      for (std::size_t c = 0; c < n_classes; ++c)
        std::copy_n(logits.data() + c * n_lanes, n_trials, logits_out.row(t, c));
    }
    std::swap(state, previous);
  }
}

// Loss at time t and its gradient with respect to the logits, kept twice: by step for the backward
// step, and by chunk for the gradient of the readout weights.
void BlockRun::loss_at(std::size_t t, const LossOptions& options, const float* wanted) {
  const std::size_t n_classes = architecture->n_classes, n_trials = block.n_trials();
  const std::size_t here = t - segment_first;
  std::copy_n(block.targets.row(t), n_trials, lane_targets.data());
  std::copy_n(block.loss_weights.row(t), n_trials, lane_weights.data());
  kernels::affine_step(
      {n_lanes, packed->readout.term(state.data()), packed->readout_bias.data(), logits.data()});
  kernels::LossStep s;
  s.n_lanes = n_lanes;
  s.n_classes = n_classes;
  s.logits = logits.data();
  s.targets = lane_targets.data();
  s.weights = lane_weights.data();
  s.wanted = wanted;
  s.scale = static_cast<float>(options.scale);
  s.gradient = dlogits.data() + here * n_classes * n_lanes;
  s.kept = {dlogits_chunk.data() + here / chunk_steps * n_classes * kept.stride() +
                here % chunk_steps * n_lanes,
            kept.stride()};
  s.loss = loss.data() + t * n_lanes;
  kernels::loss_step(s);
}

double BlockRun::sum_of_squares() const {
  double sum = 0;
  for (std::size_t i = 0; i < architecture->n_units(); ++i)
    for (std::size_t k = 0; k < block.n_trials(); ++k) {
      const double h = state[i * n_lanes + k];
      sum += h * h;
    }
  return sum;
}

// Steps in a segment: the stretch of time whose states are kept at once. Without recomputation that
// is all of it; with it, about sqrt(chunks) of them, so that neither the kept states nor the states
// between segments grow faster than the square root of the length of the row.
std::size_t BlockRun::segment_steps(bool recompute) const {
  const std::size_t n_chunks = (block.n_steps() + chunk_steps - 1) / chunk_steps;
  if (!recompute) return n_chunks * chunk_steps;
  const double root = std::sqrt(static_cast<double>(n_chunks));
  return static_cast<std::size_t>(std::ceil(root)) * chunk_steps;
}

void BlockRun::reserve(std::size_t segment, const LossOptions& options) {
  const std::size_t n_units = architecture->n_units(), n_classes = architecture->n_classes;
  const std::size_t cells = n_units * n_lanes;
  kept.resize(std::min(segment, block.n_steps()), n_units, n_lanes);
  logits.resize(n_classes * n_lanes);
  dlogits.resize(segment * n_classes * n_lanes);
  dlogits_chunk.resize(segment / chunk_steps * n_classes * kept.stride());
  loss.resize(block.n_steps() * n_lanes);
  rate_square.assign(block.n_steps(), 0.0);
  lane_targets.assign(n_lanes, 0);
  lane_weights.assign(n_lanes, 0.0f);  // padding has no weight, hence no gradient
  penalty.assign(n_lanes, 0.0f);
  std::fill_n(penalty.begin(), block.n_trials(), static_cast<float>(2 * options.rate_penalty));
  for (Buffer<float>* values : {&delta, &next_delta, &delta_sum, &carry})
    values->assign(cells, 0.0f);
  delta_chunk.resize(n_units * kept.stride());
  input_chunk.resize(architecture->n_channels * kept.stride());
  recurrent_gradient.assign(packed->recurrent.pattern.n_entries(), 0.0f);
  input_gradient.assign(packed->input.pattern.n_entries(), 0.0f);
  readout_gradient.assign(packed->readout.pattern.n_entries(), 0.0f);
}

// Runs the segment [first, last) from `previous`, keeping its states and the gradients of its loss.
void BlockRun::keep_segment(std::size_t first, std::size_t last, const LossOptions& options,
                            const float* wanted) {
  segment_first = first;
  kept.set_before(0, previous.data());
  for (std::size_t t = first; t < last; ++t) {
    step(t, true);
    loss_at(t, options, wanted);
    if (options.rate_penalty > 0) rate_square[t] = sum_of_squares();
    const std::size_t next = t + 1 - first;
    if (next % chunk_steps == 0 && t + 1 < last) kept.set_before(next / chunk_steps, state.data());
    std::swap(state, previous);
  }
}

LossResult BlockRun::run_loss(const LossOptions& options, const float* wanted,
                              std::span<float> gradient) {
  const std::size_t n_steps = block.n_steps(), segment = segment_steps(options.recompute);
  const std::size_t n_segments = (n_steps + segment - 1) / segment;
  reserve(segment, options);
  std::fill(gradient.begin(), gradient.end(), 0.0f);

  std::vector<Buffer<float>> starts(n_segments - 1);  // state before each segment but the first
  for (std::size_t t = 0; t < (n_segments - 1) * segment; ++t) {
    step(t, false);
    std::swap(state, previous);
    if ((t + 1) % segment == 0) starts[t / segment] = previous;
  }
  for (std::size_t n = n_segments; n-- > 0;) {
    const std::size_t first = n * segment, last = std::min(first + segment, n_steps);
    if (n + 1 < n_segments) {
      if (n > 0)
        previous = starts[n - 1];
      else
        previous.assign(previous.size(), 0.0f);
      std::fill(rules_now.begin(), rules_now.end(), rule_unknown);
    }
    keep_segment(first, last, options, wanted);
    for (std::size_t chunk = (last - first + chunk_steps - 1) / chunk_steps; chunk-- > 0;)
      backward_chunk(chunk, last, options.rate_penalty > 0, gradient);
  }
  flush_rules(0, gradient);
  kernels::scatter(packed->recurrent.pattern, recurrent_gradient, gradient);
  kernels::scatter(packed->input.pattern, input_gradient, gradient);
  kernels::scatter(packed->readout.pattern, readout_gradient, gradient);

  LossResult result;
  for (std::size_t t = 0; t < n_steps; ++t) {
    result.rate_square += rate_square[t];
    for (std::size_t k = 0; k < block.n_trials(); ++k) {
      result.weighted_loss += loss[t * n_lanes + k];
      result.weight += block.loss_weights(t, k);
    }
  }
  return result;
}

// Chunk `chunk` of the segment that ends at `segment_last`.
void BlockRun::backward_chunk(std::size_t chunk, std::size_t segment_last, bool with_penalty,
                              std::span<float> gradient) {
  const std::size_t n_units = architecture->n_units(), n_classes = architecture->n_classes;
  const std::size_t n_channels = architecture->n_channels;
  const std::size_t first = segment_first + chunk * chunk_steps;
  const std::size_t last = std::min(first + chunk_steps, segment_last);
  const std::size_t chunk_stride = kept.stride();

  // What each step saw as h[t-1]: the kept states, unless some trial began afresh in this chunk.
  Strided<const float> before{kept.slot(chunk, 0), kept.stride()};
  bool any_reset = false;
  for (std::size_t t = first; t < last; ++t) any_reset |= resets_at(t);
  if (any_reset) {
    previous_chunk.resize(n_units * chunk_stride);
    for (std::size_t i = 0; i < n_units; ++i) {
      float* row = previous_chunk.data() + i * chunk_stride;
      std::copy_n(kept.slot(chunk, 0) + i * kept.stride(), chunk_steps * n_lanes, row);
      for (std::size_t t = first; t < last; ++t)
        for (std::size_t k = 0; k < block.n_trials(); ++k)
          if (block.resets(t, k)) row[(t - first) * n_lanes + k] = 0.0f;
    }
    before = {previous_chunk.data(), chunk_stride};
  }

  for (std::size_t t = last; t-- > first;) {
    if (t + 1 < block.n_steps()) flush_rules(t + 1, gradient);
    const std::size_t k = t - first;
    kernels::BackwardStep s;
    s.n_lanes = n_lanes;
    s.recurrent = packed->recurrent_transposed.term(next_delta.data());
    s.readout =
        packed->readout_transposed.term(dlogits.data() + (t - segment_first) * n_classes * n_lanes);
    s.state = {kept.slot(chunk, k + 1), kept.stride()};
    s.previous = {before.data + k * n_lanes, before.stride};
    s.carry = carry.data();
    s.delta = delta.data();
    s.kept = {delta_chunk.data() + k * n_lanes, chunk_stride};
    s.delta_sum = delta_sum.data();
    s.penalty = with_penalty ? penalty.data() : nullptr;
    s.alpha = static_cast<float>(architecture->alpha);
    s.nonlinearity = kernel_name(architecture->activation);
    kernels::backward_step(s);
    if (any_reset && resets_at(t)) {
      clear_reset_lanes(t, delta.data());
      clear_reset_lanes(t, carry.data());
    }
    std::swap(delta, next_delta);
    for (std::size_t c = 0; c < n_channels; ++c)
      std::copy_n(inputs_at(t) + c * n_lanes, n_lanes,
                  input_chunk.data() + c * chunk_stride + k * n_lanes);
  }

  const std::size_t n_values = (last - first) * n_lanes;
  const float* dlogits_here = dlogits_chunk.data() + chunk * n_classes * chunk_stride;
  const Strided<const float> deltas{delta_chunk.data(), chunk_stride};
  kernels::add_outer_product(
      {&packed->recurrent.pattern, deltas, before, n_values, recurrent_gradient.data()});
  kernels::add_outer_product({&packed->input.pattern,
                              deltas,
                              {input_chunk.data(), chunk_stride},
                              n_values,
                              input_gradient.data()});
  kernels::add_outer_product({&packed->readout.pattern,
                              {dlogits_here, chunk_stride},
                              {kept.slot(chunk, 1), kept.stride()},
                              n_values,
                              readout_gradient.data()});
  for (std::size_t c = 0; c < n_classes; ++c) {
    double sum = 0;
    for (std::size_t j = 0; j < n_values; ++j) sum += dlogits_here[c * chunk_stride + j];
    gradient[packed->layout.readout_bias + c] += static_cast<float>(sum);
  }
}

// Going backward, the gradients of bias and rule are summed per lane while its rule stays the same,
// and handed over where it changes: between t - 1 and t, or at the very start.
void BlockRun::flush_rules(std::size_t t, std::span<float> gradient) {
  const ParameterLayout& layout = packed->layout;
  const std::size_t n_units = architecture->n_units(), n_slots = block.rules.n1;
  for (std::size_t k = 0; k < block.n_trials(); ++k) {
    bool changes = t == 0;
    for (std::size_t s = 0; s < n_slots && !changes; ++s)
      changes = block.rules(t, s, k) != block.rules(t - 1, s, k);
    if (!changes) continue;
    for (std::size_t i = 0; i < n_units; ++i)
      gradient[layout.bias + i] += delta_sum[i * n_lanes + k];
    for (std::size_t s = 0; s < n_slots; ++s) {
      const std::int32_t rule = block.rules(t, s, k);
      if (rule < 0) continue;
      float* of_rule = gradient.data() + layout.rule + static_cast<std::size_t>(rule) * n_units;
      for (std::size_t i = 0; i < n_units; ++i) of_rule[i] += delta_sum[i * n_lanes + k];
    }
    for (std::size_t i = 0; i < n_units; ++i) delta_sum[i * n_lanes + k] = 0.0f;
  }
}

}  // namespace lmrnn::rnn

// Blocks with the loss outside: forward and backward are two calls, and arrays belong to the whole
// batch, (time, row, item).
#include <algorithm>
#include <cmath>

#include "rnn/engine.hpp"

namespace lmrnn::rnn {
namespace {

/// Calls each(k, i) for k < n_rows and i < n_items, in tiles of items: a transposition always reads
/// or writes one of its two arrays across the rows.
template <class Each>
void for_tiles(std::size_t n_rows, std::size_t n_items, Each&& each) {
  constexpr std::size_t tile = 16;
  for (std::size_t first = 0; first < n_items; first += tile) {
    const std::size_t last = std::min(first + tile, n_items);
    for (std::size_t k = 0; k < n_rows; ++k)
      for (std::size_t i = first; i < last; ++i) each(k, i);
  }
}

/// (item, lane) -> (row, item)
void to_rows(const float* from, std::size_t n_lanes, std::size_t n_rows, std::size_t n_items,
             float* to) {
  for_tiles(n_rows, n_items,
            [&](std::size_t k, std::size_t i) { to[k * n_items + i] = from[i * n_lanes + k]; });
}

/// (row, item) -> (item, lane)
void to_lanes(const float* from, std::size_t n_rows, std::size_t n_items, std::size_t n_lanes,
              float* to) {
  for_tiles(n_rows, n_items,
            [&](std::size_t k, std::size_t i) { to[i * n_lanes + k] = from[k * n_items + i]; });
}

/// f'(x) as a function of f(x), as in the kernels.
float slope_of_rate(Activation activation, float rate) {
  switch (activation) {
    case Activation::relu:
      return rate > 0 ? 1.0f : 0.0f;
    case Activation::tanh:
      return 1 - rate * rate;
    case Activation::softplus:
      return 1 - std::exp(-rate);
  }
  return 1;
}

}  // namespace

std::size_t BlockRun::kept_size(std::size_t n_steps, std::size_t n_cells, bool recompute) {
  const std::size_t segment = segment_steps(n_steps, recompute);
  const std::size_t n_planes = recompute ? (n_steps + segment - 1) / segment : n_steps + 1;
  return n_planes * Planes::stride(n_cells);
}

void BlockRun::begin_from(View2<const float> initial, std::size_t first_row) {
  if (initial.empty()) return;
  const std::size_t n_units = architecture->n_units();
  const std::size_t margin = n_lanes == 1 ? kernels::RowSlices::margin : 0;
  Buffer<float>& to = has_voltage() ? voltage : previous;
  to_lanes(initial.row(first_row), block.n_trials(), n_units, n_lanes, to.data() + margin);
  if (!has_voltage()) return;
  // For one trial, whole slices take the place of lanes.
  const std::size_t width = n_lanes == 1 ? kernels::RowSlices::width : n_lanes;
  const std::size_t n_rows = n_lanes == 1 ? (n_units + width - 1) / width : n_units;
  kernels::rate_step({n_rows, width, voltage.data() + margin, previous.data() + margin,
                      kernel_name(architecture->activation)});
}

void BlockRun::logits_at(std::size_t t, const float* state_now, std::size_t first_row,
                         View3<float> to) {
  kernels::affine_step(
      {n_lanes, packed->readout.term(state_now), packed->readout_bias.data(), logits.data()});
  to_rows(logits.data(), n_lanes, block.n_trials(), architecture->n_classes, to.row(t, first_row));
}

void BlockRun::run_keeping(bool recompute, float* memory, std::size_t first_row,
                           View3<float> states, View3<float> logits_out) {
  const std::size_t n_steps = block.n_steps(), segment = segment_steps(n_steps, recompute);
  const bool all = memory != nullptr && !recompute;
  if (memory != nullptr) {
    kept.borrow(memory, recompute ? (n_steps + segment - 1) / segment : n_steps + 1, n_cells());
    // With recomputation, stores states; without, what other units see of states.
    std::copy_n((recompute ? last_state() : previous).data(), n_cells(), kept.at(0, n_cells()));
  }
  logits.resize(architecture->n_classes * n_lanes);
  for (std::size_t t = 0; t < n_steps; ++t) {
    const float* before = all ? kept.at(t, n_cells()) : previous.data();
    float* next = all ? kept.at(t + 1, n_cells()) : state.data();
    step(t, before, next);
    if (!logits_out.empty()) logits_at(t, next, first_row, logits_out);
    if (!states.empty())
      to_rows(state_of(next), n_lanes, block.n_trials(), architecture->n_units(),
              states.row(t, first_row));
    if (all) continue;
    std::swap(state, previous);
    if (memory != nullptr && (t + 1) % segment == 0 && t + 1 < n_steps)
      std::copy_n(last_state().data(), n_cells(), kept.at((t + 1) / segment, n_cells()));
  }
}

void BlockRun::run_outside(const Outside& gradients, bool recompute, const float* memory,
                           std::span<float> gradient) {
  auto* states = const_cast<float*>(memory);  // planes are only read here
  const std::size_t n_steps = block.n_steps(), segment = segment_steps(n_steps, recompute);
  const std::size_t n_segments = (n_steps + segment - 1) / segment;
  outside = &gradients;
  from_units.resize(std::max(architecture->n_channels, architecture->n_units()) * n_lanes);
  zeros.assign(std::max(architecture->n_channels, architecture->n_units()), 0.0f);
  Planes starts;
  if (recompute) {
    starts.borrow(states, n_segments, n_cells());
    kept.resize(std::min(segment, n_steps) + 1, n_cells());
  } else {
    kept.borrow(states, n_steps + 1, n_cells());
  }
  reserve_backward(std::min(segment, n_steps));
  std::fill(gradient.begin(), gradient.end(), 0.0f);

  for (std::size_t n = n_segments; n-- > 0;) {
    const std::size_t first = n * segment, last = std::min(first + segment, n_steps);
    segment_first = first;
    if (recompute) {
      go_on_from(starts.at(n, n_cells()), kept.at(0, n_cells()));
      for (std::size_t t = first; t < last; ++t) step(t, kept_at(t), kept_at(t + 1));
    }
    take_outside_logits(first, last);
    for (std::size_t chunk = (last - first + chunk_steps - 1) / chunk_steps; chunk-- > 0;) {
      const std::size_t begin = first + chunk * chunk_steps;
      backward_chunk(begin, std::min(begin + chunk_steps, last), false, gradient);
    }
  }
  if (!gradients.initial.empty()) give_initial_gradient();
  scatter_gradients(gradient);
  outside = nullptr;
}

// Gradients with respect to the logits of a segment; 0 in lanes of padding.
void BlockRun::take_outside_logits(std::size_t first, std::size_t last) {
  const std::size_t n_classes = architecture->n_classes, n = n_classes * n_lanes;
  std::fill_n(dlogits.data(), (last - first) * n, 0.0f);
  if (outside->logits.empty()) return;
  for (std::size_t t = first; t < last; ++t)
    to_lanes(outside->logits.row(t, outside->first_row), block.n_trials(), n_classes, n_lanes,
             dlogits.data() + (t - first) * n);
}

// If units leak, `carry` already has an error from step t + 1, so this one is added.
void BlockRun::take_outside_states(std::size_t t) {
  const std::size_t n_units = architecture->n_units();
  const float* from = outside->states.row(t, outside->first_row);
  if (static_cast<float>(architecture->alpha) == 1.0f)
    return to_lanes(from, block.n_trials(), n_units, n_lanes, carry.data());
  for_tiles(block.n_trials(), n_units,
            [&](std::size_t k, std::size_t i) { carry[i * n_lanes + k] += from[k * n_units + i]; });
}

void BlockRun::give_input_gradient(std::size_t t) {
  kernels::affine_step(
      {n_lanes, outside->input_transposed->term(delta_at(t)), zeros.data(), from_units.data()});
  to_rows(from_units.data(), n_lanes, block.n_trials(), architecture->n_channels,
          outside->inputs.row(t, outside->first_row));
}

// The gradient of the state before step 0: through W (and, for a voltage, f) and, if units leak,
// directly. It is 0 for a row whose trial begins at step 0. The kept segment must be the first.
void BlockRun::give_initial_gradient() {
  const std::size_t n_units = architecture->n_units();
  kernels::affine_step(
      {n_lanes, packed->recurrent_transposed.term(delta_at(0)), zeros.data(), from_units.data()});
  if (has_voltage()) {
    const float* rates = kept.at(0, n_cells());
    for (std::size_t i = 0; i < n_cells(); ++i)
      from_units[i] *= slope_of_rate(architecture->activation, rates[i]);
  }
  if (static_cast<float>(architecture->alpha) != 1.0f)
    for (std::size_t i = 0; i < n_cells(); ++i) from_units[i] += carry[i];
  if (resets_at(0)) set_reset_lanes(0, from_units.data(), 0.0f);
  to_rows(from_units.data(), n_lanes, block.n_trials(), n_units,
          outside->initial.row(outside->first_row));
}

}  // namespace lmrnn::rnn

#include "rnn/engine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "kernels/noise.hpp"

namespace lmrnn::rnn {
namespace {

/// The kernels' equation. Without a leak, leak_inside is the same as rate.
kernels::StateEquation kernel_equation(const Architecture& a) {
  switch (a.equation) {
    case StateEquation::rate:
      return kernels::StateEquation::rate;
    case StateEquation::voltage:
      return kernels::StateEquation::voltage;
    case StateEquation::leak_inside:
      return static_cast<float>(a.alpha) == 1.0f ? kernels::StateEquation::rate
                                                 : kernels::StateEquation::leak_inside;
  }
  return kernels::StateEquation::rate;
}

/// Size of a buffer for the state of one trial: whole slices, with a margin on either side.
std::size_t padded_units(std::size_t n_units) {
  constexpr std::size_t width = kernels::RowSlices::width;
  return (n_units + width - 1) / width * width + 2 * kernels::RowSlices::margin;
}

/// Whether the items of trial k at t equal those at t - 1. Compares bit for bit: values that are
/// only numerically equal (0 and -0) could have different drives.
template <class T>
bool same_as_before(const TrialArray<T>& array, std::size_t t, std::size_t k) {
  return array.empty() ||
         std::memcmp(array.at(t, k), array.at(t - 1, k), array.n_items * sizeof(*array.data)) == 0;
}

/// The groups of rows of some units, if rows are in order.
kernels::GroupRange groups_of(kernels::UnitRange units) {
  constexpr std::size_t width = kernels::RowGroups::width;
  static_assert(tile_units % width == 0);
  return {units.first / width, units.last / width + (units.last % width != 0)};
}

/// Calls each(UnitRange) for tiles of units.
template <class Each>
void for_tiles_of_units(std::size_t n_units, Each&& each) {
  for (std::size_t first = 0; first < n_units; first += tile_units)
    each(kernels::UnitRange{first, std::min(first + tile_units, n_units)});
}

}  // namespace

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

// If planes had a power of two as size, one unit's states of all steps would share the same few
// sets of the first-level cache, and a weight gradient reads them together. So the distance between
// planes is half a kilobyte more than a multiple of a page.
std::size_t Planes::stride(std::size_t n_cells) noexcept {
  constexpr std::size_t page = 4096 / sizeof(float), apart = 512 / sizeof(float);
  return (n_cells + page - 1) / page * page + apart;
}

void Planes::resize(std::size_t n_planes, std::size_t n_cells) {
  values_.resize(n_planes * stride(n_cells));
  borrow(values_.data(), n_planes, n_cells);
}

void Planes::borrow(float* memory, std::size_t n_planes, std::size_t n_cells) {
  first_ = memory;
  n_planes_ = n_planes;
  n_cells_ = n_cells;
  stride_ = stride(n_cells);
}

void BlockRun::begin(const Architecture& a, const PackedNetwork& p, const float* values,
                     const TrialView& b, const RecurrentNoise& n, std::size_t lanes) {
  require_recurrent_noise(n.sigma);
  architecture = &a;
  packed = &p;
  parameters = values;
  block = b;
  noise = n;
  n_lanes = lanes;
  outside = nullptr;
  drive_is_of.reset();
  LMRNN_CHECK_FITS(b.n_trials(), lanes, "a block has more trials than lanes");
  // The kernels of one trial need whole slices and their margins.
  const std::size_t cells = n_lanes == 1 ? padded_units(a.n_units()) : n_cells();
  state.assign(cells, 0.0f);
  previous.assign(cells, 0.0f);
  at_rest = 0;
  if (has_voltage()) {
    voltage.assign(cells, 0.0f);
    const float zeros_of_lanes[4] = {};
    float rates[4];
    kernels::rate_step({1, 4, zeros_of_lanes, rates, kernel_name(a.activation)});
    at_rest = rates[0];
    std::ranges::fill(previous, at_rest);
  }
  if (!b.resets.empty()) restarted.resize(cells);
  drive.resize(kernels::padded_drive_units(a.n_units()) * n_lanes);
}

void BlockRun::go_on_from(const float* from, float* seen) {
  if (!has_voltage()) {
    std::copy_n(from, n_cells(), seen);
    return;
  }
  std::copy_n(from, n_cells(), voltage.data());
  kernels::rate_step({architecture->n_units(), n_lanes, voltage.data(), seen,
                      kernel_name(architecture->activation)});
}

bool BlockRun::resets_at(std::size_t t) const {
  if (block.resets.empty()) return false;
  bool any = false;
  for (std::size_t k = 0; k < block.n_trials(); ++k) any |= block.resets(t, k) != 0;
  return any;
}

void BlockRun::set_reset_lanes(std::size_t t, float* values, float to,
                               kernels::UnitRange units) const {
  const std::size_t last = std::min(units.last, architecture->n_units());
  for (std::size_t k = 0; k < block.n_trials(); ++k)
    if (block.resets(t, k))
      for (std::size_t i = units.first; i < last; ++i) values[i * n_lanes + k] = to;
}

void BlockRun::add_noise(std::size_t t, kernels::UnitRange units) {
  if (noise.sigma == 0) return;
  const std::size_t n_units = architecture->n_units(), last = std::min(units.last, n_units);
  noise_of_trial.resize(n_units);
  const std::span<float> xi = std::span(noise_of_trial).subspan(units.first, last - units.first);
  const auto sigma = static_cast<float>(noise.sigma);
  for (std::size_t k = 0; k < block.n_trials(); ++k) {
    Key key = noise.key;
    key.row = noise.first_row + static_cast<std::uint32_t>(k);
    kernels::fill_normal(key, t * n_units + units.first, xi);
    for (std::size_t i = units.first; i < last; ++i)
      drive[i * n_lanes + k] += sigma * noise_of_trial[i];
  }
}

void BlockRun::find_unchanged(std::size_t t) {
  unchanged.assign(n_lanes, 1);
  for (std::size_t k = 0; k < block.n_trials(); ++k)
    unchanged[k] = same_as_before(block.inputs, t, k) && same_as_before(block.rules, t, k);
}

void BlockRun::drive_at(std::size_t t) {
  inputs_now.list(block.inputs, t, 1, n_lanes);
  const DriveWeights& weights = packed->drive;
  kernels::DriveStep s{
      architecture->n_units(), &inputs_now, 0, weights.input.data(), weights.bias.data(),
      weights.rule.data(),     block.rules, t, drive.data()};
  if (t > 0 && drive_is_of == t - 1) {
    find_unchanged(t);
    s.unchanged = unchanged.data();
  }
  kernels::drive_step(s);
  drive_is_of.reset();
  if (noise.sigma == 0) drive_is_of = t;
  add_noise(t);
}

void BlockRun::drive_one_trial(std::size_t t) {
  if (t > 0 && drive_is_of == t - 1 && same_as_before(block.rules, t, 0)) {
    drive_is_of = t;
    return;
  }
  const DriveWeights& weights = packed->drive;
  const std::size_t n_padded = weights.bias.size();
  std::ranges::copy(weights.bias, drive.begin());
  for (std::size_t s = 0; s < block.rules.n_items; ++s) {
    const std::int32_t rule = block.rules(t, 0, s);
    if (rule < 0) continue;
    const float* row = weights.rule.data() + static_cast<std::size_t>(rule) * n_padded;
    for (std::size_t i = 0; i < n_padded; ++i) drive[i] += row[i];
  }
  drive_is_of.reset();
  if (noise.sigma == 0) drive_is_of = t;
  add_noise(t);
}

const float* BlockRun::with_resets(std::size_t t, const float* values, float to, float* copy,
                                   kernels::UnitRange units) const {
  const std::size_t first = units.first * n_lanes;
  const std::size_t last = std::min(units.last, architecture->n_units()) * n_lanes;
  std::copy(values + first, values + last, copy + first);
  set_reset_lanes(t, copy, to, units);
  return copy;
}

void BlockRun::step(std::size_t t, const float* before, float* next) {
  drive_at(t);
  step_units(t, before, next, {});
}

// A step whose drive is already computed.
void BlockRun::step_units(std::size_t t, const float* before, float* next,
                          kernels::UnitRange units) {
  if (resets_at(t)) {
    LMRNN_CHECK_FITS(n_cells(), restarted.size(), "the buffer was sized for a smaller block");
    before = with_resets(t, before, at_rest, restarted.data(), units);
    if (has_voltage()) set_reset_lanes(t, voltage.data(), 0.0f, units);
  }
  kernels::ForwardStep s;
  s.n_lanes = n_lanes;
  s.recurrent = packed->recurrent.term(before);
  s.drive = drive.data();
  s.previous = before;
  s.state = next;
  s.alpha = static_cast<float>(architecture->alpha);
  s.nonlinearity = kernel_name(architecture->activation);
  s.range = groups_of(units);
  s.equation = kernel_equation(*architecture);
  s.voltage = has_voltage() ? voltage.data() : nullptr;
  kernels::forward_step(s);
}

void BlockRun::run_forward(View3<float> states, View3<float> logits_out, std::size_t first_trial) {
  const std::size_t n_units = architecture->n_units(), n_classes = architecture->n_classes;
  const std::size_t n_trials = block.n_trials();
  logits.resize(n_classes * n_lanes);
  for (std::size_t t = 0; t < block.n_steps(); ++t) {
    step(t, previous.data(), state.data());
    if (!states.empty())
      for (std::size_t i = 0; i < n_units; ++i)
        std::copy_n(state_of(state.data()) + i * n_lanes, n_trials, states.row(t, i) + first_trial);
    if (!logits_out.empty()) {
      kernels::affine_step({n_lanes, packed->readout.term(state.data()),
                            packed->readout_bias.data(), logits.data()});
      for (std::size_t c = 0; c < n_classes; ++c)
        std::copy_n(logits.data() + c * n_lanes, n_trials, logits_out.row(t, c) + first_trial);
    }
    std::swap(state, previous);
  }
}

void BlockRun::run_one_trial(View3<float> states, View3<float> logits_out) {
  constexpr std::size_t margin = kernels::RowSlices::margin, together = kernels::steps_together;
  const std::size_t n_units = architecture->n_units(), n_classes = architecture->n_classes;
  const kernels::RowSlices& recurrent = packed->one_trial.pattern;
  const std::size_t n_padded = padded_units(n_units);
  // Plane 0: the state before the four steps; planes 1 ... 4: the states of these steps; plane 5:
  // the state before a trial.
  Buffer<float> run((together + 2) * n_padded, 0.0f), currents(together * n_padded);
  const auto plane = [&](std::size_t k) { return run.data() + k * n_padded + margin; };
  std::copy_n(previous.data() + margin, n_units, plane(0));
  std::fill_n(plane(together + 1), n_units, at_rest);
  float* const voltage_now = has_voltage() ? voltage.data() + margin : nullptr;

  for (std::size_t first = 0; first < block.n_steps(); first += together) {
    const std::size_t n = std::min(together, block.n_steps() - first);
    kernels::InputCurrents in{
        recurrent.slices.size(), architecture->n_channels, packed->drive.input.data(), {}, {}};
    kernels::DenseOutputs out{
        n_classes, n_units, parameters + packed->layout.readout, packed->readout_bias.data(),
        {},        {}};
    for (std::size_t k = 0; k < together; ++k) {  // k beyond the last step repeats the last step
      const std::size_t step = std::min(k, n - 1);
      in.inputs[k] = block.inputs.at(first + step, 0);
      in.currents[k] = currents.data() + k * n_padded;
      out.sources[k] = plane(step + 1);
      if (!logits_out.empty()) out.outputs[k] = logits_out.row(first + step, 0);
    }
    kernels::input_currents(in);
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t t = first + k;
      float* state_now = plane(k + 1);
      drive_one_trial(t);
      const bool restarts = resets_at(t);
      if (restarts && has_voltage()) std::ranges::fill(voltage, 0.0f);
      kernels::one_trial_step(
          {&recurrent, packed->one_trial.weights.data(), drive.data(), in.currents[k],
           plane(restarts ? together + 1 : k), state_now, static_cast<float>(architecture->alpha),
           kernel_name(architecture->activation), kernel_equation(*architecture), voltage_now});
      // The last slice computes rows that do not exist. Clears them, because runs of other rows may
      // read them.
      std::fill(state_now + n_units, plane(k + 1) - margin + n_padded, 0.0f);
      if (!states.empty())
        std::copy_n(voltage_now ? voltage_now : state_now, n_units, states.row(t, 0));
    }
    if (!logits_out.empty()) kernels::dense_outputs(out);
    std::copy_n(run.data() + n * n_padded, n_padded, run.data());
  }
}

// Loss at time t and its gradient with respect to the logits.
void BlockRun::loss_at(std::size_t t, const float* logits_now, const LossOptions& options,
                       const float* wanted) {
  const std::size_t n_classes = architecture->n_classes, n_trials = block.n_trials();
  LMRNN_CHECK_FITS((t + 1 - segment_first) * n_classes * n_lanes, dlogits.size(),
                   "the buffer was sized for a smaller block");
  for (std::size_t k = 0; k < n_trials; ++k) {
    lane_targets[k] = block.targets(t, k);
    lane_weights[k] = block.loss_weights(t, k);
  }
  kernels::LossStep s;
  s.n_lanes = n_lanes;
  s.n_classes = n_classes;
  s.logits = logits_now;
  s.targets = lane_targets.data();
  s.weights = lane_weights.data();
  s.wanted = wanted;
  s.scale = static_cast<float>(options.scale);
  s.gradient = dlogits.data() + (t - segment_first) * n_classes * n_lanes;
  s.loss = loss.data() + t * n_lanes;
  kernels::loss_step(s);
}

double BlockRun::sum_of_squares(const float* values) const {
  double sum = 0;
  for (std::size_t i = 0; i < architecture->n_units(); ++i)
    for (std::size_t k = 0; k < block.n_trials(); ++k) {
      const double h = values[i * n_lanes + k];
      sum += h * h;
    }
  return sum;
}

// Steps in a segment: the steps whose states are kept at the same time. Without recomputation this
// is the whole row; with it, about sqrt(chunks) chunks, so that the kept states and the states
// between segments grow only with the square root of the row's length.
std::size_t BlockRun::segment_steps(std::size_t n_steps, bool recompute) {
  const std::size_t n_chunks = (n_steps + chunk_steps - 1) / chunk_steps;
  if (!recompute) return n_chunks * chunk_steps;
  const double root = std::sqrt(static_cast<double>(n_chunks));
  return static_cast<std::size_t>(std::ceil(root)) * chunk_steps;
}

void BlockRun::reserve(std::size_t segment, const LossOptions& options) {
  const std::size_t n_kept = std::min(segment, block.n_steps());
  kept.resize(n_kept + 1, n_cells());
  reserve_backward(n_kept);
  logits.resize(chunk_steps * architecture->n_classes * n_lanes);
  if (packed->is_uncoupled) chains.resize(3 * logits.size());
  loss.resize(block.n_steps() * n_lanes);
  rate_square.assign(block.n_steps(), 0.0);
  lane_targets.assign(n_lanes, 0);
  lane_weights.assign(n_lanes, 0.0f);  // padding has no weight, so it has no gradient
  penalty.assign(n_lanes, 0.0f);
  std::fill_n(penalty.begin(), block.n_trials(), static_cast<float>(2 * options.rate_penalty));
}

void BlockRun::reserve_backward(std::size_t n_kept) {
  const std::size_t cells = n_cells();
  deltas.resize(chunk_steps + 1, cells);
  if (!block.resets.empty()) {
    cleared.resize(chunk_steps, cells);
    cleared_delta.resize(cells);
  }
  dlogits.resize(n_kept * architecture->n_classes * n_lanes);
  std::fill_n(delta_at(block.n_steps()), cells, 0.0f);
  carry.assign(cells, 0.0f);
  recurrent_gradient.assign(packed->recurrent.pattern.n_entries(), 0.0f);
  input_gradient.assign(packed->drive.input.size(), 0.0f);
  rule_gradient.assign(packed->drive.rule.size(), 0.0f);
  bias_gradient.assign(packed->drive.bias.size(), 0.0f);
  drive_scratch.resize(kernels::drive_gradient_scratch(chunk_steps * n_lanes));
  readout_gradient.assign(packed->readout_transposed.pattern.n_entries(), 0.0f);
}

// Runs the segment [first, last) from kept[0], and keeps its states and the gradients of its loss.
void BlockRun::keep_segment(std::size_t first, std::size_t last, const LossOptions& options,
                            const float* wanted) {
  segment_first = first;
  const std::size_t n_logits = architecture->n_classes * n_lanes;
  for (std::size_t begin = first; begin < last; begin += chunk_steps) {
    const std::size_t end = std::min(begin + chunk_steps, last);
    if (packed->is_uncoupled) keep_uncoupled(begin, end);
    for (std::size_t t = begin; t < end; ++t) {
      float* logits_now = logits.data() + (t - begin) * n_logits;
      if (!packed->is_uncoupled) {
        step(t, kept_at(t), kept_at(t + 1));
        kernels::affine_step({n_lanes, packed->readout.term(kept_at(t + 1)),
                              packed->readout_bias.data(), logits_now});
      }
      loss_at(t, logits_now, options, wanted);
      if (options.rate_penalty > 0) rate_square[t] = sum_of_squares(kept_at(t + 1));
    }
  }
}

// States and logits of the steps [first, last) of a chunk, one tile of units after another.
void BlockRun::keep_uncoupled(std::size_t first, std::size_t last) {
  const std::size_t n_units = architecture->n_units();
  const std::size_t n_logits = architecture->n_classes * n_lanes;
  const DriveWeights& weights = packed->drive;
  drive_is_of.reset();
  inputs_now.list(block.inputs, first, last - first, n_lanes);
  for_tiles_of_units(n_units, [&](kernels::UnitRange units) {
    for (std::size_t t = first; t < last; ++t) {
      const std::size_t k = t - first;
      kernels::drive_step({n_units, &inputs_now, k, weights.input.data(), weights.bias.data(),
                           weights.rule.data(), block.rules, t, drive.data(), units});
      add_noise(t, units);
      step_units(t, kept_at(t), kept_at(t + 1), units);
      kernels::affine_part({{n_lanes, packed->readout.term(kept_at(t + 1)),
                             packed->readout_bias.data(), logits.data() + k * n_logits},
                            units.first,
                            units.last,
                            chains.data() + 3 * k * n_logits});
    }
  });
}

LossResult BlockRun::run_loss(const LossOptions& options, const float* wanted,
                              std::span<float> gradient) {
  const std::size_t n_steps = block.n_steps(), segment = segment_steps(n_steps, options.recompute);
  const std::size_t n_segments = (n_steps + segment - 1) / segment;
  reserve(segment, options);
  std::fill(gradient.begin(), gradient.end(), 0.0f);

  // The state before each segment; the first pass stops at the last segment.
  std::vector<Buffer<float>> starts(n_segments, last_state());
  for (std::size_t t = 0; t < (n_segments - 1) * segment; ++t) {
    step(t, previous.data(), state.data());
    std::swap(state, previous);
    if ((t + 1) % segment == 0) starts[(t + 1) / segment] = last_state();
  }
  for (std::size_t n = n_segments; n-- > 0;) {
    const std::size_t first = n * segment, last = std::min(first + segment, n_steps);
    go_on_from(starts[n].data(), kept.at(0, n_cells()));
    keep_segment(first, last, options, wanted);
    for (std::size_t chunk = (last - first + chunk_steps - 1) / chunk_steps; chunk-- > 0;) {
      const std::size_t begin = first + chunk * chunk_steps;
      backward_chunk(begin, std::min(begin + chunk_steps, last), options.rate_penalty > 0,
                     gradient);
    }
  }
  scatter_gradients(gradient);

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

// Goes backward through steps [first, last), at most chunk_steps of them.
void BlockRun::backward_chunk(std::size_t first, std::size_t last, bool with_penalty,
                              std::span<float> gradient) {
  LMRNN_CHECK_FITS(last - first, chunk_steps, "a chunk has more steps than planes");
  // The h[t-1] that each step used: the kept state, unless some trial began there.
  std::array<const float*, chunk_steps> before{};
  for (std::size_t t = first; t < last; ++t) {
    const std::size_t k = t - first;
    before[k] = kept_at(t);
    if (resets_at(t)) before[k] = with_resets(t, before[k], at_rest, cleared.at(k, n_cells()));
  }

  add_readout_bias_gradient(first, last, gradient);
  inputs_of_chunk.list_cells(block.inputs, first, last - first, n_lanes);
  const auto run = [&](kernels::UnitRange units) {
    backward_steps(first, last, before.data(), with_penalty, units);
    add_weight_gradients(first, last, before.data(), units);
  };
  // A loss outside needs all units of a step at once.
  if (packed->is_uncoupled && outside == nullptr) {
    for_tiles_of_units(architecture->n_units(), run);
  } else {
    run({});
  }
}

void BlockRun::backward_steps(std::size_t first, std::size_t last, const float* const* before,
                              bool with_penalty, kernels::UnitRange units) {
  const std::size_t n_logits = architecture->n_classes * n_lanes;
  const bool leaky = static_cast<float>(architecture->alpha) != 1.0f;
  for (std::size_t t = last; t-- > first;) {
    // Errors stop at the beginning of a trial.
    const float* later = delta_at(t + 1);
    if (t + 1 < block.n_steps() && resets_at(t + 1)) {
      later = with_resets(t + 1, later, 0.0f, cleared_delta.data(), units);
      set_reset_lanes(t + 1, carry.data(), 0.0f, units);
    }
    if (has_outside_states()) take_outside_states(t);
    kernels::BackwardStep s;
    s.n_lanes = n_lanes;
    s.recurrent = packed->recurrent_transposed.term(later);
    s.readout = packed->readout_transposed.term(dlogits.data() + (t - segment_first) * n_logits);
    s.state = kept_at(t + 1);
    s.previous = before[t - first];
    s.carry = leaky || has_outside_states() ? carry.data() : nullptr;
    s.delta = delta_at(t);
    s.penalty = with_penalty ? penalty.data() : nullptr;
    s.alpha = static_cast<float>(architecture->alpha);
    s.nonlinearity = kernel_name(architecture->activation);
    s.range = groups_of(units);
    s.equation = kernel_equation(*architecture);
    kernels::backward_step(s);
    if (outside && !outside->inputs.empty()) give_input_gradient(t);
  }
}

void BlockRun::add_readout_bias_gradient(std::size_t first, std::size_t last,
                                         std::span<float> gradient) {
  const std::size_t n_classes = architecture->n_classes;
  for (std::size_t t = first; t < last; ++t)
    for (std::size_t c = 0; c < n_classes; ++c) {
      const float* errors = dlogits.data() + ((t - segment_first) * n_classes + c) * n_lanes;
      gradient[packed->layout.readout_bias + c] +=
          static_cast<float>(std::accumulate(errors, errors + n_lanes, 0.0));
    }
}

void BlockRun::add_weight_gradients(std::size_t first, std::size_t last, const float* const* before,
                                    kernels::UnitRange units) {
  const std::size_t n_steps = last - first, n_logits = architecture->n_classes * n_lanes;
  std::array<const float*, chunk_steps> deltas_now{}, states{}, errors{};
  for (std::size_t k = 0; k < n_steps; ++k) {
    deltas_now[k] = delta_at(first + k);
    states[k] = kept_at(first + k + 1);
    errors[k] = dlogits.data() + (first + k - segment_first) * n_logits;
  }
  kernels::add_outer_product({&packed->recurrent.pattern, deltas_now.data(), before, n_steps,
                              n_lanes, recurrent_gradient.data(), groups_of(units)});
  kernels::add_drive_gradient({architecture->n_units(), &inputs_of_chunk, deltas_now.data(),
                               block.rules, first, drive_scratch.data(), input_gradient.data(),
                               bias_gradient.data(), rule_gradient.data(), units});
  // Transposed, so that the long list of states is read once and the short one of classes often.
  kernels::add_outer_product({&packed->readout_transposed.pattern, states.data(), errors.data(),
                              n_steps, n_lanes, readout_gradient.data(), groups_of(units)});
}

void BlockRun::scatter_gradients(std::span<float> gradient) const {
  const ParameterLayout& layout = packed->layout;
  const std::size_t n_units = architecture->n_units();
  kernels::scatter(packed->recurrent.pattern.source_index, recurrent_gradient, gradient);
  kernels::scatter(packed->drive.input_index, input_gradient, gradient);
  kernels::scatter(packed->readout_transposed.pattern.source_index, readout_gradient, gradient);
  std::copy_n(bias_gradient.data(), n_units, gradient.data() + layout.bias);
  const std::size_t n_padded = bias_gradient.size();
  for (std::size_t r = 0; r < architecture->n_rules; ++r)
    std::copy_n(rule_gradient.data() + r * n_padded, n_units,
                gradient.data() + layout.rule + r * n_units);
}

}  // namespace lmrnn::rnn

// The kernels: one time step of a block of trials, forward and backward.
//
// Arrays are (row, trial) with trials innermost and padded to `n_lanes`: 4, 8 or a multiple of 16.
// The padding is computed, too, and must be harmless; it is never read. Trials are the SIMD
// dimension, so a weight is one scalar that multiplies a whole vector of trials, for any pattern of
// the matrix. Nothing here allocates or throws. Each kernel runs on the best SIMD target of the
// machine, or the one that its thread has chosen (lmrnn/simd.hpp); reference.hpp is the readable
// twin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/row_groups.hpp"

namespace lmrnn::kernels {

/// Number of lanes that hold `n_trials` trials.
constexpr std::size_t padded_lanes(std::size_t n_trials) {
  return n_trials <= 4 ? 4 : n_trials <= 8 ? 8 : (n_trials + 15) / 16 * 16;
}

/// Whether blocks can have this many lanes: 4, 8 or a multiple of 16.
constexpr bool is_padded_lanes(std::size_t n_lanes) {
  return n_lanes > 0 && padded_lanes(n_lanes) == n_lanes;
}

/// Lanes that a step processes at once on this thread's SIMD target. Blocks of this many lanes need
/// the least cache; the bits are those of wider blocks.
std::size_t lanes_at_once() noexcept;

/// A term  sum_j weights[i, j] source[j, :]  of a step.
struct Term {
  const RowGroups* pattern;
  const float* weights;  ///< packed, see RowGroups
  const float* source;   ///< (column, lane), contiguous
};

/// Groups of rows that a kernel should compute: [first, last), limited to existing groups.
struct GroupRange {
  std::size_t first = 0, last = std::numeric_limits<std::size_t>::max();
};

/// Matches lmrnn::Activation.
enum class Nonlinearity : std::uint8_t { relu, tanh, softplus };

/// Matches lmrnn::StateEquation.
enum class StateEquation : std::uint8_t { rate, voltage, leak_inside };

/// With u = drive + recurrent:
///   rate:         state = (1 - alpha) previous + alpha f(u)
///   voltage:      voltage = (1 - alpha) voltage + alpha u,    state = f(voltage)
///   leak_inside:  state = f((1 - alpha) previous + alpha u)
struct ForwardStep {
  std::size_t n_lanes;
  Term recurrent;
  const float* drive;     ///< (unit, lane): bias, rules, inputs (DriveStep) and noise
  const float* previous;  ///< (unit, lane)
  float* state;           ///< (unit, lane); not `previous`
  float alpha;
  Nonlinearity nonlinearity;
  GroupRange range = {};
  StateEquation equation = StateEquation::rate;
  float* voltage = nullptr;  ///< (unit, lane), in and out; only for `voltage`
};
void forward_step(const ForwardStep& step) noexcept;

/// rate = f(voltage), with the bits of forward_step.
struct RateStep {
  std::size_t n_rows, n_lanes;
  const float* voltage;  ///< (row, lane)
  float* rate;           ///< (row, lane)
  Nonlinearity nonlinearity;
};
void rate_step(const RateStep& step) noexcept;

/// output = offset + term, with offset[row] the same for all lanes.
struct AffineStep {
  std::size_t n_lanes;
  Term term;
  const float* offset;  ///< (row)
  float* output;        ///< (row, lane)
};
void affine_step(const AffineStep& step) noexcept;

/// An affine step in parts, for columns [first, last) of a pattern with whole rows
/// (RowGroups::has_whole_rows): the parts, called in order, give the same bits as the whole. Sums
/// wait in `output` and in `chains`. Parts begin at multiples of 4; the last one ends with the
/// columns.
struct AffinePart {
  AffineStep whole;
  std::size_t first, last;
  float* chains;  ///< (row, 3, lane)
};
void affine_part(const AffinePart& part) noexcept;

/// g = carry + readout + recurrent + penalty * state      gradient with respect to h[t]
/// delta = alpha f'(u) g                                  gradient with respect to u[t]
/// carry = (1 - alpha) g
/// f'(u) is recovered from state and previous: f(u) = (state - (1 - alpha) previous) / alpha.
///
/// If f comes after the leak, f' is that of the blended argument, a function of the state f(.)
/// alone:
///   leak_inside:  g as above,                                  q = f' g
///   voltage:      g = readout + recurrent + penalty * state,   q = carry + f' g
///   delta = alpha q,   carry = (1 - alpha) q
/// With `voltage`, carry and q are gradients with respect to x, g with respect to f(x).
struct BackwardStep {
  std::size_t n_lanes;
  Term recurrent;                 ///< transposed W, source delta[t + 1]
  Term readout;                   ///< transposed W_out, source: gradient with respect to logits[t]
  const float *state, *previous;  ///< (unit, lane): h[t], h[t-1]
  float* carry;                   ///< (unit, lane), in, and out if alpha < 1; or nullptr: 0
  float* delta;                   ///< (unit, lane); not the source of `recurrent`
  const float* penalty;           ///< (lane) or nullptr: none
  float alpha;
  Nonlinearity nonlinearity;
  GroupRange range = {};
  StateEquation equation = StateEquation::rate;
};
void backward_step(const BackwardStep& step) noexcept;

/// gradient[i, j] += sum_{t, l} target[t][i, l] source[t][j, l] for every stored (i, j): weight
/// gradients of `n_steps` time steps together, so that the sums stay in registers.
struct OuterProduct {
  const RowGroups* pattern;
  const float* const* target;  ///< (step) -> (row of the matrix, lane)
  const float* const* source;  ///< (step) -> (column of the matrix, lane)
  std::size_t n_steps, n_lanes;
  float* gradient;  ///< packed
  GroupRange range = {};
};
void add_outer_product(const OuterProduct& product) noexcept;

/// Loss and its gradient with respect to the logits, per lane:
///   cross-entropy: weight * (log sum exp logits - logits[target])
///   least squares: weight * sum_c (logits[c] - wanted[target, c])^2
struct LossStep {
  std::size_t n_lanes, n_classes;
  const float* logits;          ///< (class, lane)
  const std::int32_t* targets;  ///< (lane)
  const float* weights;         ///< (lane)
  const float* wanted;          ///< (class, class) for least squares; nullptr: cross-entropy
  float scale;                  ///< of the gradient only
  float* gradient;              ///< (class, lane)
  float* loss;                  ///< (lane)
};
void loss_step(const LossStep& step) noexcept;

}  // namespace lmrnn::kernels

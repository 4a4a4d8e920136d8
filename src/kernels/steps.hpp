// The kernels: one time step of a block of trials, forward and backward.
//
// Arrays are (row, trial) with trials innermost and padded to `n_lanes`: 4, 8 or a multiple of 16.
// The padding is computed along and must be harmless; it is never read. Trials are the SIMD
// dimension, so a weight is one scalar that multiplies a whole vector of trials, whatever the
// pattern of the matrix. Nothing here allocates or throws. Each kernel runs on the best SIMD
// target of the machine, or the one that choose_simd (lmrnn/simd.hpp) named; reference.hpp is the
// readable twin.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/paired_rows.hpp"

namespace lmrnn::kernels {

/// Number of lanes that hold `n_trials` trials.
constexpr std::size_t padded_lanes(std::size_t n_trials) {
  return n_trials <= 4 ? 4 : n_trials <= 8 ? 8 : (n_trials + 15) / 16 * 16;
}

/// A term  sum_j weights[i, j] source[j, :]  of a step.
struct Term {
  const PairedRows* pattern;
  const float* weights;  ///< packed, see PairedRows
  const float* source;   ///< (column, lane), contiguous
};

/// Matches lmrnn::Activation.
enum class Nonlinearity : std::uint8_t { relu, tanh, softplus };

/// A (row, lane) array whose rows lie `stride` floats apart: one time step of a chunk.
template <class T>
struct Strided {
  T* data;
  std::size_t stride;
};

/// state = (1 - alpha) previous + alpha f(drive + recurrent + input)
struct ForwardStep {
  std::size_t n_lanes;
  Term recurrent, input;
  const float* drive;     ///< (unit, lane): bias, rule and noise
  const float* previous;  ///< (unit, lane)
  float* state;           ///< (unit, lane); not `previous`
  Strided<float> kept;    ///< a second copy of `state` for the backward pass; data may be nullptr
  float alpha;
  Nonlinearity nonlinearity;
};
void forward_step(const ForwardStep& step) noexcept;

/// output = offset + term, with offset[row] the same for all lanes.
struct AffineStep {
  std::size_t n_lanes;
  Term term;
  const float* offset;  ///< (row)
  float* output;        ///< (row, lane)
};
void affine_step(const AffineStep& step) noexcept;

/// g = carry + readout + recurrent + penalty * state      gradient with respect to h[t]
/// delta = alpha f'(u) g                                  gradient with respect to u[t]
/// carry = (1 - alpha) g,   delta_sum += delta
/// f'(u) is recovered from state and previous: f(u) = (state - (1 - alpha) previous) / alpha.
struct BackwardStep {
  std::size_t n_lanes;
  Term recurrent;  ///< transposed W, source delta[t + 1]
  Term readout;    ///< transposed W_out, source: gradient with respect to logits[t]
  Strided<const float> state, previous;
  float* carry;          ///< (unit, lane), in and out; may be nullptr if alpha is 1
  float* delta;          ///< (unit, lane); not the source of `recurrent`
  Strided<float> kept;   ///< a second copy of delta, for the weight gradient
  float* delta_sum;      ///< (unit, lane), added to
  const float* penalty;  ///< (lane) or nullptr: none
  float alpha;
  Nonlinearity nonlinearity;
};
void backward_step(const BackwardStep& step) noexcept;

/// gradient[i, j] += sum_k target[i, k] source[j, k] for every stored (i, j); k runs over the
/// `n_values` (steps x lanes, a multiple of 4) that lie contiguously behind each row.
struct OuterProduct {
  const PairedRows* pattern;
  Strided<const float> target;  ///< rows of the matrix
  Strided<const float> source;  ///< columns of the matrix
  std::size_t n_values;
  float* gradient;  ///< packed
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
  Strided<float> kept;          ///< a second copy of the gradient
  float* loss;                  ///< (lane)
};
void loss_step(const LossStep& step) noexcept;

}  // namespace lmrnn::kernels

// A network as one differentiable operation, for frameworks that own the weights, the loss and the
// optimiser (lmrnn.torch, lmrnn.jax).
//
//   forward:   weights, inputs, s[-1]               -> logits, states s
//   backward:  dL/dlogits and/or dL/dstates         -> dL/dweights, dL/dinputs, dL/ds[-1]
//
// The equations are those of network.hpp, except that the caller may give the initial state. The
// state s is h; in the voltage form it is x. Arrays have the layout of the frameworks: (time, row,
// item), contiguous. Rows are processed in blocks of 32, 16 or 8, the largest size that leaves at
// least two blocks; gradients of blocks are added in order. So the same arrays give the same bits
// for any number of threads, and the gradients of a loss are those of Network::loss_and_gradient,
// since training uses the same blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "lmrnn/network.hpp"
#include "lmrnn/threads.hpp"

namespace lmrnn {

/// The groups of ParameterLayout, each in its own array.
template <class T>
struct ParameterGroups {
  std::span<T> recurrent;     ///< (synapse), in the order of the mask: by target, then source
  std::span<T> input;         ///< (unit, channel); entries outside the mask do not count
  std::span<T> rule;          ///< (rule, unit)
  std::span<T> bias;          ///< (unit)
  std::span<T> readout;       ///< (class, unit); entries outside the mask do not count
  std::span<T> readout_bias;  ///< (class)
};

/// What the operation is applied to. Owns none of the arrays.
struct LMRNN_CHECKED_TYPE OperationInputs {
  View3<const float> inputs;         ///< (time, row, channel)
  View3<const std::int32_t> rules;   ///< (time, row, slot), below n_rules; -1: none. May be empty.
  View2<const std::uint8_t> resets;  ///< (time, row); 1: s[t-1] is taken as 0. May be empty.
  View2<const float> initial;        ///< (row, unit): s[-1]. Empty: 0.
  RecurrentNoise noise;              ///< xi[t, i, row k] is that of row first_row + k

  std::size_t n_steps() const noexcept { return inputs.n0; }
  std::size_t n_rows() const noexcept { return inputs.n1; }
};

/// What forward keeps for backward.
enum class Keep : std::uint8_t {
  nothing,  ///< no backward will follow
  states,   ///< all of them
  /// About sqrt(n_steps) of them; backward recomputes the others: a fraction of the memory and the
  /// same bits, for about a third more time.
  segments
};

/// Gradients that backward takes (given) and computes (written).
struct LMRNN_CHECKED_TYPE OperationGradients {
  View3<const float> logits;          ///< given, (time, row, class). Empty: 0.
  View3<const float> states;          ///< given, (time, row, unit). Empty: 0.
  ParameterGroups<float> parameters;  ///< written
  View3<float> inputs;                ///< written, if not empty: (time, row, channel)
  View2<float> initial;               ///< written, if not empty: (row, unit)
};

/// Threads: may be shared; calls do not wait for each other. Each call needs its own `kept` and its
/// own ThreadPool, since callers of one pool take turns.
class Operation {
 public:
  /// Takes the architecture of `network`, not its weights. Throws nothing of its own.
  explicit Operation(const Network& network);
  ~Operation();
  Operation(Operation&&) noexcept;
  Operation& operator=(Operation&&) noexcept;

  const Architecture& architecture() const noexcept;

  /// Number of floats that `forward` keeps for `backward`.
  std::size_t kept_size(std::size_t n_steps, std::size_t n_rows, Keep keep) const;

  /// Fills `logits` (time, row, class) and `states` (time, row, unit) if they are not empty, and
  /// `kept` (kept_size floats) according to `keep`. Throws UsageError for shapes that do not match,
  /// a rule that the network does not have, and weights that are not finite.
  void forward(const ParameterGroups<const float>& parameters, const OperationInputs& inputs,
               Keep keep, std::span<float> kept, View3<float> states, View3<float> logits,
               ThreadPool& pool) const;

  /// Call it after `forward`, with the same parameters and inputs and a `keep` other than
  /// `nothing`. It only reads `kept`, so you may call it again. Throws UsageError for shapes that
  /// do not match.
  void backward(const ParameterGroups<const float>& parameters, const OperationInputs& inputs,
                Keep keep, std::span<const float> kept, const OperationGradients& gradients,
                ThreadPool& pool) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Writes sigma xi[t, i, row k] of every step to `out` (time, row, unit): the noise that the
/// operation and Network::forward add inside f.
void recurrent_noise(const RecurrentNoise& noise, View3<float> out);

}  // namespace lmrnn

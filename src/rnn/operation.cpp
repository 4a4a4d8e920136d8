#include "lmrnn/operation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string_view>
#include <utility>

#include "core/shared/subnormals.hpp"
#include "kernels/noise.hpp"
#include "lmrnn/error.hpp"
#include "rnn/engine.hpp"

namespace lmrnn {
namespace rnn {

/// Rows of a batch that are computed together.
struct RowRange {
  std::size_t first, n;
};

/// Buffers of one call, kept for the next one.
struct OperationContext {
  explicit OperationContext(const Architecture& a, Representation representation)
      : packed(a, representation) {}

  PackedNetwork packed;
  PackedMatrix input_transposed;  ///< made when it is first needed
  Buffer<float> parameters;       ///< flat, the source of `packed`
  Buffer<float> block_gradients;  ///< (block, parameter)
  std::mutex mutex;               ///< protects `free`
  std::vector<std::unique_ptr<BlockRun>> free;

  /// Buffers for a block.
  std::unique_ptr<BlockRun> take() {
    const std::lock_guard lock(mutex);
    if (free.empty()) return std::make_unique<BlockRun>();
    auto last = std::move(free.back());
    free.pop_back();
    return last;
  }
  void give(std::unique_ptr<BlockRun> run) {
    const std::lock_guard lock(mutex);
    free.push_back(std::move(run));
  }
};

}  // namespace rnn

namespace {

using rnn::BlockRun, rnn::OperationContext, rnn::RowRange;

[[noreturn]] void refuse_operation(std::string what) {
  throw UsageError("operation: " + std::move(what));
}

/// As in training: the largest size with at least two blocks.
std::size_t rows_per_block(std::size_t n_rows) {
  for (const std::size_t rows : {32, 16, 8})
    if (n_rows >= 2 * rows) return rows;
  return n_rows;
}

std::vector<RowRange> blocks_of(std::size_t n_rows) {
  std::vector<RowRange> blocks;
  const std::size_t rows = rows_per_block(n_rows);
  for (std::size_t first = 0; first < n_rows; first += rows)
    blocks.push_back({first, std::min(rows, n_rows - first)});
  return blocks;
}

template <class T>
void check_given(const View3<T>& array, std::size_t n0, std::size_t n1, std::size_t n2,
                 const char* what) {
  if (!array.empty() && (array.n0 != n0 || array.n1 != n1 || array.n2 != n2))
    refuse_operation(fmt::format("{} have the shape ({}, {}, {}); these inputs need ({}, {}, {})",
                                 what, array.n0, array.n1, array.n2, n0, n1, n2));
}

template <class T>
void check_given(const View2<T>& array, std::size_t n0, std::size_t n1, const char* what) {
  if (!array.empty() && (array.n0 != n0 || array.n1 != n1))
    refuse_operation(fmt::format("{} have the shape ({}, {}); these inputs need ({}, {})", what,
                                 array.n0, array.n1, n0, n1));
}

void check_rules(const View3<const std::int32_t>& rules, std::size_t n_rules) {
  const auto fits = [n_rules](std::int64_t rule) {
    return rule >= -1 && rule < static_cast<std::int64_t>(n_rules);
  };
  const std::span<const std::int32_t> all(rules.data, rules.size());
  const auto found = std::ranges::find_if_not(all, fits);
  if (found == all.end()) return;
  const auto at = static_cast<std::size_t>(found - all.begin());
  refuse_operation(fmt::format(
      "rules: {} at step {}, row {}, slot {}; the network has {} rules, counted from 0, and -1 is "
      "none",
      *found, at / (rules.n1 * rules.n2), at / rules.n2 % rules.n1, at % rules.n2, n_rules));
}

/// Sets entries without a synapse to 0.
void clear_absent(const Mask& mask, float* weights) {
  if (mask.is_dense()) return;
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    for (std::size_t j = 0; j < mask.n_sources(); ++j)
      if (!mask.has(i, j)) weights[i * mask.n_sources() + j] = 0;
}

}  // namespace

struct Operation::Implementation {
  Architecture architecture;
  ParameterLayout layout;
  Representation representation;
  std::mutex mutex;  ///< protects `idle`
  std::vector<std::unique_ptr<OperationContext>> idle;

  explicit Implementation(const Network& network)
      : architecture(network.architecture()),
        layout(network.layout()),
        representation(network.representation()) {
    idle.push_back(std::make_unique<OperationContext>(architecture, representation));
  }

  /// A context that no other call uses; the destructor gives it back.
  class Lease {
   public:
    explicit Lease(Implementation& owner) : owner_(owner) {
      const std::lock_guard lock(owner.mutex);
      if (owner.idle.empty()) return;
      context_ = std::move(owner.idle.back());
      owner.idle.pop_back();
    }
    ~Lease() {
      const std::lock_guard lock(owner_.mutex);
      if (context_) owner_.idle.push_back(std::move(context_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    OperationContext& operator*() {
      if (!context_)
        context_ = std::make_unique<OperationContext>(owner_.architecture, owner_.representation);
      return *context_;
    }

   private:
    Implementation& owner_;
    std::unique_ptr<OperationContext> context_;
  };

  template <class T, class Visit>
  void each_group(const ParameterGroups<T>& groups, Visit&& visit) const {
    visit("recurrent", groups.recurrent, layout.recurrent, layout.n_recurrent);
    visit("input", groups.input, layout.input, layout.n_input);
    visit("rule", groups.rule, layout.rule, layout.n_rule);
    visit("bias", groups.bias, layout.bias, layout.n_bias);
    visit("readout", groups.readout, layout.readout, layout.n_readout);
    visit("readout_bias", groups.readout_bias, layout.readout_bias, layout.n_readout_bias);
  }

  template <class T>
  void check_sizes(const ParameterGroups<T>& groups) const {
    each_group(groups, [](std::string_view name, auto values, std::size_t, std::size_t n) {
      if (values.size() != n)
        refuse_operation(
            fmt::format("{} has {} entries; the network has {}", name, values.size(), n));
    });
  }

  void check_finite(const ParameterGroups<const float>& groups) const {
    each_group(groups, [](std::string_view name, std::span<const float> values, auto, auto) {
      float sum = 0;  // no branch per number
      for (const float w : values) sum += w * 0.0f;
      if (sum == 0.0f) return;
      const auto found = std::ranges::find_if_not(values, [](float w) { return std::isfinite(w); });
      refuse_operation(
          fmt::format("{}: entry {} of the weights is {}; lower the learning rate, clip the "
                      "gradients, or start from finite weights",
                      name, found - values.begin(), *found));
    });
  }

  void check_inputs(const OperationInputs& in) const {
    const std::size_t n_steps = in.n_steps(), n_rows = in.n_rows();
    if (n_steps == 0 || n_rows == 0) refuse_operation("inputs have no time steps or no rows");
    if (in.inputs.n2 != architecture.n_channels)
      refuse_operation(fmt::format("inputs have {} channels; the network has {}", in.inputs.n2,
                                   architecture.n_channels));
    check_given(in.rules, n_steps, n_rows, in.rules.n2, "rules");
    check_given(in.resets, n_steps, n_rows, "resets");
    check_given(in.initial, n_rows, architecture.n_units(), "initial states");
    if (!in.rules.empty()) check_rules(in.rules, architecture.n_rules);
  }

  std::size_t n_lanes(const RowRange& rows) const { return kernels::padded_lanes(rows.n); }
  std::size_t kept_of(const RowRange& rows, std::size_t n_steps, Keep keep) const {
    if (keep == Keep::nothing) return 0;
    return rnn::BlockRun::kept_size(n_steps, architecture.n_units() * n_lanes(rows),
                                    keep == Keep::segments);
  }
  /// Offsets of the blocks' parts of `kept`, and finally its size.
  std::vector<std::size_t> kept_offsets(std::span<const RowRange> blocks, std::size_t n_steps,
                                        Keep keep) const {
    std::vector<std::size_t> offsets{0};
    for (const RowRange& rows : blocks)
      offsets.push_back(offsets.back() + kept_of(rows, n_steps, keep));
    return offsets;
  }
  void check_kept(std::size_t given, std::size_t needed) const {
    if (given != needed)
      refuse_operation(fmt::format("kept has {} floats; these inputs need {}", given, needed));
  }

  /// Packs the weights, unless they equal those of the last call.
  void pack(OperationContext& context, const ParameterGroups<const float>& groups) const {
    Buffer<float> flat(layout.total);
    each_group(groups, [&](auto, std::span<const float> values, std::size_t first, auto) {
      std::ranges::copy(values, flat.begin() + static_cast<std::ptrdiff_t>(first));
    });
    clear_absent(architecture.input, flat.data() + layout.input);
    clear_absent(architecture.readout, flat.data() + layout.readout);
    if (flat == context.parameters) return;
    context.packed.pack(flat);
    context.parameters = std::move(flat);
    if (!context.input_transposed.weights.empty()) pack_input_transposed(context);
  }

  void pack_input_transposed(OperationContext& context) const {
    if (context.input_transposed.weights.empty())
      context.input_transposed = rnn::transposed_input(architecture);
    kernels::gather(context.input_transposed.pattern.source_index, context.parameters,
                    context.input_transposed.weights);
  }

  /// Begins `run` with a block of rows.
  void begin(const OperationContext& context, const OperationInputs& in, const RowRange& rows,
             bool one_trial, BlockRun& run) const {
    RecurrentNoise noise = in.noise;
    noise.first_row += static_cast<std::uint32_t>(rows.first);
    TrialView batch;
    batch.inputs = {in.inputs.data, in.inputs.n0, in.inputs.n1, in.inputs.n2};
    if (!in.rules.empty()) batch.rules = {in.rules.data, in.rules.n0, in.rules.n1, in.rules.n2};
    if (!in.resets.empty()) batch.resets = {in.resets.data, in.resets.n0, in.resets.n1};
    run.begin(architecture, context.packed, context.parameters.data(),
              batch.trials(rows.first, rows.n), noise, one_trial ? 1 : n_lanes(rows));
    run.begin_from(in.initial, rows.first);
  }

  /// Sums the gradients of the blocks, in their order.
  void add_blocks(const Buffer<float>& of_blocks, std::size_t n_blocks,
                  const ParameterGroups<float>& to) const {
    each_group(to, [&](auto, std::span<float> sum, std::size_t first, std::size_t n) {
      std::ranges::fill(sum, 0.0f);
      for (std::size_t b = 0; b < n_blocks; ++b) {
        const float* part = of_blocks.data() + b * layout.total + first;
        for (std::size_t i = 0; i < n; ++i) sum[i] += part[i];
      }
    });
  }
};

Operation::Operation(const Network& network)
    : implementation_(std::make_unique<Implementation>(network)) {}
Operation::~Operation() = default;
Operation::Operation(Operation&&) noexcept = default;
Operation& Operation::operator=(Operation&&) noexcept = default;

const Architecture& Operation::architecture() const noexcept {
  return implementation_->architecture;
}

std::size_t Operation::kept_size(std::size_t n_steps, std::size_t n_rows, Keep keep) const {
  return implementation_->kept_offsets(blocks_of(n_rows), n_steps, keep).back();
}

void Operation::forward(const ParameterGroups<const float>& parameters,
                        const OperationInputs& inputs, Keep keep, std::span<float> kept,
                        View3<float> states, View3<float> logits, ThreadPool& pool) const {
  Implementation& self = *implementation_;
  const Architecture& a = self.architecture;
  const std::size_t n_steps = inputs.n_steps(), n_rows = inputs.n_rows();
  self.check_sizes(parameters);
  self.check_finite(parameters);
  self.check_inputs(inputs);
  check_given(states, n_steps, n_rows, a.n_units(), "states");
  check_given(logits, n_steps, n_rows, a.n_classes, "logits");
  const std::vector<RowRange> blocks = blocks_of(n_rows);
  const std::vector<std::size_t> offsets = self.kept_offsets(blocks, n_steps, keep);
  self.check_kept(kept.size(), offsets.back());
  Implementation::Lease lease(self);
  OperationContext& context = *lease;
  self.pack(context, parameters);
  pool.for_each(blocks.size(), [&](std::size_t b) {
    const FlushSubnormals guard;
    auto run = context.take();
    const bool alone = keep == Keep::nothing && n_rows == 1;
    self.begin(context, inputs, blocks[b], alone, *run);
    if (alone)  // (time, item, row) is (time, row, item)
      run->run_one_trial({states.data, n_steps, a.n_units(), 1},
                         {logits.data, n_steps, a.n_classes, 1});
    else
      run->run_keeping(keep == Keep::segments,
                       keep == Keep::nothing ? nullptr : kept.data() + offsets[b], blocks[b].first,
                       states, logits);
    context.give(std::move(run));
  });
}

void Operation::backward(const ParameterGroups<const float>& parameters,
                         const OperationInputs& inputs, Keep keep, std::span<const float> kept,
                         const OperationGradients& gradients, ThreadPool& pool) const {
  Implementation& self = *implementation_;
  const Architecture& a = self.architecture;
  const std::size_t n_steps = inputs.n_steps(), n_rows = inputs.n_rows();
  if (keep == Keep::nothing) refuse_operation("backward after a forward that kept nothing");
  self.check_sizes(parameters);
  self.check_inputs(inputs);
  self.check_sizes(gradients.parameters);
  check_given(gradients.logits, n_steps, n_rows, a.n_classes, "gradients of logits");
  check_given(gradients.states, n_steps, n_rows, a.n_units(), "gradients of states");
  check_given(gradients.inputs, n_steps, n_rows, a.n_channels, "gradients of inputs");
  check_given(gradients.initial, n_rows, a.n_units(), "gradients of initial states");
  const std::vector<RowRange> blocks = blocks_of(n_rows);
  const std::vector<std::size_t> offsets = self.kept_offsets(blocks, n_steps, keep);
  self.check_kept(kept.size(), offsets.back());
  Implementation::Lease lease(self);
  OperationContext& context = *lease;
  self.pack(context, parameters);
  if (!gradients.inputs.empty()) self.pack_input_transposed(context);
  context.block_gradients.resize(blocks.size() * self.layout.total);
  pool.for_each(blocks.size(), [&](std::size_t b) {
    const FlushSubnormals guard;
    auto run = context.take();
    self.begin(context, inputs, blocks[b], false, *run);
    const rnn::Outside outside{blocks[b].first,  gradients.logits,  gradients.states,
                               gradients.inputs, gradients.initial, &context.input_transposed};
    const std::size_t n = self.layout.total;
    run->run_outside(outside, keep == Keep::segments, kept.data() + offsets[b],
                     std::span(context.block_gradients).subspan(b * n, n));
    context.give(std::move(run));
  });
  self.add_blocks(context.block_gradients, blocks.size(), gradients.parameters);
}

void recurrent_noise(const RecurrentNoise& noise, View3<float> out) {
  const std::size_t n_units = out.n2;
  std::vector<float> xi(n_units);
  const auto sigma = static_cast<float>(noise.sigma);
  for (std::size_t k = 0; k < out.n1; ++k) {
    Key key = noise.key;
    key.row = noise.first_row + static_cast<std::uint32_t>(k);
    for (std::size_t t = 0; t < out.n0; ++t) {
      kernels::fill_normal(key, t * n_units, xi);
      for (std::size_t i = 0; i < n_units; ++i) out(t, k, i) = sigma * xi[i];
    }
  }
}

}  // namespace lmrnn

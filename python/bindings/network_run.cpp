#include "network_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "lmrnn/error.hpp"
#include "lmrnn/threads.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

constexpr std::size_t trials_per_block = 32;

// Trials of one block, in the order of indices that networks compute with.
struct BlockData {
  std::size_t first, n_trials, n_steps;
  std::vector<float> inputs, loss_weights;
  std::vector<std::int32_t> rules, targets;
  std::vector<std::uint8_t> resets;
  std::size_t n_channels = 0, n_slots = 0;

  TrialBlock view() const {
    TrialBlock block;
    block.inputs = {inputs.data(), n_steps, n_channels, n_trials};
    if (n_slots > 0) block.rules = {rules.data(), n_steps, n_slots, n_trials};
    if (!resets.empty()) block.resets = {resets.data(), n_steps, n_trials};
    if (!targets.empty()) block.targets = {targets.data(), n_steps, n_trials};
    if (!loss_weights.empty()) block.loss_weights = {loss_weights.data(), n_steps, n_trials};
    return block;
  }
};

// (time, trial, item) of trials first ... -> (time, item, trial).
template <class From, class To>
void take(const From* from, std::size_t n_time, std::size_t n_all, std::size_t n_items,
          std::size_t first, std::size_t n, std::vector<To>& to) {
  to.resize(n_time * n_items * n);
  for (std::size_t t = 0; t < n_time; ++t)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t i = 0; i < n_items; ++i)
        to[(t * n_items + i) * n + k] =
            static_cast<To>(from[(t * n_all + first + k) * n_items + i]);
}

/// What was given, block by block.
struct Arguments : RunArguments {
  std::size_t n_steps() const { return inputs.shape(0); }
  std::size_t n_trials() const { return inputs.shape(1); }
  std::size_t n_blocks() const { return (n_trials() + trials_per_block - 1) / trials_per_block; }

  template <class A>
  static void has_shape(const A& array, const char* name, std::size_t n, const char* shape) {
    if (array.ndim() != n)
      throw UsageError(
          fmt::format("{}: an array of {} dimensions; give {}", name, array.ndim(), shape));
  }

  template <class A>
  void same_steps(const std::optional<A>& array, const char* name, const char* shape,
                  std::size_t n = 2) const {
    if (!array) return;
    has_shape(*array, name, n, shape);
    if (array->shape(0) != n_steps() || array->shape(1) != n_trials())
      throw UsageError(fmt::format("{}: ({}, {}) steps and trials, but inputs have ({}, {})", name,
                                   array->shape(0), array->shape(1), n_steps(), n_trials()));
  }

  void check(const Architecture& a) const {
    has_shape(inputs, "inputs", 3, "(time, trial, channel)");
    if (inputs.shape(2) != a.n_channels)
      throw UsageError(fmt::format(
          "inputs: (time, trial, channel) with {} channels, but the network has {}{}",
          inputs.shape(2), a.n_channels,
          inputs.shape(2) == a.n_channels + a.n_rules ? "; give rules as indices, not as channels"
                                                      : ""));
    same_steps(rules, "rules", "(time, trial, slot)", 3);
    same_steps(resets, "resets", "(time, trial)");
    same_steps(targets, "targets", "(time, trial)");
    same_steps(weights, "mask", "(time, trial)");
    if (rules) require_within(rules->data(), rules->size(), -1, a.n_rules, "rules");
    if (targets) require_within(targets->data(), targets->size(), 0, a.n_classes, "targets");
    // Without its rule a network does something, but nothing that it was trained to do.
    if (!rules && a.n_rules > 0)
      throw UsageError(fmt::format(
          "rules: the network has {} rule inputs; give the numbers of those that are on, (time, "
          "trial, slot), or -1 for none",
          a.n_rules));
  }

  BlockData block(std::size_t b) const {
    const std::size_t first = b * trials_per_block;
    BlockData data{first, std::min(trials_per_block, n_trials() - first), n_steps(), {}, {}, {}, {},
                   {}};
    const auto copy = [&](const auto& array, std::size_t n_items, auto& to) {
      take(array.data(), n_steps(), n_trials(), n_items, first, data.n_trials, to);
    };
    data.n_channels = inputs.shape(2);
    copy(inputs, data.n_channels, data.inputs);
    if (rules) {
      data.n_slots = rules->shape(2);
      copy(*rules, data.n_slots, data.rules);
    }
    if (resets) copy(*resets, 1, data.resets);
    if (targets) copy(*targets, 1, data.targets);
    if (weights)
      copy(*weights, 1, data.loss_weights);
    else
      data.loss_weights.assign(n_steps() * data.n_trials, 1.0f);
    return data;
  }
};

// (time, item, trial) of a block -> (time, trial, item) of all.
void put(const std::vector<float>& from, const BlockData& block, std::size_t n_all,
         std::size_t n_items, Buffer<float>& to) {
  for (std::size_t t = 0; t < block.n_steps; ++t)
    for (std::size_t i = 0; i < n_items; ++i)
      for (std::size_t k = 0; k < block.n_trials; ++k)
        to[(t * n_all + block.first + k) * n_items + i] =
            from[(t * n_items + i) * block.n_trials + k];
}

RecurrentNoise noise_of(double sigma, const std::optional<SeedArgument>& seed,
                        std::size_t first_row) {
  if (sigma > 0 && !seed)
    throw UsageError("recurrent_noise: noise is random; say which, e.g. seed=0");
  return {sigma, Key{seed_or_zero(seed), Stream::recurrent_noise, Split::test},
          static_cast<std::uint32_t>(first_row)};
}

}  // namespace

nb::tuple run_forward(const SharedNetwork& shared, const RunArguments& given, double sigma,
                      const std::optional<SeedArgument>& seed, int threads) {
  const Network& network = shared.network;
  const Arguments arguments{given};
  const Architecture& a = network.architecture();
  arguments.check(a);
  noise_of(sigma, seed, 0);
  const std::size_t n_time = arguments.n_steps(), n_trials = arguments.n_trials();
  Buffer<float> states(n_time * n_trials * a.n_units()), logits(n_time * n_trials * a.n_classes);
  {
    const nb::gil_scoped_release release;
    const std::shared_lock turn(shared.turns);
    ThreadPool pool(threads);
    pool.for_each(arguments.n_blocks(), [&](std::size_t b) {
      const BlockData block = arguments.block(b);
      Workspace workspace;
      std::vector<float> h(n_time * a.n_units() * block.n_trials);
      std::vector<float> z(n_time * a.n_classes * block.n_trials);
      network.forward(block.view(), noise_of(sigma, seed, block.first),
                      {h.data(), n_time, a.n_units(), block.n_trials},
                      {z.data(), n_time, a.n_classes, block.n_trials}, workspace);
      put(h, block, n_trials, a.n_units(), states);
      put(z, block, n_trials, a.n_classes, logits);
    });
  }
  return nb::make_tuple(adopt(std::move(states), {n_time, n_trials, a.n_units()}),
                        adopt(std::move(logits), {n_time, n_trials, a.n_classes}));
}

std::pair<double, Buffer<float>> run_loss(const SharedNetwork& shared, const RunArguments& given,
                                          LossKind kind) {
  const Network& network = shared.network;
  const Arguments arguments{given};
  arguments.check(network.architecture());
  const std::size_t n = network.layout().total;
  Buffer<float> gradient(n);
  double total = 0;
  const nb::gil_scoped_release release;
  const std::shared_lock turn(shared.turns);
  std::vector<BlockData> blocks;
  double weight = 0;
  for (std::size_t b = 0; b < arguments.n_blocks(); ++b) {
    blocks.push_back(arguments.block(b));
    for (const float w : blocks.back().loss_weights) weight += w;
  }
  Workspace workspace;
  std::vector<float> part(n);
  for (const BlockData& block : blocks) {
    const LossOptions options{.kind = kind, .scale = weight > 0 ? 1 / weight : 0};
    total += network.loss_and_gradient(block.view(), RecurrentNoise{}, options, part, workspace)
                 .weighted_loss;
    for (std::size_t i = 0; i < n; ++i) gradient[i] += part[i];
  }
  if (weight > 0) total /= weight;
  return {total, std::move(gradient)};
}

}  // namespace lmrnn::python

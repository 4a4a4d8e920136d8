#include "network_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"
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

/// An array that was given, checked and converted.
template <class T>
struct Given {
  std::vector<std::size_t> shape;
  std::vector<T> values;
};

const std::vector<std::string> axes_of_trials{"step", "trial"};
const std::vector<std::string> axes_of_inputs{"step", "trial", "channel"};
const std::vector<std::string> axes_of_rules{"step", "trial", "slot"};

/// What was given, block by block.
class Arguments {
 public:
  /// Throws UsageError for arrays that do not fit the network or each other.
  Arguments(const RunArguments& given, const Architecture& a) {
    {
      const UserArray array = with_axes(given.inputs, "inputs", 3, "(time, trial, channel)");
      const std::size_t n = array.shape()[2];
      if (n != a.n_channels)
        throw UsageError(fmt::format(
            "inputs: (time, trial, channel) with {} channels, but the network has {}{}", n,
            a.n_channels,
            n == a.n_channels + a.n_rules ? "; give rules as indices, not as channels" : ""));
      inputs_ = {array.shape(), finite_numbers(array, place_in(array, axes_of_inputs))};
    }
    take_whole(given.rules, "rules", "(time, trial, slot)", axes_of_rules, -1, a.n_rules, rules_);
    take_whole(given.resets, "resets", "(time, trial)", axes_of_trials, 0, 2, resets_);
    take_whole(given.targets, "targets", "(time, trial)", axes_of_trials, 0, a.n_classes, targets_);
    if (given.weights) {
      const UserArray array = same_steps(*given.weights, "mask", 2, "(time, trial)");
      weights_ =
          Given<float>{array.shape(), finite_numbers(array, place_in(array, axes_of_trials), 0)};
    }
    // Without its rule a network does something, but nothing that it was trained to do.
    if (!rules_ && a.n_rules > 0)
      throw UsageError(fmt::format(
          "rules: the network has {} rule inputs; give the numbers of those that are on, (time, "
          "trial, slot), or -1 for none",
          a.n_rules));
  }

  std::size_t n_steps() const { return inputs_.shape[0]; }
  std::size_t n_trials() const { return inputs_.shape[1]; }
  std::size_t n_blocks() const { return (n_trials() + trials_per_block - 1) / trials_per_block; }

  BlockData block(std::size_t b) const {
    const std::size_t first = b * trials_per_block;
    BlockData data{first, std::min(trials_per_block, n_trials() - first), n_steps(), {}, {}, {}, {},
                   {}};
    const auto copy = [&](const auto& array, std::size_t n_items, auto& to) {
      take(array.values.data(), n_steps(), n_trials(), n_items, first, data.n_trials, to);
    };
    data.n_channels = inputs_.shape[2];
    copy(inputs_, data.n_channels, data.inputs);
    if (rules_) {
      data.n_slots = rules_->shape[2];
      copy(*rules_, data.n_slots, data.rules);
    }
    if (resets_) copy(*resets_, 1, data.resets);
    if (targets_) copy(*targets_, 1, data.targets);
    if (weights_)
      copy(*weights_, 1, data.loss_weights);
    else
      data.loss_weights.assign(n_steps() * data.n_trials, 1.0f);
    return data;
  }

 private:
  static Place place_in(const UserArray& array, const std::vector<std::string>& axes) {
    return [&array, &axes](std::size_t index) { return array.place(index, axes); };
  }

  static UserArray with_axes(const ArrayArgument& given, const char* name, std::size_t n,
                             const char* shape) {
    UserArray array(given.object, name);
    if (array.n_dimensions() != n)
      throw UsageError(
          fmt::format("{}: an array of {} dimensions; give {}", name, array.n_dimensions(), shape));
    return array;
  }

  UserArray same_steps(const ArrayArgument& given, const char* name, std::size_t n,
                       const char* shape) const {
    UserArray array = with_axes(given, name, n, shape);
    if (array.shape()[0] != n_steps() || array.shape()[1] != n_trials())
      throw UsageError(fmt::format("{}: ({}, {}) steps and trials, but inputs have ({}, {})", name,
                                   array.shape()[0], array.shape()[1], n_steps(), n_trials()));
    return array;
  }

  void take_whole(const std::optional<ArrayArgument>& given, const char* name, const char* shape,
                  const std::vector<std::string>& axes, std::int64_t least, std::size_t end,
                  std::optional<Given<std::int32_t>>& to) const {
    if (!given) return;
    const UserArray array = same_steps(*given, name, axes.size(), shape);
    to =
        Given<std::int32_t>{array.shape(), whole_numbers(array, least, end, place_in(array, axes))};
  }

  Given<float> inputs_;
  std::optional<Given<std::int32_t>> rules_, resets_, targets_;
  std::optional<Given<float>> weights_;
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
  require_recurrent_noise(sigma);
  if (sigma > 0 && !seed)
    throw UsageError("recurrent_noise: noise is random; say which, e.g. seed=0");
  return {sigma, Key{seed_or_zero(seed), Stream::recurrent_noise, Split::test},
          static_cast<std::uint32_t>(first_row)};
}

}  // namespace

nb::tuple run_forward(const SharedNetwork& shared, const RunArguments& given, double sigma,
                      const std::optional<SeedArgument>& seed, int threads) {
  const Network& network = shared.network;
  const Architecture& a = network.architecture();
  const Arguments arguments(given, a);
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
  const Arguments arguments(given, network.architecture());
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

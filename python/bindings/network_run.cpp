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

/// An argument, checked and converted.
template <class T>
struct Given {
  std::vector<std::size_t> shape;
  std::vector<T> values;

  TrialArray<const T> array() const {
    return {values.data(), shape[0], shape[1], shape.size() > 2 ? shape[2] : 1};
  }
};

/// Copies trials first ... first + trials.n_trials() - 1 of an argument.
struct Block {
  std::size_t first;
  TrialView trials;
};

const std::vector<std::string> axes_of_trials{"step", "trial"};
const std::vector<std::string> axes_of_inputs{"step", "trial", "channel"};
const std::vector<std::string> axes_of_rules{"step", "trial", "slot"};

/// The arguments, block by block.
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
    const bool one_slot =
        given.rules && UserArray(given.rules->object, "rules").n_dimensions() == 2;
    take_whole(given.rules, "rules", "(time, trial, slot), or (time, trial) for one slot",
               one_slot ? axes_of_trials : axes_of_rules, -1, a.n_rules, rules_);
    take_whole(given.resets, "resets", "(time, trial)", axes_of_trials, 0, 2, resets_);
    take_whole(given.targets, "targets", "(time, trial)", axes_of_trials, 0, a.n_classes, targets_);
    if (given.weights) {
      const UserArray array = same_steps(*given.weights, "mask", 2, "(time, trial)");
      weights_ =
          Given<float>{array.shape(), finite_numbers(array, place_in(array, axes_of_trials), 0)};
    }
    // A network without its rule gives answers, but not those that it was trained to give.
    if (!rules_ && a.n_rules > 0)
      throw UsageError(fmt::format(
          "rules: the network has {} rule inputs; give the numbers of those that are on, (time, "
          "trial, slot), or -1 for none",
          a.n_rules));
    if (!weights_)
      weights_ =
          Given<float>{{n_steps(), n_trials()}, std::vector<float>(n_steps() * n_trials(), 1.0f)};
  }

  std::size_t n_steps() const { return inputs_.shape[0]; }
  std::size_t n_trials() const { return inputs_.shape[1]; }
  std::size_t n_blocks() const { return (n_trials() + trials_per_block - 1) / trials_per_block; }

  Block block(std::size_t b) const {
    TrialView all;
    all.inputs = inputs_.array();
    if (rules_ && !rules_->values.empty()) all.rules = rules_->array();
    if (resets_) all.resets = resets_->array();
    if (targets_) all.targets = targets_->array();
    all.loss_weights = weights_->array();
    const std::size_t first = b * trials_per_block;
    return {first, all.trials(first, std::min(trials_per_block, n_trials() - first))};
  }

  /// Sum of the loss weights, block by block.
  double weight() const {
    double sum = 0;
    for (std::size_t b = 0; b < n_blocks(); ++b) {
      const TrialArray<const float> weights = block(b).trials.loss_weights;
      for (std::size_t t = 0; t < weights.n_steps; ++t)
        for (std::size_t k = 0; k < weights.n_trials; ++k) sum += weights(t, k);
    }
    return sum;
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

  template <class T>
  void take_whole(const std::optional<ArrayArgument>& given, const char* name, const char* shape,
                  const std::vector<std::string>& axes, std::int64_t least, std::size_t end,
                  std::optional<Given<T>>& to) const {
    if (!given) return;
    const UserArray array = same_steps(*given, name, axes.size(), shape);
    const auto values = whole_numbers(array, least, end, place_in(array, axes));
    to = Given<T>{array.shape(), std::vector<T>(values.begin(), values.end())};
  }

  Given<float> inputs_;
  std::optional<Given<std::int32_t>> rules_, targets_;
  std::optional<Given<std::uint8_t>> resets_;
  std::optional<Given<float>> weights_;
};

// (time, item, trial) of a block -> (time, trial, item) of all.
void put(const std::vector<float>& from, const Block& block, std::size_t n_items,
         const TrialArray<float>& to) {
  const std::size_t n = block.trials.n_trials();
  for (std::size_t t = 0; t < to.n_steps; ++t)
    for (std::size_t i = 0; i < n_items; ++i)
      for (std::size_t k = 0; k < n; ++k)
        to(t, block.first + k, i) = from[(t * n_items + i) * n + k];
}

RecurrentNoise noise_of(double sigma, const std::optional<SeedArgument>& seed,
                        std::size_t first_row) {
  require_recurrent_noise(sigma);
  if (sigma > 0 && !seed)
    throw UsageError("recurrent_noise: noise is random; say which, e.g. seed=0");
  return {sigma, Key{seed_or_zero(seed), RandomPurpose::recurrent_noise, Split::test},
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
      const Block block = arguments.block(b);
      const std::size_t n = block.trials.n_trials();
      Workspace workspace;
      std::vector<float> h(n_time * a.n_units() * n), z(n_time * a.n_classes * n);
      network.forward(block.trials, noise_of(sigma, seed, block.first),
                      {h.data(), n_time, a.n_units(), n}, {z.data(), n_time, a.n_classes, n},
                      workspace);
      put(h, block, a.n_units(), {states.data(), n_time, n_trials, a.n_units()});
      put(z, block, a.n_classes, {logits.data(), n_time, n_trials, a.n_classes});
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
  const double weight = arguments.weight();
  Workspace workspace;
  std::vector<float> part(n);
  for (std::size_t b = 0; b < arguments.n_blocks(); ++b) {
    const LossOptions options{.kind = kind, .scale = weight > 0 ? 1 / weight : 0};
    total += network
                 .loss_and_gradient(arguments.block(b).trials, RecurrentNoise{}, options, part,
                                    workspace)
                 .weighted_loss;
    for (std::size_t i = 0; i < n; ++i) gradient[i] += part[i];
  }
  if (weight > 0) total /= weight;
  return {total, std::move(gradient)};
}

}  // namespace lmrnn::python

#include <algorithm>
#include <utility>

#include "core/shared/text.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/lesion.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {
namespace {

// Fisher-Yates shuffle of the values at `places`.
void shuffle_values(std::span<float> values, std::span<const std::uint32_t> places, Key key) {
  for (std::size_t i = places.size(); i > 1; --i) {
    const std::uint32_t j =
        integer(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i));
    std::swap(values[places[i - 1]], values[places[j]]);
  }
}

}  // namespace

Subject make_subject(LoadedNetwork loaded, const std::filesystem::path& path) {
  TrainedOn trained = trained_on(loaded.metadata, path);
  Battery battery(trained.battery, trained.seed);
  std::optional<std::int64_t> step;
  if (const auto found = loaded.metadata.find("step"); found != loaded.metadata.end())
    step = number_from<std::int64_t>(found->second);
  return {std::move(loaded.network), std::move(trained), std::move(battery), step};
}

Subject make_control(const Subject& subject, Control control, Seed seed, std::uint32_t number) {
  Network network = subject.network.copy();
  if (control == Control::shuffled_weights) {
    const ParameterLayout& l = network.layout();
    const auto writer = network.write_weights();
    const auto weights = writer.all().subspan(l.recurrent, l.n_recurrent);
    const std::vector<std::uint32_t> between = synapses_between_units(network);
    std::vector<std::uint32_t> autapses;
    for (std::uint32_t s = 0, next = 0; s < l.n_recurrent; ++s)
      if (next < between.size() && between[next] == s)
        ++next;
      else
        autapses.push_back(s);
    shuffle_values(weights, between, {seed, RandomPurpose::lesion, Split::train, number, 1});
    shuffle_values(weights, autapses, {seed, RandomPurpose::lesion, Split::train, number, 2});
  }
  return {std::move(network), subject.trained, subject.battery, subject.step};
}

}  // namespace lmrnn

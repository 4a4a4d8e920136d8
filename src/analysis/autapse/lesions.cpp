// Are the classes the mechanism? Lesions of each class, and a network in which every weight is the
// mean of its class.

#include "analysis/autapse/uncoupled_pool.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/work.hpp"
#include "lmrnn/lesion.hpp"

namespace lmrnn {
// Removes each class, compared with equal numbers of random units. The prediction: a class matters
// for the tasks in which it carries the margin of the right answer.
void UncoupledPool::lesions(AnalysisResult& result) {
  intact_ = scores(s_.network);
  struct Lesion {
    std::size_t c;
    std::vector<std::uint32_t> units;
  };
  std::vector<Lesion> lesions;
  const auto n_random = static_cast<std::uint32_t>(o_.random_lesions);
  for (std::size_t c = 0; c < n_unit_classes; ++c) {
    const std::vector<std::uint32_t> units = members(c);
    if (units.empty()) continue;
    lesions.push_back({c, units});
    for (std::uint32_t r = 0; r < n_random; ++r)
      lesions.push_back({c, random_units(n_, units.size(), context_.seed,
                                         static_cast<std::uint32_t>(c) * 1000 + r)});
  }
  std::vector<std::vector<double>> accuracy(lesions.size());
  for_each_in_turn(context_, lesions.size(), "lesion", [&](std::size_t l) {
    accuracy[l] = scores(without_units(s_.network, lesions[l].units));
  });
  Table table{"lesions",
              {"class", "units", "task", "intact", "cost", "random_cost", "random_deviation",
               "margin_share", "predicted"},
              {},
              "Points of accuracy lost without a class of units"};
  double hit = 0, n_predicted = 0, spared = 0, n_others = 0;
  for (std::size_t l = 0; l < lesions.size(); l += 1 + n_random)
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      std::vector<double> random;
      for (std::size_t r = 1; r <= n_random; ++r)
        random.push_back(100 * (intact_[i] - accuracy[l + r][i]));
      double whole = 0, part = 0;
      for (std::size_t u = 0; u < n_; ++u) whole += epochs_[i].margin[u];
      for (const std::uint32_t u : lesions[l].units) part += epochs_[i].margin[u];
      const double share = whole > 0 ? part / whole : nan;
      const bool predicted = share >= o_.serves;
      const double cost = 100 * (intact_[i] - accuracy[l][i]);
      (predicted ? n_predicted : n_others) += 1;
      if (predicted)
        hit += cost >= 20;
      else
        spared += cost <= 5;
      table.add({std::string(unit_class_names[lesions[l].c]),
                 static_cast<std::int64_t>(lesions[l].units.size()), name(i), intact_[i], cost,
                 mean_of(random), deviation_of(random), share, predicted});
    }
  result.tables.push_back(std::move(table));
  const std::string claim = "lesions of a class hurt the tasks that it serves, and no others";
  const double hits = n_predicted > 0 ? hit / n_predicted : nan;
  const double spares = n_others > 0 ? spared / n_others : nan;
  evidence_.add({claim, std::string("share of predicted class-task pairs that lose >= 20 points"),
                 hits, std::string("1"), hits == 1});
  evidence_.add({claim, std::string("share of the other pairs that lose <= 5 points"), spares,
                 std::string("1"), spares == 1});
}

// Every weight replaced by the mean of its class.
void UncoupledPool::centres(AnalysisResult& result) {
  Network centred = s_.network.copy();
  std::vector<float> weights(centred.parameters().begin(), centred.parameters().end());
  for (std::size_t c = 0; c < n_unit_classes; ++c) {
    const std::vector<std::uint32_t> units = members(c);
    double sum = 0;
    for (const std::uint32_t i : units) sum += static_cast<double>(weights_[i]);
    for (const std::uint32_t i : units)
      weights[centred.layout().recurrent + i] =
          static_cast<float>(sum / static_cast<double>(units.size()));
  }
  centred.set_weights(weights);
  const std::vector<double> accuracy = scores(centred);
  Table table{"centres",
              {"task", "intact", "centred", "share"},
              {},
              "Accuracy with every weight at the mean of its class"};
  for (std::size_t i = 0; i < tasks_.size(); ++i)
    table.add({name(i), intact_[i], accuracy[i], accuracy[i] / intact_[i]});
  result.tables.push_back(std::move(table));
  const double kept = mean_of(accuracy) / mean_of(intact_);
  evidence_.add({std::string("lambda at the centre of its class is as good"),
                 std::string("share of the mean score that is kept"), kept, std::string(">= 0.95"),
                 kept >= 0.95});
}

}  // namespace lmrnn

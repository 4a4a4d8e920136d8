// weights: how recurrent weights depend on distance, where the wire length is, and the spectrum of
// W before and after training.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/dynamics.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
namespace {

struct WeightsOptions {
  std::int64_t bins = 20;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("bins", self.bins, "of the distribution of wire length by weight", between(1, 1000));
  }
};

struct Synapse {
  double weight, distance;
};

std::vector<Synapse> synapses_of(const Network& network, const Sheet& sheet) {
  const Mask& mask = network.architecture().recurrent;
  const float* w = network.parameters().data() + network.layout().recurrent;
  const bool placed = sheet.n_units() == mask.n_targets();
  std::vector<Synapse> synapses;
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const std::uint32_t source : mask.sources_of(target))
      synapses.push_back({static_cast<double>(*w++), placed ? sheet.distance(target, source) : 0});
  return synapses;
}

/// The synapses within areas.
std::vector<Synapse> with_distance(std::vector<Synapse> synapses) {
  std::erase_if(synapses, [](const Synapse& s) { return !std::isfinite(s.distance); });
  return synapses;
}

/// Measured places have as many distances as pairs, so distances are rounded to whole spacings.
Table distance_table(const std::vector<Synapse>& synapses, const Sheet& sheet) {
  std::map<double, std::vector<double>> by_distance;
  for (const Synapse& s : synapses) {
    if (!std::isfinite(s.distance)) continue;  // between areas
    const double distance =
        sheet.coordinates ? std::round(s.distance / sheet.spacing()) * sheet.spacing() : s.distance;
    by_distance[distance].push_back(s.weight);
  }
  Table table{"distance",
              {"distance", "synapses", "mean", "deviation", "mean_magnitude", "share_positive"},
              {},
              "Recurrent weights by distance on the sheet"};
  for (const auto& [distance, weights] : by_distance) {
    std::vector<double> magnitude;
    double positive = 0;
    for (const double w : weights) {
      magnitude.push_back(std::abs(w));
      positive += w > 0;
    }
    table.add({distance, static_cast<std::int64_t>(weights.size()), mean_of(weights),
               deviation_of(weights), mean_of(magnitude),
               positive / static_cast<double>(weights.size())});
  }
  return table;
}

/// Weights within areas and between them.
Table area_table(const Network& network, const Sheet& sheet) {
  const Mask& mask = network.architecture().recurrent;
  const float* w = network.parameters().data() + network.layout().recurrent;
  const std::size_t n = sheet.all_areas().size();
  std::vector<std::vector<double>> weights(n * n), magnitudes(n * n);
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const std::uint32_t source : mask.sources_of(target)) {
      const std::size_t pair = sheet.area_of(source) * n + sheet.area_of(target);
      weights[pair].push_back(static_cast<double>(*w++));
      magnitudes[pair].push_back(std::abs(weights[pair].back()));
    }
  Table table{"areas",
              {"from", "to", "synapses", "density", "mean", "deviation", "mean_magnitude"},
              {},
              "Recurrent weights within areas and between them"};
  for (const AreaStatistics& s : area_statistics(mask, sheet)) {
    const std::size_t pair = s.from * n + s.to;
    table.add({sheet.all_areas()[s.from].name, sheet.all_areas()[s.to].name,
               static_cast<std::int64_t>(s.n_synapses), s.density, mean_of(weights[pair]),
               deviation_of(weights[pair]), mean_of(magnitudes[pair])});
  }
  return table;
}

// Synapses in groups of equal size by magnitude: how long are strong ones?
Table wire_table(std::vector<Synapse> synapses, std::size_t n_bins) {
  std::ranges::stable_sort(synapses, {}, [](const Synapse& s) { return std::abs(s.weight); });
  Table table{"wire_length",
              {"bin", "synapses", "least_magnitude", "most_magnitude", "mean_length",
               "deviation_of_length"},
              {},
              "Length of wire by magnitude of the weight"};
  n_bins = std::min(n_bins, synapses.size());
  for (std::size_t b = 0; b < n_bins; ++b) {
    const std::size_t first = b * synapses.size() / n_bins;
    const std::size_t last = (b + 1) * synapses.size() / n_bins;
    std::vector<double> lengths;
    for (std::size_t i = first; i < last; ++i) lengths.push_back(synapses[i].distance);
    table.add({static_cast<std::int64_t>(b), static_cast<std::int64_t>(lengths.size()),
               std::abs(synapses[first].weight), std::abs(synapses[last - 1].weight),
               mean_of(lengths), deviation_of(lengths)});
  }
  return table;
}

void add_spectrum(const Network& network, const std::string& when, Table& table) {
  const Eigen::MatrixXd w = recurrent_matrix(network);
  if (network.architecture().recurrent.is_diagonal()) {
    for (Eigen::Index i = 0; i < w.rows(); ++i) table.add({when, w(i, i), 0.0});
    return;
  }
  for (const std::complex<double>& lambda : all_eigenvalues(w))
    table.add({when, lambda.real(), lambda.imag()});
}

AnalysisResult weights(const Subject& subject, const WeightsOptions& options,
                       const AnalysisContext& context) {
  const Sheet& sheet = subject.trained.sheet;
  const std::vector<Synapse> synapses = synapses_of(subject.network, sheet);
  Table spectrum{
      "spectrum", {"when", "real", "imaginary"}, {}, "Eigenvalues of the recurrent weights"};
  const std::optional<Subject> before = context.untrained ? context.untrained() : std::nullopt;
  std::array<Table, 2> parts;
  for_each_item(context, 2, "spectrum", [&](std::size_t i) {
    if (i == 0) add_spectrum(subject.network, "trained", parts[0]);
    if (i == 1 && before) add_spectrum(before->network, "untrained", parts[1]);
  });
  for (Table& part : parts)
    for (auto& row : part.rows) spectrum.add(std::move(row));
  double radius = 0;
  for (const auto& row : spectrum.rows)
    if (std::get<std::string>(row[0]) == "trained")
      radius = std::max(radius, std::hypot(std::get<double>(row[1]), std::get<double>(row[2])));
  std::vector<double> magnitude, distance;
  std::vector<double> near;  // within areas, where distances are defined
  for (const Synapse& s : synapses) {
    magnitude.push_back(std::abs(s.weight));
    if (!std::isfinite(s.distance)) continue;
    near.push_back(std::abs(s.weight));
    distance.push_back(s.distance);
  }
  AnalysisResult result;
  result.headline("synapses", static_cast<std::int64_t>(synapses.size()));
  result.headline("mean_magnitude", mean_of(magnitude));
  result.headline("correlation_magnitude_distance", correlation(near, distance));
  result.headline("spectral_radius", radius);
  result.headline("untrained_known", before.has_value());
  result.tables = {distance_table(synapses, sheet),
                   wire_table(with_distance(synapses), static_cast<std::size_t>(options.bins)),
                   std::move(spectrum)};
  if (sheet.areas && sheet.n_units() == subject.network.architecture().n_units())
    result.tables.push_back(area_table(subject.network, sheet));
  return result;
}

}  // namespace

AnalysisEntry weights_entry() {
  return analysis_entry<WeightsOptions, weights>(
      "weights", "weight against distance, and the spectrum before and after training");
}

}  // namespace lmrnn

#include "analysis/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "lmrnn/analysis.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {

std::span<const AnalysisEntry> analyses() noexcept {
  // The order of lmrnn analyze --list.
  static const AnalysisEntry catalogue[] = {
      record_entry(),     fixed_points_entry(), ring_entry(),       autapse_entry(),
      variance_entry(),   sheet_entry(),        modularity_entry(), dimensionality_entry(),
      similarity_entry(), psychometric_entry(), pruning_entry(),    extrapolation_entry(),
      confusion_entry(),  weights_entry(),
  };
  return catalogue;
}

const AnalysisEntry& find_analysis(std::string_view name) {
  const auto found = std::ranges::find(analyses(), name, &AnalysisEntry::name);
  if (found != analyses().end()) return *found;
  std::vector<std::string> known;
  for (const AnalysisEntry& entry : analyses()) known.emplace_back(entry.name);
  throw UsageError(fmt::format("there is no analysis \"{}\"{}", name,
                               did_you_mean(name, known, "; see lmrnn analyze --list")));
}

}  // namespace lmrnn

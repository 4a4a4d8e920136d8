#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "analysis/entry.hpp"
#include "analysis/makers.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

constexpr AnalysisEntry catalogue[] = {
    analysis_entry<RecordOptions, record>(
        "record", "activity, inputs, outputs and conditions of chosen trials, as HDF5"),
    analysis_entry<FixedPointOptions, fixed_points>(
        "fixed-points", "fixed and slow points under constant input, and their stability"),
    analysis_entry<RingOptions, ring>(
        "ring", "is the delay held by a ring attractor? Seven tests, drift, diffusion"),
    analysis_entry<AutapseOptions, autapse>(
        "autapse", "units of an uncoupled pool as scalar maps: classes, lesions, hand-made pools"),
    analysis_entry<VarianceOptions, variance>(
        "variance", "task variance of units, their clusters, and what each cluster is for"),
    analysis_entry<SheetOptions, sheet>(
        "sheet", "is selectivity laid out on the sheet? Maps and Moran's I against permutation"),
    analysis_entry<ModularityOptions, modularity>(
        "modularity", "modularity of weights and of activity, against nulls; small-worldness"),
    analysis_entry<DimensionalityOptions, dimensionality>(
        "dimensionality", "principal components, participation ratio, dimensions tasks share"),
    analysis_entry<SimilarityOptions, similarity>(
        "similarity", "how alike two networks are: representation (CKA) and dynamics (DSA)"),
    analysis_entry<PsychometricOptions, psychometric>(
        "psychometric", "accuracy and choice against evidence, delay and direction"),
    analysis_entry<PruningOptions, pruning>(
        "pruning", "accuracy without the weakest synapses and the least important units"),
    analysis_entry<ExtrapolationOptions, extrapolation>(
        "extrapolation", "accuracy at longer delays and with more noise than trained"),
    analysis_entry<ConfusionOptions, confusion>("confusion",
                                                "which direction is answered for which"),
    analysis_entry<WeightsOptions, weights>(
        "weights", "weight against distance, and the spectrum before and after training"),
};

}  // namespace

std::span<const AnalysisEntry> analyses() noexcept {
  return catalogue;
}

const AnalysisEntry& find_analysis(std::string_view name) {
  const auto found = std::ranges::find(catalogue, name, &AnalysisEntry::name);
  if (found != std::end(catalogue)) return *found;
  std::vector<std::string> known;
  for (const AnalysisEntry& entry : catalogue) known.emplace_back(entry.name);
  const std::string hint = did_you_mean(name, known);
  throw UsageError(fmt::format("there is no analysis \"{}\"{}", name,
                               hint.empty() ? "; see lmrnn analyze --list" : hint));
}

}  // namespace lmrnn

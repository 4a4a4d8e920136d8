#include "train/source_signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "lmrnn/continuous.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Json = nlohmann::ordered_json;

/// Nothing if the array is empty.
template <class Values>
void add_sums(std::vector<SourceSignature::Sums>& sums, const char* name, const Values& values) {
  if (values.empty()) return;
  std::mt19937 generator;  // the standard says which numbers it gives
  double squares = 0, projection = 0;
  for (const auto value : values) {
    const auto x = static_cast<double>(value);
    squares += x * x;
    projection += x * (static_cast<double>(generator()) * 0x1p-31 - 1);
  }
  sums.push_back({name, std::sqrt(squares), projection});
}

/// Rounding changes sums by much less, other data by much more.
bool alike(const SourceSignature::Sums& a, const SourceSignature::Sums& b) {
  const double most = 1e-4 * std::max(a.norm, b.norm);
  return a.array == b.array && std::abs(a.norm - b.norm) <= most &&
         std::abs(a.projection - b.projection) <= most;
}

}  // namespace

SourceSignature signature_of(const BatchSource& source, const RunConfig& config) {
  const BatchShape shape = source.shape();
  const auto n_steps = static_cast<std::size_t>(config.stream.steps),
             n_rows = static_cast<std::size_t>(config.stream.batch);
  Trials trials(n_steps, n_rows, shape.n_channels, shape.n_rule_slots,
                {.loss_weights = true, .trial_starts = true, .tasks = true, .scored = true});
  const std::size_t n_outputs = n_target_outputs(source);
  Buffer<float> outputs(n_steps * n_rows * n_outputs);
  fill_with_outputs(source, config.evaluation.split, 0, 0, trials.rows(),
                    {outputs.data(), n_steps, n_rows, n_outputs});
  SourceSignature signature;
  if (const ContinuousSource* numbers = continuous(source))
    signature.tolerance = numbers->tolerance();
  add_sums(signature.arrays, "inputs", trials.inputs);
  add_sums(signature.arrays, "rules", trials.rules);
  if (outputs.empty()) add_sums(signature.arrays, "targets", trials.targets);
  add_sums(signature.arrays, "targets", outputs);
  add_sums(signature.arrays, "mask", trials.loss_weights);
  add_sums(signature.arrays, "trial_starts", trials.trial_starts);
  add_sums(signature.arrays, "tasks", trials.step_tasks);
  add_sums(signature.arrays, "scored", trials.scored);
  return signature;
}

std::string difference(const SourceSignature& before, const SourceSignature& now, Split split) {
  if (std::abs(before.tolerance - now.tolerance) > 1e-6 * before.tolerance)
    return fmt::format("tolerance = {} instead of {}", now.tolerance, before.tolerance);
  for (const SourceSignature::Sums& sums : now.arrays)
    for (const SourceSignature::Sums& old : before.arrays)
      if (old.array == sums.array && !alike(old, sums))
        return fmt::format("other {} in {} batch 0", sums.array, to_name(split));
  return {};
}

Json to_json(const SourceSignature& signature) {
  Json json{{"tolerance", signature.tolerance}};
  for (const SourceSignature::Sums& sums : signature.arrays)
    json["arrays"][sums.array] = {{"norm", sums.norm}, {"projection", sums.projection}};
  return json;
}

SourceSignature signature_from(const Json& json, const std::string& file) try {
  SourceSignature signature{.tolerance = json.at("tolerance").get<double>(), .arrays = {}};
  for (const auto& [array, sums] : json.at("arrays").items())
    signature.arrays.push_back(
        {array, sums.at("norm").get<double>(), sums.at("projection").get<double>()});
  return signature;
} catch (const Json::exception&) {
  throw UsageError(
      fmt::format("{}: \"data\" is damaged; restore the file, or start a new run", file));
}

}  // namespace lmrnn

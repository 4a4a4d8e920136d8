// What a run recognises its own data by, when it is resumed or taken up again.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lmrnn/run_config.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

/// The first held-out batch of a source, in a few numbers. They are sums, compared with a
/// tolerance, and not a hash: the data of a run that is resumed on another processor may differ in
/// their last digits.
struct SourceSignature {
  struct Sums {
    std::string array;      ///< "inputs", "targets", ...
    double norm = 0;        ///< square root of the sum of squares
    double projection = 0;  ///< product with a fixed vector of random numbers
  };
  double tolerance = 0;  ///< of continuous targets; 0: targets are classes
  std::vector<Sums> arrays;
};

/// Asks for batch 0 of the split that the configuration evaluates on.
SourceSignature signature_of(const BatchSource& source, const RunConfig& config);

/// In words, what is not the same ("other inputs in validation batch 0"); empty if nothing is.
std::string difference(const SourceSignature& before, const SourceSignature& now, Split split);

nlohmann::ordered_json to_json(const SourceSignature& signature);
/// Throws UsageError naming `file` if this is no signature.
SourceSignature signature_from(const nlohmann::ordered_json& json, const std::string& file);

}  // namespace lmrnn

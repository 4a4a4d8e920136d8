// Text and JSON of the parameters and the arithmetic of a network.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "lmrnn/network.hpp"

namespace lmrnn::cli {

/// A list with one object per part.
nlohmann::ordered_json to_json(std::span<const CostRow> costs);

/// A table with a row per part and their sum; each line begins with `prefix`.
std::string cost_text(std::span<const CostRow> costs, const std::string& prefix = "");

}  // namespace lmrnn::cli

#include "cost_table.hpp"

#include <fmt/format.h>

namespace lmrnn::cli {

nlohmann::ordered_json to_json(std::span<const CostRow> costs) {
  auto list = nlohmann::ordered_json::array();
  for (const CostRow& row : costs)
    list.push_back({{"part", row.part},
                    {"parameters", row.n_parameters},
                    {"multiply_adds_forward", row.multiply_adds_forward},
                    {"multiply_adds_backward", row.multiply_adds_backward}});
  return list;
}

std::string cost_text(std::span<const CostRow> costs, const std::string& prefix) {
  const auto line = [&](const CostRow& row) {
    return fmt::format("{}{:<12} {:>12} {:>12.0f} {:>12.0f}\n", prefix, row.part, row.n_parameters,
                       row.multiply_adds_forward, row.multiply_adds_backward);
  };
  std::string text = fmt::format("{}{:<12} {:>12} {:>12} {:>12}\n", prefix, "part", "parameters",
                                 "forward", "backward");
  CostRow sum{.part = "all"};
  for (const CostRow& row : costs) {
    text += line(row);
    sum.n_parameters += row.n_parameters;
    sum.multiply_adds_forward += row.multiply_adds_forward;
    sum.multiply_adds_backward += row.multiply_adds_backward;
  }
  return text + line(sum) + prefix + "(multiply-adds per trial and time step)\n";
}

}  // namespace lmrnn::cli

// Work in parallel with progress and a way to stop.
#pragma once

#include <functional>
#include <string_view>

#include "lmrnn/analysis.hpp"

namespace lmrnn {

/// Calls item(i) for every i < n in the pool, reports to `context.progress` and polls
/// `context.stop_requested`. Throws Interrupted if that returns true.
void for_each_item(const AnalysisContext& context, std::size_t n, std::string_view what,
                   const std::function<void(std::size_t)>& item);

/// The same, one item after another, for work that uses the pool itself or cannot run in parallel.
void for_each_in_turn(const AnalysisContext& context, std::size_t n, std::string_view what,
                      const std::function<void(std::size_t)>& item);

/// Indices into subject.battery.tasks() of the tasks that `expression` selects among those that
/// the network was trained on; all of them if it is empty. Throws UsageError if none is left.
std::vector<std::size_t> chosen_tasks(const Battery& battery, const std::string& expression);

}  // namespace lmrnn

#include "analysis/work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

void check_stop(const AnalysisContext& context) {
  if (context.stop_requested && context.stop_requested())
    throw Interrupted("interrupted; nothing was written");
}

}  // namespace

void for_each_item(const AnalysisContext& context, std::size_t n, std::string_view what,
                   const std::function<void(std::size_t)>& item) {
  std::mutex mutex;
  std::size_t done = 0;
  context.pool.for_each(n, [&](std::size_t i) {
    {
      const std::scoped_lock lock(mutex);
      check_stop(context);
    }
    item(i);
    const std::scoped_lock lock(mutex);
    ++done;
    if (context.progress) context.progress(done, n, what);
  });
}

void for_each_in_turn(const AnalysisContext& context, std::size_t n, std::string_view what,
                      const std::function<void(std::size_t)>& item) {
  for (std::size_t i = 0; i < n; ++i) {
    check_stop(context);
    item(i);
    if (context.progress) context.progress(i + 1, n, what);
  }
}

std::vector<std::size_t> chosen_tasks(const Battery& battery, const std::string& expression) {
  const auto all = battery.tasks();
  std::vector<std::size_t> tasks(all.size());
  std::iota(tasks.begin(), tasks.end(), std::size_t{0});
  if (expression.empty()) return tasks;
  const std::vector<Task> wanted = select_tasks(expression);
  std::erase_if(tasks,
                [&](std::size_t t) { return std::ranges::find(wanted, all[t]) == wanted.end(); });
  if (tasks.empty())
    throw UsageError(
        fmt::format("tasks = \"{}\": the network was trained on none of these; see "
                    "lmrnn info for those that it knows",
                    expression));
  return tasks;
}

}  // namespace lmrnn

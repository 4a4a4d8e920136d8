// Expressions that select tasks: names, collections, globs, exclusions.
#include <algorithm>

#include "lmrnn/tasks.hpp"
#include "target.hpp"

using namespace lmrnn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view expression = fuzz::text_of(data, size);
  fuzz::accepts([&] {
    const std::vector<Task> tasks = select_tasks(expression);
    if (tasks.empty()) fuzz::broken("a selection is never empty");
    if (!std::ranges::is_sorted(tasks, std::ranges::less_equal{}, &Task::number))
      fuzz::broken("tasks are in collection order, without repetition");
    for (const Task task : tasks)
      if (!(parse_task(task.name()) == task)) fuzz::broken("names read back");
  });
  return 0;
}

// The inverse: pools built by hand from the rules, compared with the trained one.
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/autapse/pools.hpp"
#include "analysis/autapse/uncoupled_pool.hpp"
#include "analysis/work.hpp"

namespace lmrnn {

void UncoupledPool::pools(AnalysisResult& result) const {
  if (!o_.pools) return;
  std::vector<std::size_t> buildable;
  for (const std::size_t t : tasks_)
    if (has_hand_made_pool(s_.battery.tasks()[t])) buildable.push_back(t);
  if (alpha_ != 1) buildable.clear();  // the hand-made units have no leak
  Table table{"pools",
              {"task", "units", "accuracy", "ceiling", "share_of_ceiling", "trained_pool"},
              {},
              "Pools built by hand from the rules, without training"};
  double worst = std::numeric_limits<double>::quiet_NaN();
  for_each_in_turn(context_, buildable.size(), "hand-made pool", [&](std::size_t i) {
    const Network pool = hand_made_pool(s_.battery, buildable[i]);
    const Evaluation e =
        Evaluator(s_.battery, context_.seed, Split::test, static_cast<std::size_t>(o_.trials),
                  context_.pool, {buildable[i]})
            .evaluate(pool, context_.pool);
    const TaskScore& score = e.tasks.front();
    const auto slot =
        static_cast<std::size_t>(std::ranges::find(tasks_, buildable[i]) - tasks_.begin());
    table.add({score.name, static_cast<std::int64_t>(pool.architecture().n_units()),
               score.decision_accuracy, score.ceiling.decision_accuracy.value,
               score.share_of_ceiling, intact_[slot]});
    worst = std::isnan(worst) ? score.share_of_ceiling : std::min(worst, score.share_of_ceiling);
  });
  result.headline("worst_hand_made_share_of_ceiling", worst);
  result.tables.push_back(std::move(table));
}

}  // namespace lmrnn

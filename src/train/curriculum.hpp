// The training data of a curriculum: stages, and frequencies that favour tasks that are not yet
// learned.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lmrnn/run_config.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

/// Throws UsageError for a curriculum that does not fit the rest of the configuration.
void check_curriculum(const RunConfig& config);

/// The battery of each stage: tasks that it leaves out have weight 0, so that rules and channels
/// are those of the whole battery. Without stages, only the whole battery. UsageErrors name the
/// stage.
std::vector<Battery> stage_batteries(const RunConfig& config);

/// The warning of `warning_of_short_rows` for the first stage that has one; otherwise nothing.
std::optional<std::string> warning_of_short_rows(const RunConfig& config);

/// Frequencies of tasks, adapted to how far each is below its ceiling:
///
///   p = f (1 - a + a g / sum f g),   g = max(0, 1 - share)
///
/// with f the frequencies without adaptation (task; their sum is 1), `shares` the accuracies as
/// shares of the ceiling (task) and a = `adaptive`. If all tasks are at their ceiling, p = f.
std::vector<double> adapted_frequencies(std::span<const double> frequencies,
                                        std::span<const double> shares, double adaptive);

/// The training data of a battery with a curriculum: the batch of step s comes from the stage of s.
/// Losses weigh steps as without adaptation: loss.balance = "tasks" compensates for
/// battery.weights, not for adapted frequencies.
class CurriculumSource final : public BatchSource {
 public:
  explicit CurriculumSource(const RunConfig& config);

  std::string name() const override;
  BatchShape shape() const override;
  std::vector<std::string> tasks() const override;
  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override;

  /// Sets the shares of the ceiling (task), those of the last evaluation, by which batches are
  /// drawn from now on. Do not call it while another thread fills rows.
  void adapt(std::span<const double> shares);

 private:
  struct Phase {
    std::int64_t first_step;
    Battery battery;  ///< without adaptation
    std::shared_ptr<const BatchSource> source;
  };
  RunConfig config_;
  std::vector<Phase> phases_;
};

}  // namespace lmrnn

// The training data of a curriculum: stages, and tasks drawn more often the less they are learned.
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
/// are those of the whole battery. Without stages, the whole battery alone. Throws UsageError that
/// names the stage.
std::vector<Battery> stage_batteries(const RunConfig& config);

/// The warning of `warning_of_short_rows` for the first stage that has one; else nothing.
std::optional<std::string> warning_of_short_rows(const RunConfig& config);

/// Frequencies of tasks, by what each lacks of its ceiling:
///
///   p = f (1 - a + a g / sum f g),   g = max(0, 1 - share)
///
/// with f the frequencies without adaptation (task; their sum is 1), `shares` the accuracies as
/// shares of the ceiling (task) and a = `adaptive`. Where nothing is lacking, p = f.
std::vector<double> adapted_frequencies(std::span<const double> frequencies,
                                        std::span<const double> shares, double adaptive);

/// What a battery with a curriculum is trained on: the batch of step s is of the stage that s lies
/// in. Losses weigh steps as without adaptation: loss.balance = "tasks" makes up for
/// battery.weights, not for what is adapted.
class CurriculumSource final : public BatchSource {
 public:
  explicit CurriculumSource(const RunConfig& config);

  std::string name() const override;
  BatchShape shape() const override;
  std::vector<std::string> tasks() const override;
  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override;

  /// From now on, batches are drawn by these shares of the ceiling (task), those of the last
  /// evaluation. Not while another thread fills rows.
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

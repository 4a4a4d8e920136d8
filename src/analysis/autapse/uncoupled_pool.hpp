// An uncoupled pool under the autapse analysis: classes of units, and whether these explain what
// the pool does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/numerics/dynamics.hpp"
#include "analysis/units/unit_epochs.hpp"
#include "lmrnn/evaluate.hpp"

namespace lmrnn {

class UncoupledPool {
 public:
  UncoupledPool(const Subject& subject, const AutapseOptions& options,
                const AnalysisContext& context);

  void units(AnalysisResult& result) const;
  void epochs(AnalysisResult& result) const;
  void lesions(AnalysisResult& result);
  void centres(AnalysisResult& result);
  void delays(AnalysisResult& result);
  void pools(AnalysisResult& result) const;
  void evidence(AnalysisResult& result) const { result.tables.push_back(evidence_); }

 private:
  double lambda(std::size_t unit, double slope) const {
    return 1 - alpha_ + alpha_ * static_cast<double>(weights_[unit]) * slope;
  }
  void classify_units();
  std::vector<std::uint32_t> members(std::size_t of_class) const;
  std::vector<double> scores(const Network& network) const;
  std::string name(std::size_t i) const { return s_.battery.tasks()[tasks_[i]].name(); }
  TrialBatch delayed_trials(std::size_t task, double multiple) const;
  double predicted_accuracy(const Dynamics& dynamics, std::size_t task, double multiple) const;

  const Subject& s_;
  const AutapseOptions& o_;
  const AnalysisContext& context_;
  std::vector<std::size_t> tasks_;
  std::size_t n_;
  double alpha_;
  const float* weights_;
  Evaluator evaluator_;
  std::vector<Epochs> epochs_;
  std::vector<double> lambda_, active_;  // by unit, over all tasks and periods
  std::vector<UnitClass> classes_;
  std::vector<double> intact_;
  Table evidence_{"evidence",
                  {"claim", "measure", "value", "threshold", "passed"},
                  {},
                  "Is the mechanism what the classes say?"};
};

}  // namespace lmrnn

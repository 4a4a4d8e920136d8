#include "lmrnn/continuous.hpp"

namespace lmrnn {

const ContinuousSource* continuous(const BatchSource& source) noexcept {
  const auto* found = dynamic_cast<const ContinuousSource*>(&source);
  return found != nullptr && found->tolerance() != 0 ? found : nullptr;
}

std::size_t n_target_outputs(const BatchSource& source) {
  return continuous(source) != nullptr ? source.shape().n_classes : 0;
}

void fill_with_outputs(const BatchSource& source, Split split, std::uint32_t batch,
                       std::uint32_t first_row, TrialRows rows, const TrialArray<float>& outputs) {
  const ContinuousSource* numbers = continuous(source);
  if (numbers != nullptr) rows.targets = {};
  source.fill(split, batch, first_row, rows);
  if (numbers != nullptr) numbers->fill_outputs(split, batch, first_row, outputs);
}

}  // namespace lmrnn

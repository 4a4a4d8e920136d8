#include "train/learner.hpp"

#include <cmath>
#include <numeric>

namespace lmrnn {
namespace {

std::vector<BatchBlock> make_blocks(const BatchSource& source, const RunConfig& config) {
  std::vector<BatchBlock> blocks;
  const std::size_t rows_per_block = block_rows(config.train, config.stream);
  const auto n_rows = static_cast<std::size_t>(config.stream.batch);
  for (std::size_t first = 0; first < n_rows; first += rows_per_block)
    blocks.emplace_back(source, config.stream, first, std::min(rows_per_block, n_rows - first));
  return blocks;
}

}  // namespace

bool StepResult::finite() const noexcept {
  return std::isfinite(loss) && std::isfinite(gradient_norm);
}

Learner::Learner(const RunConfig& config, std::shared_ptr<const BatchSource> source,
                 Network network, std::int64_t first_step, ThreadPool& pool)
    : config_(config),
      pool_(pool),
      source_(std::move(source)),
      network_(std::move(network)),
      optimiser_(config.optimiser, network_.layout().total),
      slices_(parameter_slices(network_.layout(), config.optimiser, config.loss)),
      step_(first_step) {
  for (auto& batch : batches_) batch = make_blocks(*source_, config);
  block_gradients_.resize(n_blocks() * network_.layout().total);
  block_results_.resize(n_blocks());
  gradient_.resize(network_.layout().total);
  auto& batch = batches_[static_cast<std::size_t>(step_ % 2)];
  pool_.for_each(batch.size(), [&](std::size_t i) {
    batch[i].fill(*source_, static_cast<std::uint32_t>(step_));
  });
}

void Learner::compute_block(std::size_t block, const std::vector<BatchBlock>& batch,
                            double weight) {
  const BatchBlock& rows = batch[block];
  const double cells = static_cast<double>(config_.stream.steps) *
                       static_cast<double>(config_.stream.batch) *
                       static_cast<double>(network_.architecture().n_units());
  const LossOptions options{.kind = config_.loss.kind,
                            .scale = weight > 0 ? 1 / weight : 0,
                            .rate_penalty = config_.loss.rate_penalty / cells,
                            .recompute = config_.train.recompute};
  const RecurrentNoise noise{.sigma = config_.network.recurrent_noise,
                             .key = {config_.run_seed(), Stream::recurrent_noise, Split::train,
                                     static_cast<std::uint32_t>(step_), 0},
                             .first_row = rows.first_row()};
  const std::size_t n = network_.layout().total;
  auto workspace = workspaces_.borrow();
  block_results_[block] = network_.loss_and_gradient(
      rows.view(), noise, options, std::span(block_gradients_).subspan(block * n, n), *workspace);
}

double Learner::weight_penalty() const noexcept {
  double total = 0;
  for (const ParameterSlice& slice : slices_) {
    if (slice.weight_penalty <= 0) continue;
    double squares = 0;
    for (const float w : network_.parameters().subspan(slice.first, slice.last - slice.first))
      squares += static_cast<double>(w) * w;
    total += 0.5 * slice.weight_penalty * squares;
  }
  return total;
}

double Learner::add_gradients() {
  std::vector<double> squares(slices_.size());
  const std::span<const float> parameters = std::as_const(network_).parameters();
  pool_.for_each(slices_.size(), [&](std::size_t i) {
    squares[i] = add_block_gradients(slices_[i], block_gradients_, parameters, gradient_);
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

void Learner::apply(double scale) {
  const double factor = schedule_factor(config_.schedule, step_, config_.train.steps);
  const std::span<float> parameters = network_.parameters();
  pool_.for_each(slices_.size(), [&](std::size_t i) {
    optimiser_.update(slices_[i], step_, factor, scale, gradient_, parameters);
  });
  network_.weights_changed();
}

StepResult Learner::step() {
  const auto& batch = batches_[static_cast<std::size_t>(step_ % 2)];
  auto& next = batches_[static_cast<std::size_t>((step_ + 1) % 2)];
  double weight = 0;
  StepResult result;
  for (const BatchBlock& rows : batch) {
    weight += rows.weight();
    result.trials += rows.trials();
  }
  // The next step's data are items of the same round: threads that have no block left to compute
  // turn to them, so generation hides behind the slowest block.
  const std::size_t n = batch.size();
  pool_.for_each(2 * n, [&](std::size_t i) {
    if (i < n)
      compute_block(i, batch, weight);
    else
      next[i - n].fill(*source_, static_cast<std::uint32_t>(step_ + 1));
  });

  double squares = 0;
  for (const LossResult& block : block_results_) {
    result.loss += block.weighted_loss;
    squares += block.rate_square;
  }
  if (weight > 0) result.loss /= weight;
  if (config_.loss.rate_penalty > 0)
    result.loss +=
        config_.loss.rate_penalty * squares /
        (static_cast<double>(config_.stream.steps) * static_cast<double>(config_.stream.batch) *
         static_cast<double>(network_.architecture().n_units()));
  result.loss += weight_penalty();
  result.gradient_norm = add_gradients();
  if (!result.finite()) return result;
  const double limit = config_.optimiser.clip;
  result.clipped = limit > 0 && result.gradient_norm > limit;
  apply(result.clipped ? limit / result.gradient_norm : 1);
  ++step_;
  return result;
}

}  // namespace lmrnn

#include "train/learner.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lmrnn/continuous.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

std::vector<BatchBlock> make_blocks(const BatchSource& source, const RunConfig& config,
                                    std::size_t first_block, std::size_t last_block) {
  std::vector<BatchBlock> blocks;
  const std::size_t rows_per_block = block_rows(config.train, config.stream);
  const auto n_rows = static_cast<std::size_t>(config.stream.batch);
  const BatchShape shape = source.shape();
  for (std::size_t block = first_block; block < last_block; ++block) {
    const std::size_t first = block * rows_per_block;
    blocks.emplace_back(shape, config.stream, first, std::min(rows_per_block, n_rows - first),
                        n_target_outputs(source));
  }
  return blocks;
}

/// The trained parameters, divided into slices.
std::vector<ParameterSlice> trained_slices(const RunConfig& config, const Network& network) {
  const Mask& recurrent = network.architecture().recurrent;
  const Mask plastic = make_subset(recurrent, config.wiring, config.wiring.plastic,
                                   "wiring.plastic", config.run_seed());
  const ParameterLayout& layout = network.layout();
  return restrict_to_plastic(parameter_slices(layout, config.optimiser, config.loss), layout,
                             recurrent, plastic, config.optimiser.in_degree_power);
}

RunConfig with_wiring(RunConfig config, std::optional<WiringConfig>&& wiring) {
  if (wiring) config.wiring = *std::move(wiring);
  return config;
}

// Its square is just below the largest number of single precision. A larger gradient would make
// Adam's second moment infinite, and the weight would never move again.
constexpr double largest_norm = 1.8e19;

}  // namespace

bool StepResult::finite() const noexcept {
  return std::isfinite(loss) && std::isfinite(gradient_norm) && !overflows;
}

Learner::Learner(const RunConfig& config, std::shared_ptr<const BatchSource> source,
                 Network network, std::int64_t first_step, ThreadPool& pool, Processes* processes,
                 FromFiles known)
    : config_(with_wiring(config, std::move(known.wiring))),
      pool_(pool),
      processes_(processes),
      source_(std::move(source)),
      network_(std::move(network)),
      optimiser_(config.optimiser, network_.layout().total),
      slices_(trained_slices(config_, network_)),
      sheet_(known.sheet ? *std::move(known.sheet) : make_sheet(config_.wiring)),
      synapse_terms_(config_, sheet_, network_.architecture(), network_.layout()),
      gains_(config_, network_, slices_,
             known.gains ? *std::move(known.gains) : initial_gains(config_, network_)),
      step_(first_step) {
  const std::size_t rows = block_rows(config.train, config.stream);
  const std::size_t n_blocks = (static_cast<std::size_t>(config.stream.batch) + rows - 1) / rows;
  std::size_t last_block = n_blocks;
  if (processes_) {
    if (n_blocks < static_cast<std::size_t>(processes_->n()))
      throw UsageError(
          fmt::format("{} processes, but only {} blocks of trials; start fewer, or set train.block "
                      "so that batch / block is at least as many",
                      processes_->n(), n_blocks));
    first_block_ = processes_->first_item(processes_->rank(), n_blocks);
    last_block = processes_->first_item(processes_->rank() + 1, n_blocks);
  }
  for (Batch& batch : batches_) {
    batch.blocks = make_blocks(*source_, config, first_block_, last_block);
    batch.sums.resize(n_blocks);
  }
  if (continuous(*source_) != nullptr) continuous_.emplace(network_);
  if (config.train.average > 0) average_.emplace(network_.copy());
  block_gradients_.resize(n_blocks * network_.layout().total);
  block_results_.resize(n_blocks);
  gradient_.resize(network_.layout().total);
  refill();
}

void Learner::refill() {
  Batch& batch = batches_[static_cast<std::size_t>(step_ % 2)];
  pool_.for_each(own_blocks_of(step_), [&](std::size_t i) {
    batch.blocks[i].fill(*source_, static_cast<std::uint32_t>(step_));
  });
  share_sums(batch, own_blocks_of(step_));
  ahead_.reset();
}

std::size_t Learner::blocks_of(std::int64_t step) const noexcept {
  const std::size_t per_block = block_rows(config_.train, config_.stream);
  return (batch_rows(config_, step) + per_block - 1) / per_block;
}

std::size_t Learner::own_blocks_of(std::int64_t step) const noexcept {
  const std::size_t n = blocks_of(step);
  return n <= first_block_ ? 0 : std::min(n - first_block_, batches_[0].blocks.size());
}

const Network& Learner::result() {
  if (!average_) return network_;
  average_writer_.reset();
  return *average_;
}

void Learner::set_weights(std::span<const float> weights) {
  network_.set_weights(weights);
  ahead_.reset();
}

// The weight of the whole batch scales every gradient, so the processes share it before the first
// one.
void Learner::share_sums(Batch& batch, std::size_t n_filled) {
  std::ranges::fill(batch.sums, Batch::Sums{});
  for (std::size_t i = 0; i < n_filled; ++i)
    batch.sums[first_block_ + i] = {batch.blocks[i].weight, batch.blocks[i].n_begun};
  if (processes_) processes_->share(batch.sums.data(), sizeof(Batch::Sums), batch.sums.size());
}

void Learner::compute_block(std::size_t block, const Batch& batch, double weight) {
  const BatchBlock& rows = batch.blocks[block - first_block_];
  const double cells = states_of(step_);
  const LossOptions options{.kind = config_.loss.kind,
                            .scale = weight > 0 ? 1 / weight : 0,
                            .rate_penalty = config_.loss.rate_penalty / cells,
                            .recompute = config_.train.recompute};
  const RecurrentNoise noise{.sigma = config_.network.recurrent_noise,
                             .key = {config_.run_seed(), RandomPurpose::recurrent_noise,
                                     Split::train, static_cast<std::uint32_t>(step_), 0},
                             .first_row = rows.first_row};
  const std::size_t n = network_.layout().total;
  const std::span<float> gradient = std::span(block_gradients_).subspan(block * n, n);
  const TrialView trials = rows.trials.view(config_.stream.reset_at_trial);
  if (continuous_) {
    block_results_[block] = continuous_->loss_and_gradient(network_, trials, rows.outputs_view(),
                                                           noise, options, gradient);
    return;
  }
  auto workspace = workspaces_.borrow();
  block_results_[block] = network_.loss_and_gradient(trials, noise, options, gradient, *workspace);
}

double Learner::states_of(std::int64_t step) const noexcept {
  return static_cast<double>(config_.stream.steps) *
         static_cast<double>(batch_rows(config_, step)) *
         static_cast<double>(network_.architecture().n_units());
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

double Learner::wire_penalty() const noexcept {
  double total = 0;
  for (const ParameterSlice& slice : slices_) {
    const std::span<const float> costs = synapse_terms_.wire_costs(slice);
    for (std::size_t k = 0; k < costs.size(); ++k)
      total += static_cast<double>(costs[k]) * std::abs(network_.parameters()[slice.first + k]);
  }
  return total;
}

double Learner::add_gradients() {
  std::vector<double> squares(slices_.size());
  const std::span<const float> parameters = network_.parameters();
  const auto gradients =
      std::span<const float>(block_gradients_).first(blocks_of(step_) * gradient_.size());
  pool_.for_each(slices_.size(), [&](std::size_t i) {
    squares[i] = add_block_gradients(slices_[i], gradients, parameters, gradient_,
                                     synapse_terms_.wire_costs(slices_[i]));
  });
  if (!gains_.empty()) {
    for (std::size_t i = 0; i < slices_.size(); ++i)
      if (gains_.cover(slices_[i])) squares[i] = 0;
    squares.push_back(gains_.add_gradients(slices_, gradient_));
  }
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

void Learner::apply(double scale) {
  const double factor =
      schedule_factor(config_.schedule, step_, config_.train.steps, cooldown_from_);
  const auto writer = network_.write_weights();
  const std::span<float> parameters = writer.all();
  // Stays open from step to step, so that the average is packed for the kernels only when it is
  // used.
  if (average_ && !average_writer_) average_writer_.emplace(average_->write_weights());
  const std::span<float> average = average_writer_ ? average_writer_->all() : std::span<float>();
  gains_.update(step_, factor, scale);
  pool_.for_each(slices_.size(), [&](std::size_t i) {
    if (gains_.cover(slices_[i]))
      gains_.write(slices_[i], parameters);
    else
      optimiser_.update(slices_[i], step_, factor, scale, gradient_, parameters);
    synapse_terms_.keep_signs(slices_[i], parameters);
    if (!average.empty())
      update_average(slices_[i], config_.train.average, step_, parameters, average);
  });
}

const StepResult& Learner::look_ahead() {
  if (!ahead_) ahead_ = compute();
  return *ahead_;
}

StepResult Learner::compute() {
  const auto& batch = batches_[static_cast<std::size_t>(step_ % 2)];
  auto& next = batches_[static_cast<std::size_t>((step_ + 1) % 2)];
  double weight = 0;
  StepResult result;
  for (const Batch::Sums& sums : batch.sums) {
    weight += sums.weight;
    result.trials += sums.trials;
  }
  // The next step's data are items of the same round: threads that find no block left to compute
  // generate data, so that generation hides behind the slowest block.
  const std::size_t n = own_blocks_of(step_), n_next = own_blocks_of(step_ + 1);
  std::ranges::fill(block_results_, LossResult{});
  pool_.for_each(n + n_next, [&](std::size_t i) {
    if (i < n)
      compute_block(first_block_ + i, batch, weight);
    else
      next.blocks[i - n].fill(*source_, static_cast<std::uint32_t>(step_ + 1));
  });
  share_sums(next, n_next);
  if (processes_) {
    processes_->share(block_results_.data(), sizeof(LossResult), n_blocks());
    processes_->share(block_gradients_.data(), sizeof(float) * network_.layout().total, n_blocks());
  }

  double squares = 0;
  for (const LossResult& block : block_results_) {
    result.loss += block.weighted_loss;
    squares += block.rate_square;
  }
  if (weight > 0) result.loss /= weight;
  result.data_loss = result.loss;
  if (config_.loss.rate_penalty > 0)
    result.loss += config_.loss.rate_penalty * squares / states_of(step_);
  result.loss += weight_penalty();
  result.loss += wire_penalty();
  result.gradient_norm = add_gradients();
  return result;
}

StepResult Learner::step() {
  StepResult result = look_ahead();
  ahead_.reset();
  if (!result.finite()) return result;
  const double limit = config_.optimiser.clip;
  result.clipped = limit > 0 && result.gradient_norm > limit;
  result.overflows = (result.clipped ? limit : result.gradient_norm) > largest_norm;
  if (result.overflows) return result;
  apply(result.clipped ? limit / result.gradient_norm : 1);
  ++step_;
  return result;
}

}  // namespace lmrnn

// Starts and resumes runs; src/train/training.hpp carries them out.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "lmrnn/continuous.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/train.hpp"
#include "train/curriculum.hpp"
#include "train/inputs.hpp"
#include "train/training.hpp"
#include "train/untrained.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

// The network of a checkpoint, with the storage that the run chose. The file does not say how
// weights were stored and multiplied, and other choices round differently.
Network network_for_training(LoadedNetwork loaded, const RunConfig& config) {
  Architecture architecture = loaded.network.architecture();
  architecture.representation = config.network.storage;
  Network network(std::move(architecture));
  network.set_weights(loaded.network.parameters());
  return network;
}

Network initial_network(const RunConfig& config, const Battery& battery,
                        const BatchSource* source) {
  return source != nullptr ? make_network(config, source->shape()) : make_network(config, battery);
}

std::shared_ptr<const BatchSource> checked(std::shared_ptr<const BatchSource> source) {
  if (!source) return nullptr;
  return checked_source(std::move(source));
}

// Checks that the data are those that the configuration names.
void check_source(const RunConfig& config, const BatchSource* source) {
  const std::string name = source == nullptr ? "" : source->name();
  if (source != nullptr && config.train.stop_solved) {
    const std::size_t n_tasks = source->tasks().size();
    if (config.train.stop_solved->of(n_tasks) > n_tasks)
      throw UsageError(fmt::format(
          "train.stop_solved = {}, but \"{}\" has only {} {}; use {} or \"all\"",
          config.train.stop_solved->n, name, n_tasks, n_tasks == 1 ? "task" : "tasks", n_tasks));
  }
  if (source != nullptr && continuous(*source) != nullptr &&
      config.loss.kind != LossKind::least_squares)
    throw UsageError(
        fmt::format("loss.kind = \"{}\", but the targets of \"{}\" are continuous; set loss.kind = "
                    "\"least-squares\", or give classes",
                    to_name(config.loss.kind), name));
  if (name == config.source) return;
  if (source == nullptr)
    throw UsageError(
        fmt::format("source = \"{}\": this run trains on custom data, which the calling program "
                    "must pass in (in Python: data=...)",
                    config.source));
  throw UsageError(
      fmt::format("source = \"{}\", but the data passed in is named \"{}\"; pass "
                  "in the data of this run, or set source to match",
                  config.source, name));
}

// Warns of keys that were set although only a battery reads them, and the run has its own data. Not
// an error: one configuration may serve both, and a recipe sets some of these keys.
std::optional<std::string> warning_of_unread_keys(const RunConfig& config) {
  RunConfig unset;
  apply_recipe(unset, config.recipe, config.battery, config.network.tau);
  unset.battery.dt = config.battery.dt;  // this one is used: alpha depends on it and on network.tau
  std::vector<std::string> keys;
  const ConfigTable is = write_config(config.battery), was = write_config(unset.battery);
  for (const auto& [key, value] : is) {
    const ConfigValue* before = find_key(was, key);
    if (before == nullptr || to_toml({{key, value}}) != to_toml({{key, *before}}))
      keys.push_back("battery." + key);
  }
  if (config.stream.mode != unset.stream.mode) keys.emplace_back("stream.mode");
  if (keys.empty()) return {};
  return fmt::format("{}: a battery reads {}, but your own data take its place; leave {} out",
                     fmt::join(keys, ", "), keys.size() == 1 ? "this" : "these",
                     keys.size() == 1 ? "it" : "them");
}

// A run must resume with the data that it began with. The checkpoint has the names of the tasks and
// the numbers of channels, rules and classes for this check.
void require_same_data(const BatchSource& source, const LoadedNetwork& loaded,
                       const fs::path& file) {
  const Architecture& a = loaded.network.architecture();
  const auto described = [&](std::size_t n_channels, std::size_t n_rules, std::size_t n_classes,
                             const std::string& tasks) {
    return fmt::format("the tasks \"{}\", {} channels, {} rules and {} classes", tasks, n_channels,
                       n_rules, n_classes);
  };
  const BatchShape s = source.shape();
  const auto tasks = loaded.metadata.find("tasks");
  const std::string now = described(s.n_channels, s.n_rules, s.n_classes,
                                    fmt::format("{}", fmt::join(source.tasks(), ","))),
                    before = described(a.n_channels, a.n_rules, a.n_classes,
                                       tasks == loaded.metadata.end() ? "" : tasks->second);
  if (now != before)
    throw UsageError(fmt::format(
        "the data of \"{}\" have {}; the run began with {} ({}); pass in the same data, "
        "or begin another run",
        source.name(), now, before, file.string()));
}

// Beyond their names and numbers: other trials, or another tolerance, make another run.
void require_same_trials(const RunRecord& run, const BatchSource& source) {
  const auto before = recorded_data(run.directory);
  if (!before) return;
  const std::string found =
      difference(*before, signature_of(source, run.config), run.config.evaluation.split);
  if (!found.empty())
    throw UsageError(
        fmt::format("{}: the data of \"{}\" are not those that the run began with: {}; "
                    "pass in the same data, or begin another run",
                    run.directory.string(), source.name(), found));
}

}  // namespace

void require_same_inputs(const RunRecord& run, std::shared_ptr<const BatchSource> given) {
  const auto source = checked(std::move(given));
  check_source(run.config, source.get());
  static_cast<void>(config_with_files(run));
  if (!source) return;
  if (!run.checkpoints.empty()) {
    const fs::path file = run.latest_network();
    require_same_data(*source, load_network(file), file);
  }
  require_same_trials(run, *source);
}

struct Trainer::Implementation : Training {
  using Training::Training;
};

Trainer::Trainer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

Trainer Trainer::start(const RunConfig& config_in, const fs::path& directory,
                       const TrainerOptions& options) {
  RunConfig config = config_in;
  const auto source = checked(options.source);
  if (source && config.source.empty()) config.source = source->name();
  check_config(config);
  check_source(config, source.get());
  const bool writes = options.processes == nullptr || options.processes->rank() == 0;
  if (writes) require_unused(directory);
  const SimdScope simd(config.simd);
  std::vector<InputFile> inputs;
  const Battery battery(config.battery, config.run_seed());
  // Asks for held-out data before anything is written, so that an error in them leaves no
  // directory.
  const auto warning =
      source ? warning_of_unscored_tasks(*source, config.stream, config.evaluation.split)
             : warning_of_short_rows(config);
  std::optional<SourceSignature> data;
  if (source && writes) data = signature_of(*source, config);
  Trainer trainer(std::make_unique<Implementation>(
      RunSetup{config, directory, battery, options.n_threads, source, options.processes,
               options.ceilings},
      [&] {
        // With custom data, init_from is refused.
        if (!source || config.init_from.empty()) inputs = input_files(config);
        return initial_network(config, battery, source.get());
      },
      0,
      [&](int n) {
        // Checked again after they were read, so that the recorded hashes are of what was read.
        require_unchanged(directory, inputs, input_files(config));
        return create_run(directory, config, n, inputs, data);
      }));
  const auto unread = source ? warning_of_unread_keys(config) : std::nullopt;
  if (writes)
    for (const auto& notice :
         {warning, unread, warning_of_missing_leak(config), warning_of_first_batch(config)})
      if (notice) trainer.implementation_->notices.push_back(*notice);
  return trainer;
}

Trainer Trainer::resume(const fs::path& directory, const TrainerOptions& options) {
  const RunRecord record = open_run(directory);
  if (record.done)
    throw UsageError(
        fmt::format("{}: the run is done; there is nothing to resume", directory.string()));
  const auto source = checked(options.source);
  std::optional<RunLock> lock;
  if (options.processes == nullptr || options.processes->rank() == 0) {
    lock.emplace(directory);
    remove_unfinished_files(directory);
  }
  const SimdScope simd(record.config.simd);
  const RunConfig& config = record.config;
  check_source(config, source.get());
  const Battery battery(config.battery, config.run_seed());

  // Looked up again, now that we hold the lock. A run killed before its first checkpoint starts
  // again.
  const std::vector<std::int64_t> steps = checkpoint_steps(directory);
  const std::int64_t first_step = steps.empty() ? 0 : steps.back();
  const fs::path checkpoint = checkpoint_path(directory, first_step);
  // A checkpoint has everything that came from the files, so they may be missing, but not changed.
  const std::vector<InputFile> inputs = recorded_inputs(directory);
  RunConfig found = config;  // with the paths of the files as they are now
  const std::vector<InputFile> left = remaining_files(found, inputs);
  require_unchanged(directory, inputs, steps.empty() ? input_files(found) : left);
  const fs::path file = checkpoint / "network.safetensors";
  std::optional<LoadedNetwork> loaded;
  FromFiles known{.wiring = found.wiring};
  if (!steps.empty()) {
    loaded.emplace(load_network(file));
    if (source) require_same_data(*source, *loaded, file);
    known.sheet = sheet_of(config.wiring, loaded->metadata, file);
  }
  if (source) require_same_trials(record, *source);
  Network network = steps.empty() ? initial_network(found, battery, source.get())
                                  : network_for_training(*std::move(loaded), config);
  std::optional<TrainingState> state;
  if (!steps.empty()) {
    std::optional<std::size_t> n_synapses_with_gains;
    if (config.wiring.gains) n_synapses_with_gains = network.layout().n_recurrent;
    state = load_state(checkpoint, network.layout().total,
                       source ? source->tasks().size() : battery.tasks().size(),
                       config.optimiser.kind == OptimiserKind::adam, config.train.average > 0,
                       config.curriculum.adaptive > 0, n_synapses_with_gains);
    known.gains = state->gains;
  }
  Trainer trainer(std::make_unique<Implementation>(
      RunSetup{config, directory, battery, options.n_threads, source, options.processes,
               options.ceilings, std::move(known)},
      [&] { return std::move(network); }, first_step, [&](int) { return std::move(*lock); }));
  Training& training = *trainer.implementation_;
  if (state) training.restore(*std::move(state));
  if (training.writes())
    std::ranges::move(add_session(directory, first_step, training.n_threads()),
                      std::back_inserter(training.notices));
  return trainer;
}

Outcome Trainer::run(const TrainerCallbacks& callbacks) {
  return implementation_->run(callbacks);
}
const RunConfig& Trainer::config() const noexcept {
  return implementation_->config;
}
const Battery& Trainer::battery() const noexcept {
  return implementation_->battery;
}
const Network& Trainer::network() const noexcept {
  return implementation_->result();
}
const Sheet& Trainer::sheet() const noexcept {
  return implementation_->sheet();
}
const fs::path& Trainer::directory() const noexcept {
  return implementation_->directory;
}
std::int64_t Trainer::step() const noexcept {
  return implementation_->state.step;
}
const std::optional<Evaluation>& Trainer::last_evaluation() const noexcept {
  return implementation_->evaluation;
}
const std::vector<std::string>& Trainer::notices() const noexcept {
  return implementation_->notices;
}

}  // namespace lmrnn

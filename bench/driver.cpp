// Our side of the benchmark as a process with a line protocol, so that Python can let it and a peer
// take turns.
//
//   bench_driver problem CONFIG OUT.npz N_BATCHES   initial weights, mask, the batches of the first
//                                                   steps; loss, gradients and logits of batch 0
//   bench_driver train CONFIG DIRECTORY N_THREADS   obeys: step K, memory
//   bench_driver forward CONFIG                     obeys: forward K, memory
//   bench_driver generate CONFIG                    obeys: generate K, memory
//   bench_driver evaluate CONFIG N_THREADS          obeys: evaluate K, memory
//   bench_driver peak                               the FMA peak of one core, and this build
//
// CONFIG is a run's configuration. The modes that obey answer every line of standard input with a
// line of JSON, after a first line that describes the workload; they end with the input. `step`
// runs the steps of a Trainer in DIRECTORY: batches generated ahead, gradients, clipping, update.
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "fma_peak.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/train.hpp"
#include "lmrnn/version.hpp"

namespace {

using namespace lmrnn;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Peak memory of this process, in bytes.
std::uint64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    if (key == "VmHWM:") {
      std::uint64_t kilobytes = 0;
      status >> kilobytes;
      return 1024 * kilobytes;
    }
    status.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

void answer(const Json& json) {
  std::cout << json.dump() << std::endl;
}

struct Command {
  std::string name;  ///< empty at the end of input
  std::size_t count = 1;
};

/// The next command; answers `memory` here.
Command next_command() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    Command command;
    words >> command.name >> command.count;
    if (command.name == "memory") {
      answer({{"peak_bytes", peak_bytes()}});
    } else if (!command.name.empty()) {
      return command;
    }
  }
  return {};
}

void require(const Command& command, std::string_view name) {
  if (command.name != name)
    throw UsageError("unknown command \"" + command.name + "\"; this mode knows \"" +
                     std::string(name) + " K\" and \"memory\"");
}

RunConfig load_config(const std::filesystem::path& path) {
  RunConfig config = resolve_config(read_toml(path));
  choose_simd(config.simd);
  return config;
}

/// Arithmetic on existing synapses, per trial and time step: a multiply-add is two operations.
struct Arithmetic {
  double forward = 0, backward = 0;

  explicit Arithmetic(const Architecture& architecture) {
    for (const CostRow& row : cost_table(architecture)) {
      forward += 2 * row.multiply_adds_forward;
      backward += 2 * row.multiply_adds_backward;
    }
  }
};

Json describe(const Network& network, const RunConfig& config) {
  const Architecture& a = network.architecture();
  const Arithmetic arithmetic(a);
  const auto steps = static_cast<double>(config.stream.steps);
  const auto batch = static_cast<double>(config.stream.batch);
  return {{"units", a.n_units()},
          {"synapses", a.recurrent.n_synapses()},
          {"density", a.recurrent.density()},
          {"parameters", network.layout().total},
          {"representation", to_name(network.representation())},
          {"simd", simd_target()},
          {"operations_per_step", (arithmetic.forward + arithmetic.backward) * steps * batch},
          {"operations_per_row", arithmetic.forward * steps},
          {"activation_bytes", 4 * steps * batch * static_cast<double>(a.n_units())}};
}

// Batches --------------------------------------------------------------------------------------

/// Rows of a batch with the arrays that networks and peers need.
Trials make_rows(const PackedStream& stream, std::size_t n_rows) {
  Trials rows(static_cast<std::size_t>(stream.config().steps), n_rows,
              stream.battery().n_channels(), stream.battery().n_rule_slots(),
              {.loss_weights = true});
  std::ranges::fill(rows.loss_weights, 1.0f);
  return rows;
}

/// Fills all arrays except the loss weights.
void fill_rows(Trials& rows, const PackedStream& stream, std::uint32_t batch,
               std::uint32_t first_row) {
  TrialRows wanted = rows.rows();
  wanted.loss_weights = {};
  stream.fill(batch, first_row, wanted);
}

// problem --------------------------------------------------------------------------------------

template <class T>
void add(ArrayFile& file, std::string name, std::span<const T> values,
         std::vector<std::size_t> shape) {
  file.arrays.emplace_back(std::move(name), ArrayData::of(values, std::move(shape)));
}

/// Adds the groups of parameters, or of a gradient, under the names of bench/problem.py.
void add_groups(ArrayFile& file, const std::string& prefix, const Network& network,
                std::span<const float> flat) {
  const Architecture& a = network.architecture();
  const ParameterLayout& at = network.layout();
  const std::size_t n = a.n_units();
  add(file, prefix + "recurrent", flat.subspan(at.recurrent, at.n_recurrent), {at.n_recurrent});
  add(file, prefix + "input", flat.subspan(at.input, at.n_input), {n, a.n_channels});
  add(file, prefix + "rule", flat.subspan(at.rule, at.n_rule), {a.n_rules, n});
  add(file, prefix + "bias", flat.subspan(at.bias, at.n_bias), {n});
  add(file, prefix + "readout", flat.subspan(at.readout, at.n_readout), {a.n_classes, n});
  add(file, prefix + "readout_bias", flat.subspan(at.readout_bias, at.n_readout_bias),
      {a.n_classes});
}

void add_batches(ArrayFile& file, const PackedStream& stream, std::size_t n_batches) {
  const auto steps = static_cast<std::size_t>(stream.config().steps);
  const auto batch = static_cast<std::size_t>(stream.config().batch);
  Trials rows = make_rows(stream, batch);
  std::vector<float> inputs;
  std::vector<std::int32_t> rules, targets;
  for (std::size_t b = 0; b < n_batches; ++b) {
    fill_rows(rows, stream, static_cast<std::uint32_t>(b), 0);
    inputs.insert(inputs.end(), rows.inputs.begin(), rows.inputs.end());
    rules.insert(rules.end(), rows.rules.begin(), rows.rules.end());
    targets.insert(targets.end(), rows.targets.begin(), rows.targets.end());
  }
  add(file, "inputs", std::span<const float>(inputs),
      {n_batches, steps, batch, stream.battery().n_channels()});
  add(file, "rules", std::span<const std::int32_t>(rules), {n_batches, steps, batch});
  add(file, "targets", std::span<const std::int32_t>(targets), {n_batches, steps, batch});
}

/// Adds loss and gradient of batch 0, computed in blocks like in a trainer.
void add_gradient(ArrayFile& file, const Network& network, const PackedStream& stream,
                  std::size_t block_rows) {
  const auto steps = static_cast<std::size_t>(stream.config().steps);
  const auto batch = static_cast<std::size_t>(stream.config().batch);
  LossOptions options;
  options.scale = 1 / static_cast<double>(steps * batch);
  std::vector<float> gradient(network.layout().total), total(gradient.size());
  double loss = 0;
  Workspace workspace;
  for (std::size_t first = 0; first < batch; first += block_rows) {
    const std::size_t n_rows = std::min(block_rows, batch - first);
    Trials rows = make_rows(stream, n_rows);
    fill_rows(rows, stream, 0, static_cast<std::uint32_t>(first));
    loss += network.loss_and_gradient(rows.view(), {}, options, gradient, workspace).weighted_loss;
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += gradient[i];
  }
  loss *= options.scale;
  add(file, "loss", std::span<const double>(&loss, 1), {});
  add_groups(file, "gradient_", network, total);
}

void add_logits(ArrayFile& file, const Network& network, const PackedStream& stream) {
  const auto steps = static_cast<std::size_t>(stream.config().steps);
  const std::size_t n_classes = network.architecture().n_classes;
  Trials row = make_rows(stream, 1);
  fill_rows(row, stream, 0, 0);
  std::vector<float> logits(steps * n_classes);
  Workspace workspace;
  network.forward(row.view(), {}, {}, {logits.data(), steps, n_classes, 1}, workspace);
  add(file, "logits", std::span<const float>(logits), {steps, n_classes});
}

/// Adds the held-out trials of every task that `evaluate` uses, e.g. trial_inputs_3 (time, trial,
/// channel), and which of their steps are decisions.
void add_trials(ArrayFile& file, const Battery& battery, const RunConfig& config) {
  const auto n = static_cast<std::size_t>(config.evaluation.trials);
  for (std::size_t task = 0; task < battery.tasks().size(); ++task) {
    const TrialBatch trials = draw_trials(battery, task, n, config.run_seed(), Split::test);
    std::vector<std::uint8_t> decides(trials.targets.size());
    for (std::size_t k = 0; k < n; ++k)
      for (const PeriodSpan& span : trials.spans[k])
        if (span.period == Period::decision)
          for (auto t = span.first; t < span.last; ++t)
            decides[trials.index(static_cast<std::size_t>(t), k)] = 1;
    const std::string ending = "_" + std::to_string(task);
    add(file, "trial_inputs" + ending, std::span<const float>(trials.inputs),
        {trials.n_steps, n, trials.n_channels});
    add(file, "trial_targets" + ending, std::span<const std::int32_t>(trials.targets),
        {trials.n_steps, n});
    add(file, "trial_decides" + ending, std::span<const std::uint8_t>(decides),
        {trials.n_steps, n});
  }
}

/// `with_trials`: also those of an evaluation.
void write_problem(const RunConfig& config, const std::filesystem::path& path,
                   std::size_t n_batches, bool with_trials) {
  const Battery battery(config.battery, config.run_seed());
  const Network network = make_network(config, battery);
  const PackedStream stream(battery, config.stream, config.run_seed(), Split::train);
  const Mask& mask = network.architecture().recurrent;
  ArrayFile file;
  add(file, "mask_offsets", mask.row_offsets(), {mask.row_offsets().size()});
  add(file, "mask_sources", mask.sources(), {mask.sources().size()});
  add_groups(file, "", network, network.parameters());
  add_batches(file, stream, n_batches);
  add_gradient(file, network, stream, block_rows(config.train, config.stream));
  add_logits(file, network, stream);
  if (with_trials) add_trials(file, battery, config);
  write_npz(path, file);
  answer(describe(network, config));
}

// train ----------------------------------------------------------------------------------------

/// Thrown out of a training when the commands end.
struct EndOfInput {};

class TimedTraining {
 public:
  TimedTraining(const RunConfig& config, const std::filesystem::path& directory, int n_threads)
      : trainer_(Trainer::start(config, directory, {.n_threads = n_threads})) {
    Json description = describe(trainer_.network(), config);
    description["threads"] = n_threads;
    answer(description);
  }

  void run() {
    TrainerCallbacks callbacks;
    callbacks.progress = [this](const Progress& progress) { after_step(progress.loss); };
    try {
      wait();
      trainer_.run(callbacks);
    } catch (const EndOfInput&) {
    }
  }

 private:
  void after_step(double loss) {
    seconds_.push_back(seconds_since(start_));
    losses_.push_back(loss);
    if (seconds_.size() == wanted_) {
      answer({{"seconds", seconds_}, {"losses", losses_}});
      wait();
    }
    start_ = Clock::now();
  }

  void wait() {
    const Command command = next_command();
    if (command.name.empty()) throw EndOfInput();
    require(command, "step");
    wanted_ = command.count;
    seconds_.clear();
    losses_.clear();
    start_ = Clock::now();
  }

  Trainer trainer_;
  std::size_t wanted_ = 0;
  std::vector<double> seconds_, losses_;
  Clock::time_point start_;
};

// forward, generate, peak ----------------------------------------------------------------------

void run_forward(const RunConfig& config) {
  const Battery battery(config.battery, config.run_seed());
  const Network network = make_network(config, battery);
  const PackedStream stream(battery, config.stream, config.run_seed(), Split::train);
  const auto steps = static_cast<std::size_t>(config.stream.steps);
  const auto n_rows = static_cast<std::size_t>(config.stream.batch);
  std::vector<Trials> rows(n_rows, make_rows(stream, 1));
  for (std::size_t r = 0; r < n_rows; ++r)
    fill_rows(rows[r], stream, 0, static_cast<std::uint32_t>(r));
  const std::size_t n_classes = network.architecture().n_classes;
  std::vector<float> logits(steps * n_classes);
  Workspace workspace;
  answer(describe(network, config));

  std::size_t row = 0;
  for (Command command; !(command = next_command()).name.empty();) {
    require(command, "forward");
    std::vector<double> seconds;
    for (std::size_t k = 0; k < command.count; ++k, ++row) {
      const auto start = Clock::now();
      network.forward(rows[row % n_rows].view(), {}, {}, {logits.data(), steps, n_classes, 1},
                      workspace);
      seconds.push_back(seconds_since(start));
    }
    answer({{"seconds", seconds}});
  }
}

/// Steps of a trial, on average over some batches.
double mean_trial_steps(const PackedStream& stream) {
  const auto n_rows = static_cast<std::size_t>(stream.config().batch);
  const auto n_steps = static_cast<std::size_t>(stream.config().steps);
  std::vector<std::uint8_t> starts(n_steps * n_rows);
  std::size_t cells = 0, trials = 0;
  for (std::uint32_t batch = 0; batch < 20; ++batch) {
    stream.fill(batch, 0, {.trial_starts = {starts.data(), n_steps, n_rows}});
    cells += starts.size();
    for (const std::uint8_t start : starts) trials += start;
  }
  return static_cast<double>(cells) / static_cast<double>(trials);
}

void run_generate(const RunConfig& config) {
  const Battery battery(config.battery, config.run_seed());
  const PackedStream stream(battery, config.stream, config.run_seed(), Split::train);
  const auto n_rows = static_cast<std::size_t>(config.stream.batch);
  Trials rows = make_rows(stream, n_rows);
  const double cells = static_cast<double>(config.stream.steps) * static_cast<double>(n_rows);
  answer(
      {{"tasks", battery.tasks().size()},
       {"channels", battery.n_channels()},
       {"cells", cells},
       {"mean_trial_steps", mean_trial_steps(PackedStream(battery, config.stream, config.run_seed(),
                                                          Split::validation))}});

  std::uint32_t batch = 0;
  for (Command command; !(command = next_command()).name.empty();) {
    require(command, "generate");
    std::vector<double> seconds;
    for (std::size_t k = 0; k < command.count; ++k) {
      const auto start = Clock::now();
      fill_rows(rows, stream, batch++, 0);
      seconds.push_back(seconds_since(start));
    }
    answer({{"seconds", seconds}});
  }
}

/// Evaluations of an untrained network on evaluation.trials of every task. Ceilings are not timed.
void run_evaluate(const RunConfig& config, int n_threads) {
  const Battery battery(config.battery, config.run_seed());
  const Network network = make_network(config, battery);
  ThreadPool pool(n_threads);
  const auto no_ceilings = [](const Battery&, std::span<const std::size_t> tasks, Seed,
                              ThreadPool&) {
    return std::vector<Ceiling>(tasks.size(), Ceiling{{1, 0}, {1, 0}});
  };
  const auto n_trials = static_cast<std::size_t>(config.evaluation.trials);
  const Evaluator evaluator(battery, config.run_seed(), Split::test, n_trials, pool, {},
                            no_ceilings);
  Json description = describe(network, config);
  description["threads"] = n_threads;
  answer(description);
  for (Command command; !(command = next_command()).name.empty();) {
    require(command, "evaluate");
    std::vector<double> seconds, accuracies;
    for (std::size_t k = 0; k < command.count; ++k) {
      const auto start = Clock::now();
      accuracies.push_back(evaluator.evaluate(network, pool).mean_accuracy());
      seconds.push_back(seconds_since(start));
    }
    answer({{"seconds", seconds}, {"losses", accuracies}});
  }
}

void report_peak() {
  const BuildInfo build = build_info();
  answer({{"fma_peak", lmrnn::bench::fma_peak(1.0)},
          {"simd", simd_target()},
          {"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"build_type", build.build_type}});
}

void run(const std::vector<std::string>& words) {
  const std::string mode = words.empty() ? "" : words[0];
  if (mode == "problem" && words.size() == 5)
    return write_problem(load_config(words[1]), words[2], std::stoul(words[3]),
                         words[4] == "with-trials");
  if (mode == "train" && words.size() == 4)
    return TimedTraining(load_config(words[1]), words[2], std::stoi(words[3])).run();
  if (mode == "forward" && words.size() == 2) return run_forward(load_config(words[1]));
  if (mode == "generate" && words.size() == 2) return run_generate(load_config(words[1]));
  if (mode == "evaluate" && words.size() == 3)
    return run_evaluate(load_config(words[1]), std::stoi(words[2]));
  if (mode == "peak" && words.size() == 1) return report_peak();
  throw UsageError(
      "bench_driver problem CONFIG OUT.npz N_BATCHES batches|with-trials | train CONFIG DIRECTORY "
      "N_THREADS | forward "
      "CONFIG | generate CONFIG | evaluate CONFIG N_THREADS | peak");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run({argv + 1, argv + argc});
    return EXIT_SUCCESS;
  } catch (const UsageError& error) {
    std::cerr << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

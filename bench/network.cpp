// The arithmetic of one training step (loss and gradient, no optimiser) for the networks of the
// published workloads. Counters: time per step, and arithmetic on existing synapses per second.
#include "lmrnn/network.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/threads.hpp"

namespace {

using namespace lmrnn;

struct Workload {
  WiringConfig wiring;
  Representation representation = Representation::automatic;
  std::size_t n_trials = 64, n_steps = 350, n_lanes = 32;
};

Workload sheet(WiringKind kind, std::int64_t rows, std::int64_t cols, double radius = 4) {
  Workload w;
  w.wiring.kind = kind;
  w.wiring.rows = rows;
  w.wiring.cols = cols;
  w.wiring.radius = radius;
  return w;
}

void loss_and_gradient(benchmark::State& state, const Workload& w) {
  const std::size_t n_channels = 33, n_rules = 82, n_classes = 17;
  const Seed seed{1};
  Architecture a;
  a.n_channels = n_channels;
  a.n_rules = n_rules;
  a.n_classes = n_classes;
  a.representation = w.representation;
  a.recurrent = make_mask(w.wiring, seed);
  a.input = Mask::dense(a.n_units(), n_channels);
  a.readout = Mask::dense(n_classes, a.n_units());
  Network network(std::move(a));
  network.initialise(Initialisation::fan_in, seed);

  const std::size_t n_blocks = w.n_trials / w.n_lanes;
  const std::size_t cells = w.n_steps * w.n_lanes;
  std::vector<float> inputs(cells * n_channels), weights(cells, 1.0f);
  std::vector<std::int32_t> rules(cells), targets(cells);
  // Like the battery's inputs: both rings are silent three quarters of the time.
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t step = i / (w.n_lanes * n_channels), trial = i / n_channels % w.n_lanes;
    const std::size_t ring = (i % n_channels + 15) / 16;
    if (ring > 0 && ((step + 7 * trial) / 20 + ring) % 4 != 0) continue;
    inputs[i] = static_cast<float>(
        uniform({seed, RandomPurpose::input_noise}, static_cast<std::uint32_t>(i)));
  }
  for (std::size_t i = 0; i < cells; ++i) {
    const std::size_t trial = i / w.n_lanes / 20 * w.n_lanes + i % w.n_lanes;
    rules[i] = static_cast<std::int32_t>((trial * 7) % n_rules);
    targets[i] = static_cast<std::int32_t>(trial % n_classes);
  }
  TrialView block;
  block.inputs = {inputs.data(), w.n_steps, w.n_lanes, n_channels};
  block.rules = {rules.data(), w.n_steps, w.n_lanes};
  block.targets = {targets.data(), w.n_steps, w.n_lanes};
  block.loss_weights = {weights.data(), w.n_steps, w.n_lanes};

  ThreadPool pool(static_cast<int>(state.range(0)));
  std::vector<Workspace> workspaces(n_blocks);
  std::vector<std::vector<float>> gradients(n_blocks, std::vector<float>(network.layout().total));
  LossOptions options;
  options.scale = 1.0 / static_cast<double>(w.n_trials * w.n_steps);
  for (auto _ : state) {
    network.write_weights();  // this packs them
    pool.for_each(n_blocks, [&](std::size_t b) {
      network.loss_and_gradient(block, {}, options, gradients[b], workspaces[b]);
    });
  }
  double multiply_adds = 0;
  for (const CostRow& row : cost_table(network.architecture()))
    multiply_adds += row.multiply_adds_forward + row.multiply_adds_backward;
  const double flop = 2 * multiply_adds * static_cast<double>(w.n_trials * w.n_steps);
  state.counters["flop"] = benchmark::Counter(flop * static_cast<double>(state.iterations()),
                                              benchmark::Counter::kIsRate);
}

void register_workload(const char* name, const Workload& w) {
  benchmark::RegisterBenchmark(name, [w](benchmark::State& s) { loss_and_gradient(s, w); })
      ->ArgName("threads")
      ->Arg(1)
      ->Arg(2)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

/// From which density on is `dense` faster? The same network in both representations, at growing
/// density. Of all masks, random ones share the fewest sources among rows, local ones the most.
void register_representations() {
  for (const WiringKind kind : {WiringKind::random, WiringKind::local})
    for (const std::int64_t side : {16, 32})
      for (const int sixteenths : {2, 3, 4, 5, 6, 8, 10, 12, 14}) {
        Workload w = sheet(kind, side, side, static_cast<double>(side * sixteenths) / 16);
        w.n_trials = 32;
        w.n_steps = 50;
        const auto percent = std::lround(100 * make_mask(w.wiring, Seed{1}).density());
        for (const auto representation : {Representation::sparse, Representation::dense}) {
          w.representation = representation;
          const std::string name = "representation/" + std::string(to_name(kind)) + "_" +
                                   std::to_string(side * side) + "/" + std::to_string(percent) +
                                   "%/" + std::string(to_name(representation));
          benchmark::RegisterBenchmark(name.c_str(),
                                       [w](benchmark::State& s) { loss_and_gradient(s, w); })
              ->Arg(1)
              ->Unit(benchmark::kMillisecond)
              ->UseRealTime();
        }
      }
}

}  // namespace

int main(int argc, char** argv) {
  register_workload("W1_local_1024", sheet(WiringKind::local, 32, 32));
  register_workload("W2_local_2500", sheet(WiringKind::local, 50, 50));
  register_workload("W3_dense_256", sheet(WiringKind::dense, 16, 16));
  register_workload("W4_autapse_1024", sheet(WiringKind::autapse, 32, 32));
  register_workload("W6_random_1024", sheet(WiringKind::random, 32, 32));
  register_representations();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}

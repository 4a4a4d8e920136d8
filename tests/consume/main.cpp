// Uses something of every module of the installed library.
#include <cstdio>
#include <lmrnn/network.hpp>
#include <lmrnn/streams.hpp>
#include <lmrnn/tasks.hpp>
#include <lmrnn/version.hpp>
#include <lmrnn/wiring.hpp>

int main() {
  const lmrnn::Seed seed{1};
  const lmrnn::Battery battery({.tasks = "cog20"}, seed);
  const lmrnn::TrialBatch trials = lmrnn::draw_trials(battery, 0, 4, seed, lmrnn::Split::train);
  lmrnn::Network network({.n_channels = battery.n_channels(),
                          .n_rules = battery.n_rules(),
                          .n_classes = battery.n_classes(),
                          .recurrent = lmrnn::make_mask({.rows = 8, .cols = 8, .radius = 2}, seed),
                          .input = lmrnn::Mask::dense(64, battery.n_channels()),
                          .readout = lmrnn::Mask::dense(battery.n_classes(), 64)});
  network.initialise(lmrnn::Initialisation::fan_in, seed);
  lmrnn::Buffer<float> logits(trials.n_steps * battery.n_classes() * trials.n_trials);
  lmrnn::Workspace workspace;
  network.forward(trials.view(), {}, {},
                  {logits.data(), trials.n_steps, battery.n_classes(), trials.n_trials}, workspace);
  double sum = 0;
  for (const float logit : logits) sum += logit;
  std::printf("lmrnn %s: %zu parameters, sum of logits %g\n", lmrnn::build_info().version.c_str(),
              network.parameters().size(), sum);
  return sum != 0 ? 0 : 1;
}

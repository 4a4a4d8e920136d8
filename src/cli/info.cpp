// lmrnn info: this build and this machine, or a network file or run directory.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "common.hpp"
#include "cost_table.hpp"
#include "lmrnn/machine.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/threads.hpp"
#include "lmrnn/version.hpp"
#include "lmrnn/zoo.hpp"
#include "run_scores.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct InfoOptions {
  std::string path;
  bool json = false;
};

Json describe_program() {
  const BuildInfo build = build_info();
  return {{"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"build_type", build.build_type},
          {"sanitizers", build.sanitizers.empty() ? "none" : build.sanitizers},
          {"simd", simd_target()},
          {"simd_targets", simd_targets()},
          {"processor", processor_name()},
          {"processors", available_processors()}};
}

Json describe_network(const LoadedNetwork& loaded) {
  const Architecture& a = loaded.network.architecture();
  return {{"units", a.n_units()},
          {"channels", a.n_channels},
          {"rules", a.n_rules},
          {"classes", a.n_classes},
          {"recurrent_synapses", a.recurrent.n_synapses()},
          {"density", a.recurrent.density()},
          {"storage", to_name(loaded.network.representation())},
          {"storage_why", choose_representation(a).reason},
          {"activation", to_name(a.activation)},
          {"alpha", a.alpha},
          {"equation", to_name(a.equation)},
          {"costs", to_json(cost_table(a))},
          {"metadata", loaded.metadata}};
}

Json describe_run(const std::filesystem::path& directory) {
  const RunRecord run = open_run(directory);
  const RunScores scores = read_scores(directory);
  return {{"run", directory.string()},    {"done", run.done},
          {"step", scores.step},          {"steps", run.config.train.steps},
          {"scores", tasks_json(scores)}, {"checkpoints", run.checkpoints}};
}

std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ", ") + value_text(item);
  return text;
}

// One value per line.
void print(const Json& info) {
  for (const auto& [key, value] : info.items())
    if (key != "costs" && key != "metadata" && key != "scores")
      fmt::print("{:<20} {}\n", key, value_text(value));
}

// Scores come first, because readers want to know them first.
void print_run_scores(const fs::path& run) {
  const RunScores scores = read_scores(run);
  if (scores.evaluated < 0) return fmt::print("{:<20} none yet\n", "scores");
  fmt::print("scores after {} steps: accuracy {:.4f} ({:.1f}% of ceiling), {}/{} tasks solved\n",
             scores.evaluated, scores.mean_accuracy(), 100 * scores.mean_share(), scores.n_solved(),
             scores.tasks.size());
  for (const TaskRow& t : scores.tasks) {
    const double guess = chance_of(t.task).value_or(0);
    fmt::print("  {:<18} {:.4f} of {:.4f}{}{}\n", t.task, t.decision_accuracy, t.decision_ceiling,
               t.solved ? "  solved" : "", guess > 0 ? fmt::format("  (chance {:g})", guess) : "");
  }
  fmt::print("\n");
}

void print_network(const Json& network, std::span<const CostRow> costs) {
  print(network);
  fmt::print("\n{}", cost_text(costs));
  for (const auto& [key, value] : network["metadata"].items())
    if (key != "coordinates")  // a line for each unit; --json has them
      fmt::print("\n[{}]\n{}\n", key, value_text(value));
}

void run_on_network(const std::filesystem::path& path, bool json) {
  Json info = Json::object();
  const std::filesystem::path run = resolve_zoo(path);
  if (std::filesystem::exists(run / "config.toml")) info = describe_run(run);
  const std::filesystem::path file = find_network(path);
  const LoadedNetwork loaded = load_network(file);
  info["file"] = file.string();
  const Json network = describe_network(loaded);
  if (json) {
    info["network"] = network;
    fmt::print("{}\n", info.dump(2));
    return;
  }
  if (info.contains("scores")) print_run_scores(path);
  print(info);
  print_network(network, cost_table(loaded.network.architecture()));
}

void run_info(const InfoOptions& options) {
  if (!options.path.empty()) return run_on_network(options.path, options.json);
  if (options.json)
    fmt::print("{}\n", describe_program().dump(2));
  else
    print(describe_program());
}

}  // namespace

void add_info(CLI::App& program) {
  const auto options = std::make_shared<InfoOptions>();
  CLI::App* verb = add_verb(
      program, "info", "describe this build and machine, a network file or a run directory",
      "lmrnn info\nlmrnn info runs/quickstart", [options] { run_info(*options); });
  verb->add_option("path", options->path,
                   "a network file, a checkpoint, a run directory or zoo:NAME")
      ->type_name("PATH");
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli

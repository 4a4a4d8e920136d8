// lmrnn info: this build and this machine.
#include <fmt/core.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "common.hpp"
#include "lmrnn/threads.hpp"
#include "lmrnn/version.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InfoOptions {
  bool json = false;
};

Json describe_program() {
  const BuildInfo build = build_info();
  return {{"version", build.version},       {"commit", build.commit},
          {"compiler", build.compiler},     {"build_type", build.build_type},
          {"sanitizers", build.sanitizers}, {"processors", available_processors()}};
}

void run_info(const InfoOptions& options) {
  const Json info = describe_program();
  if (options.json) {
    fmt::print("{}\n", info.dump(2));
    return;
  }
  for (const auto& [key, value] : info.items())
    fmt::print("{:<12}{}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

void add_info(CLI::App& program) {
  const auto options = std::make_shared<InfoOptions>();
  CLI::App* verb = add_verb(program, "info", "describe this build, this machine", "lmrnn info",
                            [options] { run_info(*options); });
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli

// The program lmrnn: parses the command line, runs a verb, and turns errors into one line on
// stderr and an exit status (0 done, 1 failed run, 2 usage, 75 interrupted).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common.hpp"
#include "failure.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run_config.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/version.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

enum ExitStatus { done = 0, usage = 2 };

// In the order of --help.
constexpr void (*catalogue[])(CLI::App&) = {add_tasks,   add_wiring, add_train, add_eval,
                                            add_analyze, add_study,  add_runs,  add_compare,
                                            add_report,  add_plot,   add_info,  add_completion};

int report(ExitStatus status, std::string message) {
  say_error(std::move(message));
  return status;
}

// The last verb that was parsed before the mistake.
const CLI::App* deepest_verb(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

std::vector<std::string> known_words(const CLI::App& verb, bool options) {
  std::vector<std::string> words;
  if (options) {
    for (const CLI::Option* option : verb.get_options())
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  } else {
    for (const CLI::App* child : verb.get_subcommands([](const CLI::App*) { return true; }))
      words.push_back(child->get_name());
  }
  return words;
}

std::string full_name(const CLI::App* verb) {
  std::string name = verb->get_name();
  for (verb = verb->get_parent(); verb != nullptr; verb = verb->get_parent())
    name = verb->get_name() + " " + name;
  return name;
}

// Suggests --set wiring.radius=3 for --radius 3.
std::string did_you_mean_key(const CLI::App& verb, std::string word) {
  if (verb.get_name() != "train" || !word.starts_with("--")) return {};
  word = "." + word.substr(2);
  std::ranges::replace(word, '-', '_');
  for (const FieldDoc& row : document_fields<RunConfig>())
    if (row.key.ends_with(word)) return fmt::format("; did you mean --set {}=...?", row.key);
  return {};
}

// Replaces two messages of CLI11: "Could not convert: --seed = 1.5" does not name the type, and "b
// is required" does not say what b is.
std::string plain_words(const CLI::App& verb, const CLI::ParseError& error) {
  const std::string said = error.what();
  if (error.get_name() == "RequiredError") {
    const CLI::Option* missing = verb.get_option_no_throw(said.substr(0, said.find(' ')));
    if (missing != nullptr && missing->get_positional())
      return fmt::format("give the {} ({})", missing->get_description(), missing->get_type_name());
  }
  const std::size_t colon = said.find(": "), equals = said.find(" = ");
  if (error.get_name() != "ConversionError" || equals == std::string::npos) return said;
  const std::string option = said.substr(colon + 2, equals - colon - 2);
  const CLI::Option* found = verb.get_option_no_throw(option);
  const bool whole = found == nullptr || found->get_type_name() != "FLOAT";
  return fmt::format("{}: {} is not a {}", option, said.substr(equals + 3),
                     whole ? "whole number" : "number");
}

std::string explain(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* verb = deepest_verb(&program);
  const std::string name = full_name(verb);
  const std::string see = "; see " + name + " --help";
  const std::vector<std::string> unknown = program.remaining(true);
  if (!unknown.empty()) {
    const std::string word = unknown.front().substr(0, unknown.front().find('='));
    const bool option = word.starts_with("-");
    std::string hint = did_you_mean_key(*verb, word);
    if (hint.empty()) hint = did_you_mean(word, known_words(*verb, option), see);
    const bool wants_verb = !option && !known_words(*verb, false).empty();
    return fmt::format("{}: {} \"{}\"{}", name,
                       option       ? "unknown option"
                       : wants_verb ? "unknown verb"
                                    : "unexpected word",
                       word, hint);
  }
  const std::vector<std::string> verbs = known_words(*verb, false);
  if (!verbs.empty() && verb->get_subcommands().empty())
    return fmt::format("{}: a verb is missing; choose one of {}{}", name, fmt::join(verbs, ", "),
                       see);
  return fmt::format("{}: {}{}", name, plain_words(*verb, error), see);
}

std::string version_text() {
  const BuildInfo build = build_info();
  return fmt::format("lmrnn {}\ncommit {}\n{}, {}{}; SIMD: {}", build.version, build.commit,
                     build.compiler, build.build_type,
                     build.sanitizers.empty() ? "" : ", sanitizers " + build.sanitizers,
                     simd_target());
}

int run(int argc, char** argv) {
  CLI::App program("Locality-masked recurrent networks on batteries of cognitive tasks", "lmrnn");
  program.set_version_flag("--version", version_text());
  program.require_subcommand(1);
  program.get_formatter()->label("SUBCOMMAND", "VERB");
  program.footer("Run lmrnn VERB --help for the options of a verb and an example.");
  for (const auto add : catalogue) add(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    program.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return report(usage, explain(program, error));
  } catch (const UsageError& error) {
    return report(usage, error.what());
  } catch (const Unsuccessful& verdict) {
    std::fflush(stdout);
    return verdict.status;
  }
  if (std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
  return done;
}

}  // namespace
}  // namespace lmrnn::cli

int main(int argc, char** argv) {
  using namespace lmrnn::cli;
  // A reader that has seen enough (`| head`) must not kill a training run or count as an error:
  // writing fails with EPIPE instead, and current_failure handles that. Reaching the limit on file
  // size is an error like a full disk.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // If the parent ignored SIGCHLD, we would inherit that and could not see how our child processes
  // end.
  std::signal(SIGCHLD, SIG_DFL);
  try {
    return run(argc, argv);
  } catch (...) {
    const Failure failure = current_failure();
    if (!failure.message.empty()) say_error(failure.message);
    return failure.status;
  }
}

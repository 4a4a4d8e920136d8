// lmrnn completion: a shell script that completes verbs, options and keys, made from the program's
// own options.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "common.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run_config.hpp"
#include "lmrnn/tasks.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

using Words = std::vector<std::string>;

// The choices of a field's type "a"
// "b"; true and false for a flag.
Words values_of(const FieldDoc& row) {
  if (row.type == "true | false") return {"true", "false"};
  Words words;
  for (std::size_t begin = row.type.find('"'); begin != std::string::npos;) {
    const std::size_t end = row.type.find('"', begin + 1);
    if (end == std::string::npos) break;
    words.push_back(row.type.substr(begin + 1, end - begin - 1));
    begin = row.type.find('"', end + 1);
  }
  return words;
}

// Lines of a case statement: the possible values of each key.
std::string values() {
  std::string lines;
  for (const FieldDoc& row : document_fields<RunConfig>())
    if (const Words words = values_of(row); !words.empty())
      lines += fmt::format("    {}) words=\"{}\" ;;\n", row.key, fmt::join(words, " "));
  return lines;
}

std::string task_words() {
  Words words;
  for (const std::string_view collection : collection_names()) words.emplace_back(collection);
  for (const Task& task : select_tasks("modcog132")) words.push_back(task.name());
  return fmt::format("{}", fmt::join(words, " "));
}

struct Completions {
  Words verbs;           // "lmrnn study run"
  std::string of_verbs;  // lines of a case statement: the words that may follow each
};

void collect(const CLI::App& verb, const std::string& name, Completions& out) {
  out.verbs.push_back(name);
  Words words, options;
  for (const CLI::App* child : verb.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(child->get_name());
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& long_name : option->get_lnames()) options.push_back("--" + long_name);
  if (name == "lmrnn analyze")
    for (const AnalysisEntry& entry : analyses()) words.emplace_back(entry.name);
  out.of_verbs += fmt::format("    \"{}\") words=\"{}\" options=\"{}\" ;;\n", name,
                              fmt::join(words, " "), fmt::join(options, " "));
  for (const CLI::App* child : verb.get_subcommands([](const CLI::App*) { return true; }))
    collect(*child, name + " " + child->get_name(), out);
}

std::string keys() {
  Words words;
  for (const FieldDoc& row : document_fields<RunConfig>()) words.push_back(row.key + "=");
  return fmt::format("{}", fmt::join(words, " "));
}

// If there are no words to suggest, the shell completes file names (-o default).
constexpr const char* bash = R"(# source <(lmrnn completion bash)
_lmrnn() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} last=${{COMP_WORDS[COMP_CWORD-1]}} verb=lmrnn word words options
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$verb $word" in
      {}) verb="$verb $word" ;;
    esac
  done
  case "$verb" in
{}  esac
  # bash takes KEY=VALUE apart at the equals sign.
  local key= tasks="{}"
  if [[ $current == = ]]; then key=$last; current=
  elif [[ $last == = ]]; then key=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  if [[ $key == battery.tasks || $last == --tasks || $last == --task || $last == --collection ]]; then
    # The last of names that are separated by commas.
    local before=
    [[ $current == *,* ]] && before=${{current%,*}},
    words=$(for word in $tasks; do echo "$before$word"; done)
    compopt -o nospace
  elif [[ -n $key ]]; then
    words=
    case "$key" in
{}    esac
  elif [[ $last == --set && $verb != *study* && $verb != *analyze* ]]; then
    words="{}"
    compopt -o nospace
  elif [[ $current == -* ]]; then
    words=$options
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _lmrnn lmrnn
)";

void run_completion(const CLI::App& program, const std::string& shell) {
  if (shell != "bash" && shell != "zsh")
    throw UsageError(
        fmt::format("lmrnn completion: there is no script for \"{}\"; choose bash or zsh", shell));
  if (shell == "zsh")
    fmt::print("autoload -Uz compinit bashcompinit && compinit && bashcompinit\n");
  Completions all;
  collect(program, program.get_name(), all);
  Words quoted;
  for (const std::string& verb : all.verbs) quoted.push_back('"' + verb + '"');
  fmt::print(fmt::runtime(bash), fmt::join(quoted, " | "), all.of_verbs, task_words(), values(),
             keys());
}

}  // namespace

void add_completion(CLI::App& program) {
  const auto shell = std::make_shared<std::string>("bash");
  CLI::App* verb = add_verb(program, "completion", "print a script that completes words in a shell",
                            "lmrnn completion bash >> ~/.bash_completion\n"
                            "source <(lmrnn completion zsh)",
                            [shell, &program] { run_completion(program, *shell); });
  verb->add_option("shell", *shell, "bash or zsh")->type_name("SHELL")->capture_default_str();
}

}  // namespace lmrnn::cli

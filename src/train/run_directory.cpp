#include "train/run_directory.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/shared/descriptor.hpp"
#include "core/shared/sha256.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/machine.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/version.hpp"
#include "lmrnn/zoo.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json describe_session(std::int64_t first_step, int n_threads) {
  const BuildInfo build = build_info();
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {{"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", now)},
          {"first_step", first_step},
          {"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"build_type", build.build_type},
          {"simd", std::string(simd_target())},
          {"processor", processor_name()},
          {"host", host_name()},
          {"threads", n_threads}};
}

Json read_provenance(const fs::path& run) {
  const fs::path path = run / "provenance.json";
  const Json provenance = Json::parse(read_file(path), nullptr, false);
  if (provenance.is_discarded() || !provenance.is_object() || !provenance.contains("format") ||
      !provenance["format"].is_number_integer() || !provenance.contains("sessions") ||
      !provenance["sessions"].is_array() || provenance["sessions"].empty())
    throw UsageError(fmt::format(
        "{}: is not the provenance of a run; restore it or start a new run", path.string()));
  const int format = provenance["format"].get<int>();
  if (format != run_format_version)
    throw UsageError(
        fmt::format("{}: the run directory has format {}, this version of lmrnn reads format {}; "
                    "use the version "
                    "that wrote it",
                    run.string(), format, run_format_version));
  return provenance;
}

std::string text_of(const Json& session, const char* key) {
  const auto found = session.find(key);
  return found != session.end() && found->is_string() ? found->get<std::string>() : "unknown";
}

// The step at which a run first had its present configuration; 0 if that was never edited.
std::int64_t step_of_last_edit(const Json& provenance) {
  std::int64_t step = 0;
  for (const Json& session : provenance["sessions"])
    if (text_of(session, "config") == "edited") step = session["first_step"].get<std::int64_t>();
  return step;
}

// Whether `path` is something that create_run makes before the configuration. A run that is killed
// then has lost nothing, so its directory may be used again.
bool is_beginning_of_run(const fs::path& path) {
  const std::string name = path.filename().string();
  std::error_code error;
  if (name == "checkpoints") return fs::is_directory(path) && fs::is_empty(path, error);
  return name == "lock" || name == "provenance.json" || name.starts_with("provenance.json.tmp-") ||
         name.starts_with("config.toml.tmp-");
}

}  // namespace

void remove_unfinished_files(const fs::path& run) {
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run, error))
    if (entry.is_regular_file(error) &&
        entry.path().filename().string().find(".tmp-") != std::string::npos)
      leftovers.push_back(entry.path());
  for (const fs::path& path : leftovers) fs::remove(path, error);
}

RunLock::RunLock(const fs::path& run) : file_(run / "lock", O_RDWR | O_CREAT, 0644) {
  const fs::path path = run / "lock";
  if (!file_.valid())
    throw RunError(fmt::format("{}: cannot be made ({}); fix the permissions of the directory",
                               path.string(), std::strerror(errno)));
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    throw UsageError(
        fmt::format("{}: another process is training in this directory; wait until it has ended",
                    run.string()));
  throw RunError(fmt::format("{}: cannot be locked ({}); use a file system with locks",
                             path.string(), std::strerror(errno)));
}

void require_unused(const fs::path& run) {
  std::error_code error;
  const fs::file_status status = fs::status(run, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status))
    throw UsageError(fmt::format("{}: is a file; choose another --out", run.string()));
  if (fs::exists(run / "DONE"))
    throw UsageError(fmt::format("{}: holds a finished run; choose another --out", run.string()));
  if (fs::exists(run / "config.toml"))
    throw UsageError(
        fmt::format("{}: holds a run already; continue it with --resume {}, or choose "
                    "another --out",
                    run.string(), run.string()));
  for (const auto& entry : fs::directory_iterator(run, error))
    if (!is_beginning_of_run(entry.path()))
      throw UsageError(fmt::format("{}: is not empty; choose another --out", run.string()));
}

RunLock create_run(const fs::path& run, const RunConfig& config, int n_threads,
                   const std::vector<InputFile>& inputs,
                   const std::optional<SourceSignature>& data) {
  require_unused(run);
  make_directories(run);
  RunLock lock(run);
  require_unused(run);  // again: from here on, no other process can start a run here
  remove_unfinished_files(run);
  fs::create_directory(run / "checkpoints");
  Json provenance{{"format", run_format_version}, {"seed", config.run_seed().value}};
  for (const InputFile& input : inputs)
    provenance["inputs"][input.key] = {{"file", input.path.string()}, {"sha256", input.sha256}};
  if (data) provenance["data"] = to_json(*data);
  provenance["sessions"] = Json::array({describe_session(0, n_threads)});
  const std::string text = to_toml(write_config(config));
  provenance["config_sha256"] = sha256(text);
  write_file(run / "provenance.json", provenance.dump(2) + "\n");
  write_file(run / "config.toml", text);
  return lock;
}

std::vector<InputFile> recorded_inputs(const fs::path& run) {
  const Json provenance = read_provenance(run);
  std::vector<InputFile> inputs;
  const auto found = provenance.find("inputs");
  if (found == provenance.end() || !found->is_object()) return inputs;
  for (const auto& [key, input] : found->items())
    if (input.is_object())
      inputs.push_back({{key, text_of(input, "file")}, text_of(input, "sha256")});
  return inputs;
}

std::optional<SourceSignature> recorded_data(const fs::path& run) {
  const Json provenance = read_provenance(run);
  const auto found = provenance.find("data");
  if (found == provenance.end()) return {};
  return signature_from(*found, (run / "provenance.json").string());
}

void record_session_times(const fs::path& run, double seconds, double processor_seconds) {
  // A missing file does not stop training, because only resuming needs it; resuming reports it.
  std::error_code error;
  if (!fs::exists(run / "provenance.json", error)) return;
  Json provenance = read_provenance(run);
  const auto milliseconds = [](double s) { return std::round(s * 1e3) / 1e3; };
  Json& session = provenance["sessions"].back();
  session["seconds"] = milliseconds(seconds);
  session["processor_seconds"] = milliseconds(processor_seconds);
  write_file(run / "provenance.json", provenance.dump(2) + "\n");
}

std::vector<std::string> add_session(const fs::path& run, std::int64_t first_step, int n_threads) {
  Json provenance = read_provenance(run);
  Json session = describe_session(first_step, n_threads);
  std::vector<std::string> notices;
  const std::string config = sha256(read_file(run / "config.toml"));
  if (text_of(provenance, "config_sha256") != config && provenance.contains("config_sha256"))
    session["config"] = "edited";
  provenance["config_sha256"] = config;
  provenance["sessions"].push_back(session);
  const Json& before = provenance["sessions"].front();
  if (const std::int64_t step = step_of_last_edit(provenance); step > 0)
    notices.push_back(fmt::format(
        "{}: was edited after the run began; the steps before step {} were made with other values",
        (run / "config.toml").string(), step));
  for (const char* key : {"simd", "version", "commit", "compiler"})
    if (text_of(before, key) != text_of(session, key))
      notices.push_back(
          fmt::format("the run started with {} {} and resumes with {}; its bits may differ from "
                      "an uninterrupted run",
                      key, text_of(before, key), text_of(session, key)));
  write_file(run / "provenance.json", provenance.dump(2) + "\n");
  return notices;
}

RunRecord open_run(const fs::path& path) {
  const fs::path directory = resolve_zoo(path);
  if (!fs::exists(directory))
    throw UsageError(fmt::format(
        "{}: there is no such directory; give the one that lmrnn train made", directory.string()));
  for (const char* name : {"config.toml", "provenance.json"})
    if (!fs::exists(directory / name))
      throw UsageError(fmt::format(
          "{}: is not a run directory (it has no {}); give the directory that lmrnn train made",
          directory.string(), name));
  read_provenance(directory);
  return {directory, resolve_config(read_toml(directory / "config.toml")),
          checkpoint_steps(directory), fs::exists(directory / "DONE")};
}

fs::path RunRecord::latest_network() const {
  if (checkpoints.empty())
    throw UsageError(
        fmt::format("{}: has no checkpoint yet; let it train for longer", directory.string()));
  return checkpoint_path(directory, checkpoints.back()) / "network.safetensors";
}

fs::path find_network(const fs::path& given) {
  const fs::path path = resolve_zoo(given);
  std::error_code error;
  if (!fs::exists(path, error))
    throw UsageError(fmt::format(
        "{}: does not exist; give a run directory, a network file or zoo:NAME", path.string()));
  if (path.extension() == ".toml")
    throw UsageError(fmt::format(
        "{}: is a configuration, not a network; lmrnn train makes a run directory of it, which is "
        "what belongs here",
        path.string()));
  if (!fs::is_directory(path)) return path;
  if (fs::exists(path / "network.safetensors")) return path / "network.safetensors";
  return open_run(path).latest_network();
}

}  // namespace lmrnn

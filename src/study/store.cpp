#include "study/store.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path claim_path(const Study& study, const PlannedRun& run) {
  return study.out / "claims" / run.directory_name();
}

fs::path failure_path(const Study& study, const PlannedRun& run) {
  return study.out / "failures" / (run.directory_name() + ".json");
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

fs::path run_directory(const Study& study, const PlannedRun& run) {
  return study.out / "runs" / run.directory_name();
}

fs::path made_directory(const Study& study, const std::string& hash) {
  return study.out / "made" / hash;
}

fs::path registered_file(const Study& study) {
  return study.out / "registered.toml";
}

std::optional<StudyConfig> registered_config(const Study& study) {
  const fs::path path = registered_file(study);
  if (!fs::exists(path)) return std::nullopt;
  StudyConfig config;
  read_config(config, parse_toml(read_file(path), path.string()));
  return config;
}

void require_own_directory(const Study& study, const StudyPlan& plan) {
  const fs::path registered = registered_file(study);
  std::error_code error;
  if (study.smoke) return;  // no results, and studies change between two such runs
  if (!fs::exists(registered, error) || fs::is_empty(study.out / "runs", error) || error) return;
  const ConfigTable before = parse_toml(read_file(registered), registered.string());
  const ConfigValue* value = find_key(before, "claim");
  const auto* claim = value ? std::get_if<std::string>(&value->value) : nullptr;
  if (!claim || *claim == study.config.claim) return;
  for (const PlannedRun& run : plan.runs)
    if (run.settled && fs::exists(run_directory(study, run), error)) return;
  throw UsageError(study.out.string(),
                   fmt::format("holds the runs of another study, which claims \"{}\"", *claim),
                   "give this one another --out, or its file another name");
}

std::optional<Claim> Claim::take(const Study& study, const PlannedRun& run,
                                 const std::string& owner) {
  const fs::path path = claim_path(study, run);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  Claim claim(Descriptor(path, O_RDWR | O_CREAT, 0644));
  const Descriptor& file = claim.file_;
  if (!file.valid())
    throw RunError(
        fmt::format("{}: cannot be made ({}); fix the permissions, or choose another "
                    "--out",
                    path.string(), std::strerror(errno)));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    throw RunError(fmt::format("{}: cannot be locked ({}); use a file system with locks",
                               path.string(), std::strerror(errno)));
  }
  // Only for people and messages; the lock is what counts.
  static_cast<void>(::ftruncate(file.get(), 0) == 0 && file.write(owner));
  return claim;
}

std::optional<std::string> claim_owner(const Study& study, const PlannedRun& run) {
  const fs::path path = claim_path(study, run);
  const Descriptor file(path, O_RDWR);
  if (!file.valid()) return std::nullopt;
  struct flock lock = whole_file();
  const bool claimed = ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  if (!claimed) return std::nullopt;
  return read_file(path);
}

std::optional<Failure> read_failure(const Study& study, const PlannedRun& run) {
  const fs::path path = failure_path(study, run);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  const Json json = Json::parse(read_file(path), nullptr, false);
  Failure failure{false, "unknown"};
  if (json.contains("diverged") && json["diverged"].is_boolean())
    failure.diverged = json["diverged"];
  if (json.contains("error") && json["error"].is_string()) failure.error = json["error"];
  return failure;
}

void write_failure(const Study& study, const PlannedRun& run, const Failure& failure) {
  const fs::path path = failure_path(study, run);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const Json json{{"run", run.name},
                  {"hash", run.hash},
                  {"diverged", failure.diverged},
                  {"error", failure.error}};
  write_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void remove_failure(const Study& study, const PlannedRun& run) {
  std::error_code ignored;
  fs::remove(failure_path(study, run), ignored);
}

}  // namespace lmrnn

#include "core/contained.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Clock = std::chrono::steady_clock;

enum class Outcome : std::uint64_t { result, usage_error, run_error };

/// Comes first of what the copy sends; bytes or a message follow. The size shows whether the answer
/// is whole, which the exit status cannot where somebody else has taken it.
struct ReplyHeader {
  Outcome outcome;
  std::uint64_t n_bytes;
};

void send(int to, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(to, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void send(int to, Outcome outcome, std::span<const std::byte> bytes) {
  const ReplyHeader header{outcome, bytes.size()};
  send(to, std::as_bytes(std::span(&header, 1)));
  send(to, bytes);
}

void send(int to, Outcome outcome, std::string_view message) {
  send(to, outcome, std::as_bytes(std::span(message)));
}

/// The life of the copy. Ends without unwinding, flushing or checking for leaks: all of that is the
/// original's business.
[[noreturn]] void live(const std::function<std::vector<std::byte>()>& work, unsigned cpu_seconds,
                       int to) {
  // Handlers belong to the original; here a signal means the end, and no core is dumped.
  for (const int signal : {SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU})
    std::signal(signal, SIG_DFL);
  const rlimit cpu = {cpu_seconds, cpu_seconds + 1}, core = {0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &core);
  try {
    send(to, Outcome::result, work());
  } catch (const UsageError& error) {
    send(to, Outcome::usage_error, error.what());
  } catch (const std::exception& error) {
    send(to, Outcome::run_error, error.what());
  }
  _exit(0);
}

/// Milliseconds until `end` for poll, never negative.
int left_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

/// All bytes until the other end is closed; nothing if that does not happen before `end`.
std::optional<std::vector<std::byte>> receive(int from, Clock::time_point end) {
  std::vector<std::byte> received;
  std::size_t n_received = 0;
  for (;;) {
    pollfd readable{from, POLLIN, 0};
    const int ready = poll(&readable, 1, left_until(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && Clock::now() < end) continue;
    if (ready <= 0) return std::nullopt;
    received.resize(
        std::max(received.size(), n_received + std::max<std::size_t>(65536, n_received)));
    const ssize_t n = read(from, received.data() + n_received, received.size() - n_received);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    n_received += static_cast<std::size_t>(n);
  }
  received.resize(n_received);
  return received;
}

/// The status of a child that has ended or is about to; nothing if it is gone without one, since
/// this process ignores SIGCHLD or another part of it waits for every child.
std::optional<int> end_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return std::nullopt;
  return status;
}

std::string duration_text(unsigned seconds) {
  return "no end after " + std::to_string(seconds) + " s";
}

/// The bytes or the error of a whole answer. Throws ContainedDeath for half of one.
std::vector<std::byte> open_answer(std::span<const std::byte> answer) {
  ReplyHeader header;
  if (answer.size() < sizeof header) throw ContainedDeath("no answer");
  std::memcpy(&header, answer.data(), sizeof header);
  answer = answer.subspan(sizeof header);
  if (answer.size() != header.n_bytes) throw ContainedDeath("half an answer");
  if (header.outcome == Outcome::result) return {answer.begin(), answer.end()};
  const std::string message(reinterpret_cast<const char*>(answer.data()), answer.size());
  if (header.outcome == Outcome::usage_error) throw UsageError(message);
  throw RunError(message);
}

}  // namespace

std::vector<std::byte> run_contained(const std::function<std::vector<std::byte>()>& work,
                                     unsigned cpu_seconds, unsigned wall_seconds) {
  int ends[2];
  if (pipe(ends) != 0)
    throw RunError(std::string("no pipe: ") + std::strerror(errno) + "; close some files");
  const pid_t copy = fork();
  if (copy == 0) {
    close(ends[0]);
    live(work, cpu_seconds, ends[1]);
  }
  const int fork_error = errno;
  close(ends[1]);
  if (copy < 0) {
    close(ends[0]);
    throw RunError(std::string("no new process: ") + std::strerror(fork_error) +
                   "; end some others");
  }
  const auto answer = receive(ends[0], Clock::now() + std::chrono::seconds(wall_seconds));
  close(ends[0]);
  // Whoever has closed its end is at its end; whoever has not is made to end.
  if (!answer) kill(copy, SIGKILL);
  const std::optional<int> status = end_of(copy);
  if (!answer) throw ContainedDeath(duration_text(wall_seconds));
  if (status && WIFSIGNALED(*status)) {
    const int signal = WTERMSIG(*status);
    if (signal == SIGXCPU || (signal == SIGKILL && answer->empty()))
      throw ContainedDeath(duration_text(cpu_seconds));
    throw ContainedDeath("signal " + std::to_string(signal) + ", " + strsignal(signal));
  }
  if (status && *status != 0) throw ContainedDeath("no answer");
  return open_answer(*answer);
}

}  // namespace lmrnn

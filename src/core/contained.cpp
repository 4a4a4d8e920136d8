#include "core/contained.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

// First byte of what the copy sends; bytes or a message follow.
enum class Outcome : unsigned char { result, usage_error, run_error };

void send(int to, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(to, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void send(int to, Outcome outcome, std::span<const std::byte> bytes) {
  const auto first = static_cast<std::byte>(outcome);
  send(to, {&first, 1});
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

/// All bytes until the other end is closed.
std::vector<std::byte> receive(int from) {
  std::vector<std::byte> received;
  std::size_t n_received = 0;
  for (;;) {
    received.resize(n_received + std::max<std::size_t>(65536, n_received));
    const ssize_t n = read(from, received.data() + n_received, received.size() - n_received);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    n_received += static_cast<std::size_t>(n);
  }
  received.resize(n_received);
  return received;
}

}  // namespace

std::vector<std::byte> run_contained(const std::function<std::vector<std::byte>()>& work,
                                     unsigned cpu_seconds) {
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
  std::vector<std::byte> received = receive(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(copy, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU || (signal == SIGKILL && received.empty()))
      throw ContainedDeath("no end after " + std::to_string(cpu_seconds) + " s");
    throw ContainedDeath("signal " + std::to_string(signal) + ", " + strsignal(signal));
  }
  if (status != 0 || received.empty()) throw ContainedDeath("no answer");
  const auto outcome = static_cast<Outcome>(received.front());
  received.erase(received.begin());
  if (outcome == Outcome::result) return received;
  const std::string message(reinterpret_cast<const char*>(received.data()), received.size());
  if (outcome == Outcome::usage_error) throw UsageError(message);
  throw RunError(message);
}

}  // namespace lmrnn

#include "core/shared/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw RunError(std::string("no pipe: ") + std::strerror(errno) + "; close some files");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_end(std::size_t end) noexcept {
    if (ends[end] >= 0) ::close(std::exchange(ends[end], -1));
  }

  std::array<int, 2> ends{-1, -1};  ///< to read from, to write to
};

struct Pipes {
  Pipe out, err, status;
};

constexpr int no_such_program = 127;  // as in shells

[[noreturn]] void become(char* const* words, const Pipes& pipes) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 ||
      ::dup2(pipes.out.ends[1], STDOUT_FILENO) < 0 || ::dup2(pipes.err.ends[1], STDERR_FILENO) < 0)
    ::_exit(no_such_program);
  ::execvp(words[0], words);
  constexpr char message[] = "cannot be run";
  static_cast<void>(!::write(STDERR_FILENO, message, sizeof message - 1));
  ::_exit(no_such_program);
}

/// The body of a watcher process, which can handle SIGCHLD as it needs to: it starts the program,
/// waits for it, and sends its status to this process. Both are in one process group, so that they
/// can be killed together.
[[noreturn]] void watch(char* const* words, Pipes& pipes) {
  ::setpgid(0, 0);
  for (const int signal : {SIGCHLD, SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_DFL);
  const pid_t program = ::fork();
  if (program == 0) become(words, pipes);
  pipes.out.close_end(1);
  pipes.err.close_end(1);
  int status = no_such_program << 8;
  if (program > 0)
    while (::waitpid(program, &status, 0) < 0 && errno == EINTR) {
    }
  static_cast<void>(!::write(pipes.status.ends[1], &status, sizeof status));
  ::_exit(0);
}

/// Reads what is available; closes the pipe at its end or after an error.
void read_some(Pipe& pipe, std::string& text) {
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(pipe.ends[0], buffer.data(), buffer.size());
  if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EINTR)) pipe.close_end(0);
}

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

/// Reads until all three have ended, or until `end`. A program that has ended may have left another
/// one that holds its output open; that one gets one more second.
std::string read_all(Pipes& pipes, ChildOutput& output, Clock::time_point end) {
  std::string status;
  const std::array<std::pair<Pipe*, std::string*>, 3> ends{
      {{&pipes.out, &output.out}, {&pipes.err, &output.err}, {&pipes.status, &status}}};
  bool ended = false;
  for (;;) {
    if (!ended && pipes.status.ends[0] < 0) {
      ended = true;
      end = std::min(end, Clock::now() + std::chrono::seconds(1));
    }
    std::array<pollfd, 3> polled;
    for (std::size_t i = 0; i < ends.size(); ++i)
      polled[i] = {ends[i].first->ends[0], POLLIN, 0};  // poll ignores negative ones
    if (std::ranges::all_of(polled, [](const pollfd& p) { return p.fd < 0; })) break;
    const int ready = ::poll(polled.data(), polled.size(), milliseconds_until(end));
    if (ready < 0 && errno != EINTR) break;
    if (ready == 0 && Clock::now() >= end) break;
    if (ready <= 0) continue;
    for (std::size_t i = 0; i < ends.size(); ++i)
      if (polled[i].revents != 0) read_some(*ends[i].first, *ends[i].second);
  }
  return status;
}

}  // namespace

ChildOutput output_of(const std::vector<std::string>& command, unsigned seconds) {
  std::vector<std::string> copy = command;
  std::vector<char*> words;
  for (std::string& word : copy) words.push_back(word.data());
  words.push_back(nullptr);
  Pipes pipes;
  const pid_t watcher = ::fork();
  if (watcher == 0) watch(words.data(), pipes);
  if (watcher < 0)
    throw RunError(std::string("no new process: ") + std::strerror(errno) + "; end some others");
  ::setpgid(watcher, watcher);  // here and in the watcher: one of them is first
  for (Pipe* pipe : {&pipes.out, &pipes.err, &pipes.status}) pipe->close_end(1);

  ChildOutput output;
  const std::string answer = read_all(pipes, output, Clock::now() + std::chrono::seconds(seconds));
  int status = 0;
  if (answer.size() == sizeof status) {
    std::memcpy(&status, answer.data(), sizeof status);
    output.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    output.end = WIFEXITED(status) ? "status " + std::to_string(WEXITSTATUS(status))
                                   : "signal " + std::to_string(WTERMSIG(status));
  } else {
    ::kill(-watcher, SIGKILL);
    output.end = "no end after " + std::to_string(seconds) + " s";
  }
  // If SIGCHLD is ignored, there is nothing left to wait for, and waitpid fails.
  while (::waitpid(watcher, nullptr, 0) < 0 && errno == EINTR) {
  }
  return output;
}

}  // namespace lmrnn

#include "stop_signals.hpp"

#include <csignal>

namespace lmrnn::cli {
namespace {

volatile std::sig_atomic_t received = 0;

void on_signal(int signal) {
  received = signal;
  std::signal(signal, SIG_DFL);
}

// SIGUSR1 is for MPI: launchers pass it on at once and kill no process after it. Between SIGTERM
// and SIGKILL they leave little time, Open MPI 5 a quarter of a second.
constexpr int stopping[] = {SIGINT, SIGTERM, SIGUSR1};

}  // namespace

StopSignals::StopSignals() {
  for (const int signal : stopping) std::signal(signal, on_signal);
}

StopSignals::~StopSignals() {
  for (const int signal : stopping) std::signal(signal, SIG_DFL);
}

bool StopSignals::asked() const noexcept {
  return received != 0;
}

}  // namespace lmrnn::cli

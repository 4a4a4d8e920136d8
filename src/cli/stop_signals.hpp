// Ctrl-C, SIGTERM and SIGUSR1 as a request to stop, for verbs that can save what they have done.
#pragma once

namespace lmrnn::cli {

/// While an object lives, the first signal only makes `asked` true. A second one ends the program
/// at once: what has been saved can still be resumed.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  bool asked() const noexcept;
};

}  // namespace lmrnn::cli

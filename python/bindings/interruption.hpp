// Ctrl-C in calls that have released the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <utility>

namespace lmrnn::python {

/// Asks Python now and then, from the thread that Python called, whether Ctrl-C was pressed. An
/// exception of Python's handler is stored until the current work has ended cleanly.
class Interruption {
 public:
  /// Takes the GIL for a moment.
  bool asked() {
    if (exception_) return true;
    const nanobind::gil_scoped_acquire gil;
    try {
      if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
    } catch (...) {
      exception_ = std::current_exception();
    }
    return exception_ != nullptr;
  }

  /// Stores any other Python exception in the same way.
  void keep(std::exception_ptr exception) { exception_ = std::move(exception); }

  /// With the GIL.
  void rethrow() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

 private:
  std::exception_ptr exception_;
};

}  // namespace lmrnn::python

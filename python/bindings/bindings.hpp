// What the files of the bindings share. One file binds one module of the library and reads like its
// declaration; conversions of arrays and configurations are in arrays.hpp and configuration.hpp.
//
// Conventions: arrays are NumPy's. Results own their memory, or keep its owner alive; nothing is
// copied on the way. Calls that can take longer than a millisecond release the GIL.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "lmrnn/config.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/tasks.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lmrnn::python {

void bind_errors(nb::module_& m);
void bind_configuration(nb::module_& m);
void bind_battery(nb::module_& m);
void bind_tasks(nb::module_& m);
void bind_streams(nb::module_& m);
void bind_user_arrays(nb::module_& m);
void bind_wiring(nb::module_& m);
void bind_network(nb::module_& m);
void bind_operation(nb::module_& m);
void bind_evaluate(nb::module_& m);
void bind_analyze(nb::module_& m);
void bind_train(nb::module_& m);

/// A task and the battery that it belongs to.
struct BoundTask {
  Battery battery;
  std::size_t index;

  const Task& task() const { return battery.tasks()[index]; }
};

/// A composed or drawn trial, and what it came from.
struct BoundTrial {
  BoundTask task;
  Conditions conditions;
  Trial trial;  ///< its inputs have noise if the caller asked for it
};

/// The state of a mask in a pickle.
nb::tuple state_of_mask(const Mask& mask);
Mask mask_from_state(const nb::tuple& state);

/// "validation" -> Split::validation, with the usual message for other names.
template <NamedEnum E>
E named(const std::string& name, std::string_view argument) {
  E value{};
  from_config({name, std::string(argument)}, argument, value, Range{});
  return value;
}

}  // namespace lmrnn::python

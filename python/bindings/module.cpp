// The extension module lmrnn._core.
#include "bindings.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/threads.hpp"
#include "lmrnn/version.hpp"

namespace lmrnn::python {

nb::dict describe_build() {
  const BuildInfo build = build_info();
  nb::dict info;
  info["version"] = build.version;
  info["commit"] = build.commit;
  info["compiler"] = build.compiler;
  info["build_type"] = build.build_type;
  info["simd"] = std::string(simd_target());
  nb::list targets;
  for (const std::string_view target : simd_targets()) targets.append(std::string(target));
  info["simd_targets"] = targets;
  info["processors"] = available_processors();
  return info;
}

}  // namespace lmrnn::python

NB_MODULE(_core, m) {
  using namespace lmrnn::python;
  m.doc() = "The C++ core of lmrnn. Use it through the package `lmrnn`.";
  bind_errors(m);
  bind_configuration(m);
  bind_battery(m);
  bind_tasks(m);
  bind_streams(m);
  bind_user_arrays(m);
  bind_wiring(m);
  bind_network(m);
  bind_operation(m);
  bind_evaluate(m);
  bind_analyze(m);
  bind_train(m);
  m.attr("__version__") = lmrnn::build_info().version;
  m.attr("solved_definition") = std::string(lmrnn::solved_definition);
  m.def("build_info", &describe_build, "Version, commit, compiler, SIMD targets and processors.");
}

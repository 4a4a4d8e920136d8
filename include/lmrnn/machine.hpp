// Which machine this is: what provenance needs besides the build.
#pragma once

#include <string>

namespace lmrnn {

/// The processor's model, e.g. "AMD EPYC 7763 64-Core Processor"; "unknown" if the system does not
/// say.
std::string processor_name();

/// The machine's name in its network, or "unknown".
std::string host_name();

}  // namespace lmrnn

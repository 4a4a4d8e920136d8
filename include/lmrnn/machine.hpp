// The processor and the name of this machine, for provenance.
#pragma once

#include <string>

namespace lmrnn {

/// The processor's model, e.g. "AMD EPYC 7763 64-Core Processor"; "unknown" if the system does not
/// tell.
std::string processor_name();

/// The host name of the machine, or "unknown".
std::string host_name();

}  // namespace lmrnn

// The MPI library that connects the processes that train one network (lmrnn/processes.hpp).
#pragma once

#include <string_view>

namespace lmrnn {

/// The library that `connect_processes` uses: "Open MPI", "MPICH" or "another MPI"; empty if lmrnn
/// was built without MPI.
std::string_view mpi_library() noexcept;

}  // namespace lmrnn

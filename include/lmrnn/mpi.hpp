// Which MPI connects the processes that train one network (lmrnn/processes.hpp).
#pragma once

#include <string_view>

namespace lmrnn {

/// What `connect_processes` uses: "Open MPI", "MPICH", "another MPI"; empty if the library was
/// built without any.
std::string_view mpi_library() noexcept;

}  // namespace lmrnn

// What started this process (mpirun, srun or neither), and with how many others.
#pragma once

#include <string>

namespace lmrnn::cli {

struct Launch {
  /// Number of tasks started together; 1: only this one; 0: unknown, only MPI can tell.
  int n = 1;
  int rank = 0;      ///< rank of this task, as far as the launcher tells
  std::string by{};  ///< "mpirun", "srun", ...
  bool by_srun = false;
  /// Whether the launcher told the tasks how to connect (PMI, PMIx, or its own way).
  bool connects = false;
};

/// Reads the environment variables that launchers set.
Launch find_launch();

}  // namespace lmrnn::cli

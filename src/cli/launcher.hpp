// Who started this process, and together with how many others: mpirun, srun, or nobody.
#pragma once

#include <string>

namespace lmrnn::cli {

struct Launch {
  /// Tasks that were started together; 1: this one alone; 0: several or one, only MPI knows.
  int n = 1;
  int rank = 0;      ///< of this one among them, as far as the launcher says
  std::string by{};  ///< "mpirun", "srun", ...
  bool by_srun = false;
  /// The launcher told the tasks how to find one another (PMI, PMIx, or its own way).
  bool connects = false;
};

/// Reads the environment that the launcher made.
Launch find_launch();

}  // namespace lmrnn::cli

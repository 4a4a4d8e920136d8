#include "launcher.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <system_error>

namespace lmrnn::cli {
namespace {

std::optional<int> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text) return std::nullopt;
  int number = 0;
  const char* const end = text + std::strlen(text);
  const auto [last, error] = std::from_chars(text, end, number);
  if (error != std::errc() || last != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace

// The innermost launcher wins: its variables are checked first, because mpirun within a Slurm job
// (whose orted daemons are tasks of a step) leaves Slurm's variables in place.
Launch find_launch() {
  struct Names {
    const char *n, *rank, *by;
  };
  // Open MPI and PRRTE; MVAPICH; MPICH, Intel MPI and srun --mpi=pmi2.
  for (const Names& names : {Names{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun"},
                             Names{"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "mpirun"},
                             Names{"PMI_SIZE", "PMI_RANK", "an MPI launcher (PMI)"}})
    if (const auto n = number_in(names.n))
      return {*n, number_in(names.rank).value_or(0), names.by, false, true};
  const auto pmix_rank = number_in("PMIX_RANK");
  const bool has_pmix = pmix_rank && std::getenv("PMIX_NAMESPACE") != nullptr;
  // The number of tasks of the step, not of the job: a batch script has the latter, too, but is one
  // process.
  if (const auto n = number_in("SLURM_STEP_NUM_TASKS"))
    return {*n, number_in("SLURM_PROCID").value_or(0), "srun", true, has_pmix};
  // PMIx gives the number of tasks only to clients that ask its server.
  if (has_pmix) return {0, *pmix_rank, "a PMIx launcher", false, true};
  return {};
}

}  // namespace lmrnn::cli

// All uses of MPI are in this file.
#include "lmrnn/mpi.hpp"

#include "lmrnn/error.hpp"
#include "lmrnn/processes.hpp"
#include "lmrnn/train.hpp"

#ifdef LMRNN_HAS_MPI
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <cstdlib>
#endif

namespace lmrnn {

#ifdef LMRNN_HAS_MPI
namespace {

class MpiProcesses final : public Processes {
 public:
  MpiProcesses() {
    int provided = 0;
    // All threads compute, only one of them communicates.
    if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
        provided < MPI_THREAD_FUNNELED)
      throw RunError("MPI cannot be started for a program with threads");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &n_);
  }
  ~MpiProcesses() override { MPI_Finalize(); }
  MpiProcesses(const MpiProcesses&) = delete;
  MpiProcesses& operator=(const MpiProcesses&) = delete;

  int rank() const noexcept override { return rank_; }
  int n() const noexcept override { return n_; }

  void share(void* items, std::size_t item_bytes, std::size_t n_items) override {
    std::vector<int> counts(static_cast<std::size_t>(n_)), places(counts.size());
    for (int r = 0; r < n_; ++r) {
      const std::size_t first = first_item(r, n_items);
      places[static_cast<std::size_t>(r)] = static_cast<int>(first);
      counts[static_cast<std::size_t>(r)] = static_cast<int>(first_item(r + 1, n_items) - first);
    }
    // A datatype for an item, because counts are int and all gradients together may have more bytes
    // than an int can count.
    MPI_Datatype item;
    MPI_Type_contiguous(static_cast<int>(item_bytes), MPI_BYTE, &item);
    MPI_Type_commit(&item);
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, items, counts.data(), places.data(), item,
                   MPI_COMM_WORLD);
    MPI_Type_free(&item);
  }

  bool any(bool here) override {
    int flag = here ? 1 : 0;
    MPI_Allreduce(MPI_IN_PLACE, &flag, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return flag != 0;
  }

  [[noreturn]] void end_all(int status) noexcept override {
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
  }

 private:
  int rank_ = 0, n_ = 1;
};

}  // namespace

std::unique_ptr<Processes> connect_processes() {
  return std::make_unique<MpiProcesses>();
}

std::string_view mpi_library() noexcept {
#if defined(OPEN_MPI)
  return "Open MPI";
#elif defined(MPICH_VERSION)
  return "MPICH";
#else
  return "another MPI";
#endif
}
#else
std::unique_ptr<Processes> connect_processes() {
  return nullptr;
}

std::string_view mpi_library() noexcept {
  return {};
}
#endif

}  // namespace lmrnn

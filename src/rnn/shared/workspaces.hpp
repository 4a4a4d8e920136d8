// Workspaces shared by the items of a thread pool: only as many as run at the same time.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "lmrnn/network.hpp"

namespace lmrnn {

/// Lends workspaces. A workspace is large (it holds the states of a block of trials), so one per
/// block would cost far more memory than one per thread.
class Workspaces {
 public:
  class Loan {
   public:
    Loan(Workspaces& owner, Workspace workspace)
        : owner_(owner), workspace_(std::move(workspace)) {}
    ~Loan() {
      const std::scoped_lock lock(owner_.mutex_);
      owner_.idle_.push_back(std::move(workspace_));
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Workspace& operator*() noexcept { return workspace_; }

   private:
    Workspaces& owner_;
    Workspace workspace_;
  };

  Loan borrow() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) return Loan(*this, Workspace());
    Workspace workspace = std::move(idle_.back());
    idle_.pop_back();
    return Loan(*this, std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<Workspace> idle_;
};

}  // namespace lmrnn

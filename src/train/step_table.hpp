// Tables that grow row by row and are cut back when a run resumes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/shared/descriptor.hpp"

namespace lmrnn {

/// A CSV file whose first column is the optimiser step. Each row is one write, so that a killed run
/// leaves at most its last row incomplete.
class StepTable {
 public:
  /// Opens `path`, dropping rows of steps after `last_step` and a half-written last row. Creates it
  /// with `header` if it does not exist. Replaces one of `former_headers` of earlier versions by
  /// `header`: they name the same columns, the last of which may be missing, and these cells are
  /// left empty. Throws UsageError if it has another header, RunError if it cannot be written.
  StepTable(const std::filesystem::path& path, std::string_view header,
            const std::vector<std::string>& former_headers, std::int64_t last_step);

  void append(std::string_view row);  ///< without the end of the line
  void sync();                        ///< appended rows then survive a power failure

  /// The last complete row that was kept when the table was opened; empty if there was none.
  const std::string& last_row() const noexcept { return last_row_; }

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::string last_row_;
};

}  // namespace lmrnn

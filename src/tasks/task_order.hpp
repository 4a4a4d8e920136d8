// Which task comes next in a row of a stream.
#pragma once

#include <array>
#include <cstdint>

#include "tasks/battery_data.hpp"

namespace lmrnn {

/// The tasks of one row, by the number of the trial in the row; to be asked in order.
class TaskOrder {
 public:
  /// `key`: the row (its stream is set here).
  void start(const Key& key) noexcept;

  std::size_t next(const BatteryData& battery) noexcept;

 private:
  std::uint32_t word() noexcept;

  Key key_{};
  std::uint32_t n_words_ = 0;
  std::array<std::uint32_t, 4> block_{};
  std::int64_t last_ = -1;
};

}  // namespace lmrnn

// A trial as text: cue, both rings as rows of shades, and the target, over time.
#pragma once

#include <cstddef>
#include <string>

#include "lmrnn/streams.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn::cli {

/// Draws trial `row` of `trials` at most `width` columns wide. Rings are drawn with the highest
/// angle at the top, at most eight lines each; a line of several channels shows the strongest, a
/// column of several steps their mean. The target has two directions per line.
std::string draw_trial(const Battery& battery, const TrialBatch& trials, std::size_t row,
                       std::size_t width);

/// The conditions of a trial in words, one line.
std::string conditions_text(const Battery& battery, std::size_t task, const Conditions& conditions);

/// The target in words, one line: "fixate for 1300 ms, respond at 45° for 500 ms".
std::string target_text(const Battery& battery, const TrialBatch& trials, std::size_t row);

}  // namespace lmrnn::cli

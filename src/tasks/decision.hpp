// The evidence of decision making: possible strengths of the two stimuli, and which one wins.
#pragma once

#include <array>
#include <vector>

#include "lmrnn/tasks.hpp"

namespace lmrnn {

/// Of the first and the second stimulus.
using Strengths = std::array<double, 2>;

/// Strengths (modality, stimulus) of both modalities together.
using Evidence = std::array<Strengths, 2>;

/// The possible strengths of the two stimuli of one modality, all equally likely.
std::vector<Strengths> strengths_of(Family family);

/// Evidence for the first stimulus minus that for the second, over the modalities that count.
double balance(const BaseTask& base, const Evidence& strength);

/// Whether the balance is 0. The tolerance is far below the smallest difference of strengths and
/// far above rounding.
bool is_tie(double balance);

}  // namespace lmrnn

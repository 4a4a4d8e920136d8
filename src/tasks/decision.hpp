// The evidence of decision making: what strengths the two stimuli may have, and who wins.
#pragma once

#include <array>
#include <vector>

#include "lmrnn/tasks.hpp"

namespace lmrnn {

/// Of the first and the second stimulus.
using Strengths = std::array<double, 2>;

/// Strengths (modality, stimulus) of both modalities together.
using Evidence = std::array<Strengths, 2>;

/// What the two stimuli of one modality may be, all equally likely.
std::vector<Strengths> strengths_of(Family family);

/// Evidence for the first stimulus minus that for the second, over the modalities that count.
double balance(const BaseTask& base, const Evidence& strength);

/// Far below the smallest difference of strengths, far above rounding.
bool is_tie(double balance);

}  // namespace lmrnn

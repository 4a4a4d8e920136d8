#include "kernels/drive.hpp"

namespace lmrnn::kernels {

void ActiveInputs::begin(std::size_t n_channels, std::size_t n_lanes, std::size_t n_trials) {
  n_channels_ = n_channels;
  n_lanes_ = n_lanes;
  n_trials_ = n_trials;
  n_steps_ = 0;
}

void ActiveInputs::add(const float* inputs) {
  const std::size_t first = n_steps_++ * n_lanes_, n_cells = n_steps_ * n_lanes_;
  // Each by itself: a network with more channels needs more values for fewer cells. They only grow,
  // so that a block's first steps do not shrink what its later ones need.
  if (n_active_.size() < n_cells) n_active_.resize(n_cells);
  if (values_.size() < n_cells * n_channels_) values_.resize(n_cells * n_channels_);
  if (active_.size() < n_cells * n_bundles()) active_.resize(n_cells * n_bundles());
  float* values = values_.data() + first * n_channels_;
  for (std::size_t c = 0; c < n_channels_; ++c)
    for (std::size_t k = 0; k < n_trials_; ++k)
      values[k * n_channels_ + c] = inputs[c * n_trials_ + k];
  const std::size_t alone = n_alone(), all = n_bundles();
  for (std::size_t lane = 0; lane < n_lanes_; ++lane) {
    std::uint32_t* list = active_.data() + (first + lane) * all;
    std::uint32_t n = 0;
    if (lane < n_trials_) {
      const float* x = values + lane * n_channels_;
      for (std::uint32_t b = 0; b < alone; ++b, ++x) {
        list[n] = b;
        n += *x != 0;
      }
      for (auto b = static_cast<std::uint32_t>(alone); b < all; ++b, x += bundle) {
        list[n] = b;
        n += (x[0] != 0) | (x[1] != 0) | (x[2] != 0) | (x[3] != 0);
      }
    }
    n_active_[first + lane] = n;
  }
}

void ActiveInputs::list_cells() {
  cells_.resize(n_bundles());
  for (auto& cells : cells_) cells.clear();
  for (std::size_t cell = 0; cell < n_steps_ * n_lanes_; ++cell)
    for (std::size_t k = 0; k < n_active_[cell]; ++k)
      cells_[active(cell)[k]].push_back(static_cast<std::uint32_t>(cell));
}

}  // namespace lmrnn::kernels

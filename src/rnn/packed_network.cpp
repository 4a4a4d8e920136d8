#include <algorithm>
#include <cmath>
#include <numbers>

#include "lmrnn/simd.hpp"
#include "rnn/engine.hpp"

namespace lmrnn::rnn {
namespace {

using kernels::Entry;

/// Entries of a mask, with weights stored by synapse from `first` on.
std::vector<Entry> entries_by_synapse(const Mask& mask, std::size_t first) {
  std::vector<Entry> entries;
  entries.reserve(mask.n_synapses());
  auto index = static_cast<std::uint32_t>(first);
  for (std::uint32_t row = 0; row < mask.n_targets(); ++row)
    for (const std::uint32_t column : mask.sources_of(row))
      entries.push_back({row, column, index++});
  return entries;
}

/// Entries of a mask, with weights stored as a whole (row, column) array from `first` on.
std::vector<Entry> entries_of_whole(const Mask& mask, std::size_t first) {
  std::vector<Entry> entries = entries_by_synapse(mask, first);
  for (Entry& e : entries)
    e.index = static_cast<std::uint32_t>(first + e.row * mask.n_sources() + e.column);
  return entries;
}

std::vector<Entry> transposed(std::vector<Entry> entries) {
  for (Entry& e : entries) std::swap(e.row, e.column);
  return entries;
}

PackedMatrix make_matrix(std::size_t n_rows, std::size_t n_columns, std::vector<Entry> entries,
                         std::span<const std::uint32_t> order,
                         kernels::Fill fill = kernels::Fill::where_it_pays) {
  PackedMatrix matrix;
  matrix.pattern = kernels::group_rows(n_rows, n_columns, std::move(entries), order, fill);
  matrix.weights.resize(matrix.pattern.n_entries());
  return matrix;
}

/// Index of the weight for each (slice, channel, row of slice).
std::vector<std::uint32_t> input_by_slices(std::size_t n_units, std::size_t n_channels,
                                           std::span<const Entry> entries) {
  constexpr std::size_t width = kernels::RowSlices::width;
  const std::size_t n_slices = kernels::padded_drive_units(n_units) / width;
  std::vector<std::uint32_t> index(n_slices * n_channels * width, kernels::RowGroups::filled);
  for (const Entry& e : entries)
    index[(e.row / width * n_channels + e.column) * width + e.row % width] = e.index;
  return index;
}

}  // namespace

PackedNetwork::PackedNetwork(const Architecture& a, Representation representation)
    : layout(parameter_layout(a)), n_units(a.n_units()), n_rules(a.n_rules) {
  const std::size_t n = n_units, n_padded = kernels::padded_drive_units(n);
  const auto fill = representation == Representation::dense ? kernels::Fill::everywhere
                                                            : kernels::Fill::where_it_pays;
  auto forward = entries_by_synapse(a.recurrent, layout.recurrent);
  auto backward = transposed(forward);
  auto from_units = entries_of_whole(a.readout, layout.readout);
  auto to_units = transposed(from_units);
  const auto order = kernels::order_by_overlap(n, n, forward);
  const auto order_back = kernels::order_by_overlap(n, n, backward);
  const auto order_classes = kernels::order_by_overlap(a.n_classes, n, from_units);
  one_trial.pattern = kernels::slice_rows(n, forward);
  one_trial.weights.resize(one_trial.pattern.n_entries());
  drive.input_index = input_by_slices(n, a.n_channels, entries_of_whole(a.input, layout.input));
  drive.input.resize(drive.input_index.size());
  drive.rule.resize(n_rules * n_padded);
  drive.bias.resize(n_padded);
  recurrent = make_matrix(n, n, std::move(forward), order, fill);
  recurrent_transposed = make_matrix(n, n, std::move(backward), order_back, fill);
  readout_transposed = make_matrix(n, a.n_classes, std::move(to_units), order_back);
  readout = make_matrix(a.n_classes, n, std::move(from_units), order_classes);
  readout_bias.resize(a.n_classes);
  // With the registers of AVX-512, going tile by tile costs 4% of time (bench/NOTES.md, W4); the
  // numbers are the same.
  is_uncoupled = simd_target() != "avx512" && n > kernels::drive_units &&
                 recurrent.pattern.is_diagonal() && recurrent_transposed.pattern.is_diagonal() &&
                 readout.pattern.has_whole_rows() && readout_transposed.pattern.has_whole_rows();
}

void PackedNetwork::pack(std::span<const float> parameters) {
  for (PackedMatrix* m : {&recurrent, &recurrent_transposed, &readout, &readout_transposed})
    kernels::gather(m->pattern.source_index, parameters, m->weights);
  kernels::gather(one_trial.pattern.source_index, parameters, one_trial.weights);
  kernels::gather(drive.input_index, parameters, drive.input);
  const std::size_t n_padded = drive.bias.size();
  for (std::size_t r = 0; r < n_rules; ++r)
    std::copy_n(parameters.data() + layout.rule + r * n_units, n_units,
                drive.rule.data() + r * n_padded);
  std::copy_n(parameters.data() + layout.bias, n_units, drive.bias.data());
  std::copy_n(parameters.begin() + layout.readout_bias, layout.n_readout_bias,
              readout_bias.begin());
}

PackedMatrix transposed_input(const Architecture& a) {
  auto entries = transposed(entries_of_whole(a.input, parameter_layout(a).input));
  const auto order = kernels::order_by_overlap(a.n_channels, a.n_units(), entries);
  return make_matrix(a.n_channels, a.n_units(), std::move(entries), order);
}

Buffer<float> least_squares_targets(std::size_t n_classes) {
  const std::size_t n_ring = n_classes - 1;
  Buffer<float> wanted(n_classes * n_classes, 0.05f);
  wanted[0] = 0.85f;
  for (std::size_t k = 0; k < n_ring; ++k) {
    for (std::size_t j = 0; j < n_ring; ++j) {
      const double steps = static_cast<double>(k > j ? k - j : j - k);
      const double turn = steps / static_cast<double>(n_ring);
      const double distance = 2 * std::numbers::pi * std::min(turn, 1 - turn);
      const double width = std::numbers::pi / 8;
      wanted[(1 + k) * n_classes + 1 + j] +=
          static_cast<float>(0.8 * std::exp(-0.5 * (distance / width) * (distance / width)));
    }
  }
  return wanted;
}

}  // namespace lmrnn::rnn

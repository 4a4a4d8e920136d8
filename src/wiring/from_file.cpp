#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;

/// The remedy for formats that only the Python package can read.
std::string convert_it(const std::string& path) {
  return fmt::format(
      "convert it: python -m lmrnn.wirings convert {0} {1}.npz, and set wiring.path = \"{1}.npz\"",
      path, std::filesystem::path(path).replace_extension().string());
}

// CSV: one `source,target` per line. ------------------------------------------------------------

/// The two fields of a line, or nothing if it has another number of fields.
std::optional<std::array<std::string_view, 2>> two_fields(std::string_view line) {
  const auto fields = split(line, ',');
  if (fields.size() != 2) return std::nullopt;
  return {{trimmed(fields[0]), trimmed(fields[1])}};
}

std::optional<Index> unit_number(std::string_view text, std::size_t n_units) {
  const auto unit = number_from<Index>(text);
  return unit && *unit < n_units ? unit : std::nullopt;
}

struct EdgeOfLine {
  Index target, source;
  std::size_t line;
};

void check_distinct(const std::string& path, std::vector<EdgeOfLine> edges) {
  std::ranges::sort(edges, {},
                    [](const EdgeOfLine& e) { return std::tuple(e.target, e.source, e.line); });
  const auto twice =
      std::ranges::adjacent_find(edges, [](const EdgeOfLine& a, const EdgeOfLine& b) {
        return a.target == b.target && a.source == b.source;
      });
  if (twice != edges.end())
    throw UsageError(
        fmt::format("{}:{}: synapse source {}, target {} is already in line {}; "
                    "leave one of them out",
                    path, (twice + 1)->line, twice->source, twice->target, twice->line));
}

Mask read_edge_list(const std::string& path, std::size_t n_units) {
  const std::string content = read_file(path);
  std::vector<EdgeOfLine> edges;
  std::string_view text = content;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // spreadsheet programs write it
  std::size_t n_line = 0;
  for (const std::string_view whole_line : split(text, '\n')) {
    const std::string_view line = trimmed(whole_line);
    ++n_line;
    if (line.empty()) continue;
    const auto fields = two_fields(line);
    if (edges.empty() && fields && (*fields)[0] == "source" && (*fields)[1] == "target") continue;
    const auto source = fields ? unit_number((*fields)[0], n_units) : std::nullopt;
    const auto target = fields ? unit_number((*fields)[1], n_units) : std::nullopt;
    if (!source || !target)
      throw UsageError(fmt::format(
          "{}:{}: \"{}\" is not a synapse; write source,target as two numbers from 0 to {} "
          "({} units). Lists with weights, names, other separators or "
          "numbers from 1: {}",
          path, n_line, line.substr(0, 40), n_units - 1, n_units, convert_it(path)));
    edges.push_back({*target, *source, n_line});
  }
  check_distinct(path, edges);
  std::vector<std::pair<Index, Index>> pairs;
  for (const EdgeOfLine& edge : edges) pairs.emplace_back(edge.target, edge.source);
  return {n_units, n_units, std::move(pairs)};
}

// Arrays: mask[target, source], a synapse where it is not zero. ---------------------------------

const std::pair<std::string, ArrayData>& only_array(const ArrayFile& file,
                                                    const WiringConfig& config) {
  std::string names;
  for (const auto& [name, data] : file.arrays) names += (names.empty() ? "" : ", ") + name;
  if (file.arrays.size() > 1)  // lmrnn.wirings writes such files, with names and weights
    for (const auto& array : file.arrays)
      if (array.first == "mask") return array;
  if (file.arrays.size() != 1)
    throw UsageError(
        file.arrays.empty()
            ? config.path + ": holds no array of numbers; save the mask as one"
            : fmt::format("{}: holds several arrays ({}); name the mask in wiring.dataset",
                          config.path, names));
  return file.arrays.front();
}

/// What comes before the last part of a name: "layer/" of "layer/data", "" of "data".
std::string group_of(std::string_view name) {
  return std::string(name.substr(0, name.rfind('/') + 1));
}

// scipy.sparse.save_npz writes the parts of a matrix as arrays; AnnData and 10x Genomics write them
// into groups of an HDF5 file. Rejects these files, because now and then a part has the shape of a
// mask (`data` of a diagonal matrix), but is not the mask.
void refuse_sparse(const ArrayFile& file, const WiringConfig& config) {
  static constexpr std::string_view formats[] = {"bsr", "coo", "csc", "csr", "dia", "dok", "lil"};
  const auto format = file.metadata.find("format");
  bool sparse = format != file.metadata.end() && file.find("shape") &&
                std::ranges::find(formats, format->second) != std::end(formats);
  for (const auto& [name, data] : file.arrays) {
    const std::string group = group_of(name);
    if (name != group + "data" || group_of(config.dataset) != group) continue;
    const auto has = [&](const char* part) { return file.find(group + part) != nullptr; };
    sparse = sparse || (has("indices") && has("indptr")) || (has("row") && has("col")) ||
             (has("coords") && has("shape")) || (has("offsets") && has("shape"));
  }
  if (sparse)
    throw UsageError(fmt::format(
        "{}: holds the parts of a sparse matrix of scipy, which the core does not read; {}",
        config.path, convert_it(config.path)));
}

Mask read_array(const WiringConfig& config, std::size_t n_units) {
  const ArrayFile file = read_arrays(config.path);
  refuse_sparse(file, config);
  const std::string& name =
      config.dataset.empty() ? only_array(file, config).first : config.dataset;
  const ArrayData& data = file.at(name, config.path);
  if (data.shape != std::vector{n_units, n_units})
    throw UsageError(fmt::format(
        "{}: array \"{}\" has the shape ({}), but {} needs a mask ({}, {}); set {} to fit",
        config.path, name, fmt::join(data.shape, ", "), size_text(config), n_units, n_units,
        size_keys(config)));
  const std::vector<double> values = data.to_doubles();
  return mask_from_array(n_units, n_units, fmt::format("{}: array \"{}\"", config.path, name),
                         [&](std::size_t target, std::span<double> row) {
                           std::copy_n(values.begin() + std::ptrdiff_t(target * n_units), n_units,
                                       row.begin());
                         });
}

}  // namespace

Mask make_file(const WiringConfig& config, Seed) {
  if (config.path.empty())
    throw UsageError("wiring.kind = \"file\" needs wiring.path, the file that holds the mask");
  const std::size_t n_units = config.sheet().n_units();
  const std::string format = ending_of(config.path);
  constexpr std::string_view formats[] = {"csv", "npz", "npy", "safetensors"};
  if (std::ranges::find(formats, format) == std::end(formats))
    throw UsageError(
        fmt::format("{}: the core reads .npz, .npy, .safetensors and .csv (source,target); {}",
                    config.path, convert_it(config.path)));
  const bool is_edge_list = format == "csv";
  if (is_edge_list && !config.dataset.empty())
    throw UsageError("wiring.dataset = \"" + config.dataset +
                     "\" does not apply to a CSV file; leave it out");
  const Mask mask =
      is_edge_list ? read_edge_list(config.path, n_units) : read_array(config, n_units);
  require_synapses(mask, config.path);
  if (config.autapses) return mask;
  const Mask rest = without_autapses(mask);
  require_synapses(rest, config.path + ": without autapses (wiring.autapses = false)");
  return rest;
}

}  // namespace lmrnn

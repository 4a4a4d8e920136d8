// How an analysis enters the catalogue: an options struct with a field list, and one function.
#pragma once

#include "lmrnn/analysis.hpp"

namespace lmrnn {

template <HasFields Options>
Options options_from(const ConfigTable& table) {
  Options options;
  read_config(options, table);
  return options;
}

/// `run` takes (const Subject&, const Options&, const AnalysisContext&).
template <HasFields Options, auto run>
constexpr AnalysisEntry analysis_entry(std::string_view name, std::string_view meaning) {
  return {name, meaning, [] { return document_fields<Options>(); },
          [](const Subject& subject, const ConfigTable& table, const AnalysisContext& context) {
            return run(subject, options_from<Options>(table), context);
          },
          [](const ConfigTable& table) { return write_config(options_from<Options>(table)); }};
}

}  // namespace lmrnn

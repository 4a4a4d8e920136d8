// The analyses, one entry each, defined at the end of src/analysis/*/NAME.cpp; catalogue.cpp lists
// them.
#pragma once

#include "lmrnn/analysis.hpp"

namespace lmrnn {

AnalysisEntry record_entry();
AnalysisEntry fixed_points_entry();
AnalysisEntry ring_entry();
AnalysisEntry autapse_entry();
AnalysisEntry variance_entry();
AnalysisEntry sheet_entry();
AnalysisEntry modularity_entry();
AnalysisEntry dimensionality_entry();
AnalysisEntry similarity_entry();
AnalysisEntry psychometric_entry();
AnalysisEntry pruning_entry();
AnalysisEntry extrapolation_entry();
AnalysisEntry confusion_entry();
AnalysisEntry weights_entry();

}  // namespace lmrnn

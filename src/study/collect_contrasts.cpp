// The table of paired contrasts, with their verdicts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lmrnn/statistics.hpp"
#include "study/collect.hpp"
#include "study/contrast.hpp"
#include "study/store.hpp"

namespace lmrnn {
namespace {

/// What a level costs, to tell whether a comparison is matched. These are means, because pruning
/// and random wirings make the cost differ between seeds.
struct Size {
  double synapses = 0, parameters = 0, multiply_adds = 0;

  void add(const RunSummary& run, double share) {
    synapses += share * measure(run, "synapses");
    parameters += share * measure(run, "parameters");
    multiply_adds += share * measure(run, "multiply_adds");
  }
};

/// Values of one measure by seed, for the seeds that both cells have.
struct Pairs {
  std::vector<double> a, b;
  std::size_t n_censored_a = 0, n_censored_b = 0;
  std::vector<const RunSummary*> runs_a, runs_b;
};

Size mean_size(const std::vector<const RunSummary*>& runs) {
  if (runs.empty()) return {nothing, nothing, nothing};
  Size size;
  for (const RunSummary* run : runs) size.add(*run, 1 / static_cast<double>(runs.size()));
  return size;
}

Pairs pair_up(const StudyResults& results, std::size_t cell_a, std::size_t cell_b,
              const std::string& name) {
  Pairs pairs;
  for (const auto& [seed, in_a] : results.reports(cell_a)) {
    const auto found = results.reports(cell_b).find(seed);
    if (found == results.reports(cell_b).end()) continue;
    const RunSummary& in_b = *found->second;
    if (const auto time = censored_measure(*in_a, name)) pairs.n_censored_a += !time->reached;
    if (const auto time = censored_measure(in_b, name)) pairs.n_censored_b += !time->reached;
    const double a = measure(*in_a, name), b = measure(in_b, name);
    if (std::isnan(a - b)) continue;  // for example, the held-out score without held-out tasks
    pairs.a.push_back(a);
    pairs.b.push_back(b);
    pairs.runs_a.push_back(in_a);
    pairs.runs_b.push_back(&in_b);
  }
  return pairs;
}

/// A contrast at one combination of levels of the other axes.
struct ContrastRow {
  const ContrastConfig* contrast;
  std::string where;
  std::size_t n_censored_a, n_censored_b;
  Comparison comparison;
  Size a, b;
  double p_holm = nothing;
};

std::vector<ContrastRow> contrast_rows(const Study& study, const StudyPlan& plan,
                                       const StudyResults& results) {
  const auto& statistics = study.config.statistics;
  const Seed seed = statistics.resampling_seed();
  std::vector<ContrastRow> rows;
  for (const ContrastConfig& c : study.config.contrasts)
    for (const Siblings& family : siblings(plan, axis_index(plan, c.axis))) {
      if (!family.by_level.contains(c.a) || !family.by_level.contains(c.b)) continue;
      const Pairs pairs =
          pair_up(results, family.by_level.at(c.a), family.by_level.at(c.b), c.measure);
      rows.push_back({&c, where(family), pairs.n_censored_a, pairs.n_censored_b,
                      compare(pairs.a, pairs.b, pairs.n_censored_a, pairs.n_censored_b, scale_of(c),
                              seed, statistics.confidence),
                      mean_size(pairs.runs_a), mean_size(pairs.runs_b)});
    }
  std::vector<double> p;
  std::vector<ContrastRow*> headline;
  // All of them, tested or not: the correction must not depend on the data.
  for (ContrastRow& row : rows) {
    if (!row.contrast->headline) continue;
    headline.push_back(&row);
    p.push_back(row.comparison.tested ? row.comparison.p : nothing);
  }
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < adjusted.size(); ++i) headline[i]->p_holm = adjusted[i];
  return rows;
}

/// The limits of a contrast, as reports show them; empty if it has none.
std::string criterion_words(const ContrastConfig& c) {
  std::vector<std::string> words;
  const std::pair<const char*, std::optional<double>> limits[] = {
      {"supported below", c.supported_below},
      {"supported above", c.supported_above},
      {"refuted below", c.refuted_below},
      {"refuted above", c.refuted_above}};
  for (const auto& [name, limit] : limits)
    if (limit) words.push_back(fmt::format("{} {:g}", name, *limit));
  if (c.refuted_within.size() == 2)
    words.push_back(
        fmt::format("refuted within {:g} to {:g}", c.refuted_within[0], c.refuted_within[1]));
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The limits that a contrast had before the first run; empty if it had none, or if no run has
/// begun here.
std::string registered_words(const std::optional<StudyConfig>& registered,
                             const ContrastConfig& c) {
  if (!registered) return "";
  const auto key = [](const ContrastConfig& x) {
    return std::tuple(x.axis, x.a, x.b, x.measure, scale_of(x));
  };
  const auto before = std::ranges::find(registered->contrasts, key(c), key);
  return before == registered->contrasts.end() ? "" : criterion_words(*before);
}

/// "0.5 (0.4 to 0.6)"; without an interval, or without a value, it says so.
std::string effect_words(const Band& effect) {
  if (!std::isfinite(effect.estimate)) return "undefined";
  const std::string estimate = fmt::format("{:.3g}", effect.estimate);
  if (!std::isfinite(effect.lower + effect.upper)) return estimate + " (no interval)";
  return fmt::format("{} ({:.3g} to {:.3g})", estimate, effect.lower, effect.upper);
}

}  // namespace

Table contrasts_table(const Study& study, const StudyPlan& plan, const StudyResults& results) {
  Table table{"contrasts",
              {"axis",
               "a",
               "b",
               "where",
               "measure",
               "scale",
               "pairs",
               "mean_a",
               "mean_b",
               "difference",
               "lower",
               "upper",
               "ratio",
               "ratio_lower",
               "ratio_upper",
               "censored_a",
               "censored_b",
               "p",
               "least_p",
               "headline",
               "p_holm",
               "verdict",
               "criterion",
               "registered",
               "synapses_a",
               "synapses_b",
               "parameters_a",
               "parameters_b",
               "multiply_adds_a",
               "multiply_adds_b"},
              {}};
  const std::optional<StudyConfig> registered = registered_config(study);
  for (const ContrastRow& row : contrast_rows(study, plan, results)) {
    const ContrastConfig& c = *row.contrast;
    const Comparison& x = row.comparison;
    table.rows.push_back({c.axis,
                          c.a,
                          c.b,
                          row.where,
                          c.measure,
                          std::string(to_name(scale_of(c))),
                          static_cast<std::int64_t>(x.n_pairs),
                          x.mean_a,
                          x.mean_b,
                          x.difference.estimate,
                          x.difference.lower,
                          x.difference.upper,
                          x.ratio.estimate,
                          x.ratio.lower,
                          x.ratio.upper,
                          static_cast<std::int64_t>(row.n_censored_a),
                          static_cast<std::int64_t>(row.n_censored_b),
                          x.p,
                          least_paired_p(x.n_pairs),
                          std::int64_t{c.headline},
                          row.p_holm,
                          std::string(verdict_of(c, x)),
                          criterion_words(c),
                          registered_words(registered, c),
                          row.a.synapses,
                          row.b.synapses,
                          row.a.parameters,
                          row.b.parameters,
                          row.a.multiply_adds,
                          row.b.multiply_adds});
  }
  return table;
}

std::vector<std::string> verdict_lines(const Study& study, const StudyPlan& plan,
                                       const StudyResults& results) {
  std::vector<std::string> lines;
  for (const ContrastRow& row : contrast_rows(study, plan, results)) {
    const ContrastConfig& c = *row.contrast;
    const Comparison& x = row.comparison;
    if (!c.has_criterion() || x.n_pairs == 0) continue;
    const bool is_ratio = scale_of(c) == ContrastScale::ratio;
    const Band& effect = is_ratio ? x.ratio : x.difference;
    std::string line = fmt::format("{}: {} {} {}{}{}, {} {}, {} pairs", verdict_of(c, x), c.a,
                                   is_ratio ? "/" : "-", c.b, row.where.empty() ? "" : ", ",
                                   row.where, c.measure, effect_words(effect), x.n_pairs);
    if (row.n_censored_a + row.n_censored_b > 0)
      line += fmt::format(", mark missed by {} and {}", row.n_censored_a, row.n_censored_b);
    line += fmt::format(", p = {:.3g}", x.p);
    if (!std::isnan(row.p_holm))
      line += fmt::format(" ({:.3g} after Holm's correction)", row.p_holm);
    line += fmt::format("; parameters {:.0f} / {:.0f}", row.a.parameters, row.b.parameters);
    if (!std::isnan(row.a.multiply_adds + row.b.multiply_adds))
      line +=
          fmt::format(", multiply-adds {:.0f} / {:.0f}", row.a.multiply_adds, row.b.multiply_adds);
    lines.push_back(std::move(line));
  }
  return lines;
}

namespace {

/// Limits decide by the interval, and only from so many pairs on; nothing if there are enough.
std::optional<std::string> too_few_for_verdicts(const Study& study) {
  const std::size_t n_pairs = study.config.seeds.size();
  const bool are_asked = std::ranges::any_of(study.config.contrasts, [](const ContrastConfig& c) {
    return c.headline && c.has_criterion();
  });
  if (!are_asked || n_pairs >= least_pairs_of_a_verdict) return std::nullopt;
  return fmt::format(
      "no contrast can get a verdict from {} seed{}; use at least {} seeds, or mark contrasts that "
      "only describe with headline = false",
      n_pairs, n_pairs == 1 ? "" : "s", least_pairs_of_a_verdict);
}

/// Headline contrasts without limits are decided by p; nothing if there are enough pairs for one.
std::optional<std::string> too_few_for_significance(const Study& study, const StudyPlan& plan) {
  const double level = 1 - study.config.statistics.confidence;
  std::size_t n_headline = 0;
  bool are_asked = false;
  for (const ContrastConfig& c : study.config.contrasts) {
    if (!c.headline) continue;
    for (const Siblings& family : siblings(plan, axis_index(plan, c.axis))) {
      if (!family.by_level.contains(c.a) || !family.by_level.contains(c.b)) continue;
      ++n_headline;
      are_asked |= !c.has_criterion();
    }
  }
  if (!are_asked) return std::nullopt;
  const auto least_after_holm = [&](std::size_t n_pairs) {
    return std::min(1.0, static_cast<double>(n_headline) * least_paired_p(n_pairs));
  };
  const std::size_t n_pairs = study.config.seeds.size();
  if (least_after_holm(n_pairs) <= level) return std::nullopt;
  std::size_t enough = n_pairs;
  while (least_after_holm(enough) > level) ++enough;
  return fmt::format(
      "no contrast can be significant at {:g}: with {} seed{}, p is at least {:.3g}{}; use at "
      "least {} seeds, or mark contrasts that only describe with headline = false",
      level, n_pairs, n_pairs == 1 ? "" : "s", least_after_holm(n_pairs),
      n_headline == 1
          ? std::string()
          : fmt::format(" after Holm's correction over {} headline contrasts", n_headline),
      enough);
}

}  // namespace

std::vector<std::string> plan_warnings(const Study& study, const StudyPlan& plan) {
  std::vector<std::string> out = tuning_problems(plan);
  if (auto few = too_few_for_verdicts(study)) out.push_back(*std::move(few));
  if (auto few = too_few_for_significance(study, plan)) out.push_back(*std::move(few));
  return out;
}

}  // namespace lmrnn

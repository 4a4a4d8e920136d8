// What all analyses share, for the whole catalogue; tables and files; lesions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "analysis/autapse/pools.hpp"
#include "analysis/ring/setting.hpp"
#include "analysis_networks.hpp"
#include "lmrnn/lesion.hpp"
#include "message_of.hpp"
#include "unit/small_run.hpp"

namespace lmrnn {
namespace {

using ::testing::HasSubstr;

/// A small local network with random weights that are strong enough to produce activity.
Subject small_subject(WiringKind kind = WiringKind::local) {
  BatteryConfig config = testing::battery_of("go,dlygo,dm1,dlygointr,dlygointl,dms");
  Battery battery(config, Seed{1});
  WiringConfig wiring;
  wiring.kind = kind;
  wiring.rows = 4;
  wiring.cols = 6;
  wiring.radius = 1;
  wiring.block_units = 6;
  Architecture a;
  a.n_channels = battery.n_channels();
  a.n_rules = battery.n_rules();
  a.n_classes = battery.n_classes();
  a.recurrent = make_mask(wiring, Seed{1});
  a.input = Mask::dense(24, a.n_channels);
  a.readout = Mask::dense(a.n_classes, 24);
  Network network(a);
  network.initialise(Initialisation::fan_in, Seed{7});
  TrainedOn trained{config, wiring, Seed{1}, {}};
  for (const Task& task : battery.tasks()) trained.tasks.push_back(task.name());
  return {std::move(network), std::move(trained), std::move(battery)};
}

/// Fewer trials than by default: these tests check form, not values.
ConfigTable quick(const AnalysisEntry& entry) {
  ConfigTable table;
  const std::map<std::string, std::string> small{
      {"trials", "8"},         {"lesion_trials", "8"}, {"angles", "32"},       {"repeats", "2"},
      {"kicks", "2"},          {"permutations", "19"}, {"most_clusters", "4"}, {"starts", "4"},
      {"random_lesions", "2"}, {"iterations", "10"}};
  for (const FieldDoc& f : entry.document())
    if (const auto found = small.find(f.key); found != small.end())
      assign_key(table, f.key + "=" + found->second);
  return table;
}

AnalysisResult run(const AnalysisEntry& entry, const Subject& subject, const ConfigTable& options,
                   int n_threads) {
  ThreadPool pool(n_threads);
  AnalysisContext context{.pool = pool, .seed = Seed{5}};
  context.load = [&](const std::filesystem::path&) {
    return make_control(subject, Control::none, Seed{1});
  };
  context.untrained = [&] { return make_control(subject, Control::none, Seed{1}); };
  return entry.run(subject, options, context);
}

std::string whole_text(const AnalysisResult& result) {
  std::string text = summary_json(result);
  for (const Table& t : result.tables) text += t.name + "\n" + to_csv(t);
  for (const Recording& r : result.recordings)
    for (const auto& [name, data] : r.file.arrays)
      text +=
          name + std::string(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
  return text;
}

class Every : public ::testing::TestWithParam<std::string_view> {
 protected:
  const AnalysisEntry& entry = find_analysis(GetParam());
  Subject subject =
      small_subject(GetParam() == "autapse" ? WiringKind::autapse : WiringKind::local);
  ConfigTable options = [this] {
    ConfigTable table = quick(entry);
    if (GetParam() == "similarity") assign_key(table, "other=itself");
    return table;
  }();
};

TEST_P(Every, GivesTheSameBitsForAnyNumberOfThreads) {
  const std::string alone = whole_text(run(entry, subject, options, 1));
  EXPECT_EQ(alone, whole_text(run(entry, subject, options, 3)));
  EXPECT_GT(alone.size(), 100u);
}

TEST_P(Every, TablesAndRecordingsAreWellFormed) {
  const AnalysisResult result = run(entry, subject, options, 2);
  EXPECT_FALSE(result.summary.empty());
  std::set<std::string> names;
  for (const Table& table : result.tables) {
    EXPECT_TRUE(names.insert(table.name).second) << table.name;
    EXPECT_FALSE(table.caption.empty()) << table.name;
    for (const auto& row : table.rows) ASSERT_EQ(row.size(), table.columns.size()) << table.name;
  }
  for (const Recording& r : result.recordings)
    for (const auto& [name, data] : r.file.arrays)
      EXPECT_EQ(r.dimensions.at(name).size(), data.shape.size()) << name;
}

TEST_P(Every, WritesADirectoryAndReplacesIt) {
  TemporaryDirectory directory;
  const AnalysisResult result = run(entry, subject, options, 2);
  for (int i = 0; i < 2; ++i)
    write_analysis(directory / "out", result, entry.resolve(options), {entry.name, 20}, true);
  std::set<std::string> expected{"options.toml", "provenance.json", "summary.json"}, found;
  for (const Table& t : result.tables) expected.insert({t.name + ".csv", t.name + ".tex"});
  for (const Recording& r : result.recordings) expected.insert(r.name + ".h5");
  for (const auto& file : std::filesystem::directory_iterator(directory / "out"))
    found.insert(file.path().filename());
  EXPECT_EQ(found, expected);
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory / "."))
    ++n;
  EXPECT_EQ(n, 1u);  // no temporary file is left
}

TEST_P(Every, RefusesUnknownOptionsAndStopsWhenAsked) {
  ConfigTable wrong = options;
  assign_key(wrong, "trails=3");
  EXPECT_THROW(run(entry, subject, wrong, 1), UsageError);
  ThreadPool pool(2);
  AnalysisContext context{.pool = pool, .seed = Seed{5}};
  context.load = [&](const std::filesystem::path&) {
    return make_control(subject, Control::none, Seed{1});
  };
  context.stop_requested = [] { return true; };
  EXPECT_THROW(entry.run(subject, options, context), Interrupted);
}

INSTANTIATE_TEST_SUITE_P(
    Analyses, Every,
    [] {
      std::vector<std::string_view> names;
      for (const AnalysisEntry& e : analyses()) names.push_back(e.name);
      return ::testing::ValuesIn(names);
    }(),
    [](const auto& info) {
      std::string name(info.param);
      std::erase(name, '-');
      return name;
    });

TEST(Analyses, UnknownNamesGetTheNearest) {
  EXPECT_THAT(message_of<UsageError>([] { find_analysis("fixed-point"); }),
              HasSubstr("did you mean \"fixed-points\"?"));
}

TEST(Analyses, AutapseIsForDiagonalNetworksAlone) {
  const Subject local = small_subject();
  EXPECT_THAT(message_of<UsageError>([&] { run(find_analysis("autapse"), local, {}, 1); }),
              HasSubstr("autapse"));
}

Subject small_subject_in(const BatteryConfig& config, Seed seed) {
  Subject subject = small_subject();
  return {std::move(subject.network), std::move(subject.trained), Battery(config, seed)};
}

// A network and itself, in batteries that draw other delays for the same seed.
TEST(Similarity, ShowsBothNetworksTheSameTrials) {
  const Subject subject = small_subject();
  BatteryConfig config = subject.battery.config();
  config.durations["reach"]["delay"] = {Duration::Kind::uniform, {300, 1500}};
  ThreadPool pool(1);
  AnalysisContext context{.pool = pool, .seed = Seed{5}};
  context.load = [&](const std::filesystem::path&) { return small_subject_in(config, Seed{9}); };
  ConfigTable options;
  for (const char* key : {"other=itself", "tasks=dlygo", "trials=8", "starts=2"})
    assign_key(options, key);
  const AnalysisResult result = find_analysis("similarity").run(subject, options, context);
  EXPECT_NEAR(std::get<double>(result.tables[0].rows[0][1]), 1, 1e-9);  // cka
  EXPECT_NEAR(std::get<double>(result.tables[0].rows[0][3]), 0, 1e-9);  // spectral distance

  // With published rounding, the same durations are other numbers of steps.
  config.dt = 100.0 / 3;
  const Subject fine = small_subject_in(config, Seed{1});
  config.semantics.switches["rounding"] = SemanticsBase::published;
  EXPECT_THAT(
      message_of<UsageError>([&] { find_analysis("similarity").run(fine, options, context); }),
      HasSubstr("trials of dlygo have more steps in one of the two batteries"));
}

// Four blocks of six units are modules, but only because of their mask: weights permuted within it
// are as modular. With permuted masks, every sparse network would look modular.
TEST(Modularity, OfBlocksIsThatOfTheirMask) {
  const AnalysisEntry& entry = find_analysis("modularity");
  const AnalysisResult result = run(entry, small_subject(WiringKind::blocks), quick(entry), 2);
  const auto& weights = result.table("modularity").rows[0];
  EXPECT_EQ(std::get<std::int64_t>(weights[1]), 4);
  EXPECT_NEAR(std::get<double>(weights[2]), 0.75, 0.03);
  EXPECT_NEAR(std::get<double>(weights[4]), 0.75, 0.03);
  EXPECT_LT(std::abs(std::get<double>(weights[6])), 3);
}

TEST(Tables, CsvQuotesAndLeavesGapsForWhatIsNotANumber) {
  const Table table{"t", {"a", "b"}, {{std::string("x,\"y\""), std::nan("")}, {true, 0.1}}, "c"};
  EXPECT_EQ(to_csv(table), "a,b\n\"x,\"\"y\"\"\",\ntrue,0.1\n");
}

TEST(Tables, LatexEscapes) {
  const Table table{"t", {"n", "x"}, {{std::string("a_b, \"c\" & d"), 0.25}}, "100% of a_b"};
  const std::string text = to_latex(table);
  EXPECT_THAT(text, HasSubstr("100\\% of a\\_b"));
  EXPECT_THAT(text, HasSubstr("a\\_b, \"c\" \\& d & 0.25 \\\\"));
  EXPECT_THAT(text, HasSubstr("\\begin{tabular}{lr}"));
}

TEST(Results, AnUnwritablePlaceIsARunError) {
  TemporaryDirectory directory;
  write_file(directory / "file", std::string_view("x"));
  EXPECT_THROW(write_analysis(directory / "file" / "out", {}, {}, {}, false), RunError);
}

// Lesions -----------------------------------------------------------------------------------------

std::vector<float> logits_of(const Network& network, const Battery& battery) {
  const TrialBatch trials = draw_trials(battery, 0, 3, Seed{2}, Split::test);
  std::vector<float> logits(trials.n_steps * battery.n_classes() * trials.n_trials);
  Workspace workspace;
  network.forward(trials.view(), {}, {},
                  {logits.data(), trials.n_steps, battery.n_classes(), trials.n_trials}, workspace);
  return logits;
}

TEST(Lesions, AUnitThatSendsNothingIsNotMissed) {
  const Subject subject = small_subject();
  const std::vector<std::uint32_t> units{3};

  Network heard = subject.network.copy();  // the unit is surely active
  heard.write_weights()[heard.layout().bias + 3] = 1;
  const Network once = without_units(heard, units);
  EXPECT_NE(logits_of(once, subject.battery), logits_of(heard, subject.battery));
  // The input of the silenced unit no longer makes a difference.
  Network twice = once.copy();
  const ParameterLayout& l = twice.layout();
  twice.write_weights()[l.bias + 3] = 100;
  EXPECT_EQ(logits_of(twice, subject.battery), logits_of(once, subject.battery));
  std::vector<std::uint32_t> all(24);
  std::iota(all.begin(), all.end(), 0u);
  for (const float x : logits_of(without_units(subject.network, all), subject.battery))
    EXPECT_EQ(x, 0);
}

TEST(Lesions, SynapsesBetweenUnitsLeaveTheAutapses) {
  const Subject subject = small_subject();
  const auto between = synapses_between_units(subject.network);
  EXPECT_EQ(between.size(), 24u * 4);
  const Network alone = without_synapses(subject.network, between);
  const Mask& mask = alone.architecture().recurrent;
  const float* w = alone.parameters().data() + alone.layout().recurrent;
  const float* v = subject.network.parameters().data() + alone.layout().recurrent;
  for (std::size_t i = 0; i < 24; ++i)
    for (auto s = mask.row_offsets()[i]; s < mask.row_offsets()[i + 1]; ++s)
      EXPECT_EQ(w[s], mask.sources()[s] == i ? v[s] : 0);
}

TEST(Lesions, RandomUnitsAreDistinctAndReproducible) {
  const auto units = random_units(50, 20, Seed{1}, 4);
  EXPECT_EQ(std::set<std::uint32_t>(units.begin(), units.end()).size(), 20u);
  EXPECT_EQ(units, random_units(50, 20, Seed{1}, 4));
  EXPECT_NE(units, random_units(50, 20, Seed{1}, 5));
  EXPECT_THROW(random_units(5, 6, Seed{1}, 0), UsageError);
  const Subject subject = small_subject();
  const std::vector<std::uint32_t> none{24};
  EXPECT_THROW(without_units(subject.network, none), UsageError);
}

TEST(Controls, ShuffledWeightsAreTheSameWeightsElsewhere) {
  const Subject subject = small_subject();
  const Subject control = make_control(subject, Control::shuffled_weights, Seed{3});
  const ParameterLayout& l = subject.network.layout();
  const auto sorted = [&](const Subject& s) {
    const auto w = s.network.parameters().subspan(l.recurrent, l.n_recurrent);
    std::vector<float> values(w.begin(), w.end());
    std::ranges::sort(values);
    return values;
  };
  EXPECT_EQ(sorted(subject), sorted(control));
  EXPECT_NE(logits_of(subject.network, subject.battery),
            logits_of(control.network, control.battery));
}

// Seeds ------------------------------------------------------------------------------------------

TEST(Seeds, NeighboursShareNoPermutation) {
  const Subject subject = small_subject();
  std::set<std::vector<float>> seen;
  for (const std::uint64_t seed : {1, 2, 3})
    for (std::uint32_t number = 0; number < 20; ++number) {
      const Subject control = make_control(subject, Control::shuffled_weights, Seed{seed}, number);
      const auto w = control.network.parameters();
      EXPECT_TRUE(seen.insert({w.begin(), w.end()}).second) << seed << " " << number;
    }
}

// The null that the analysis reports for a seed must not be the control of another seed.
TEST(Seeds, TheNullOfModularityIsNotTheControlOfTheNextSeed) {
  const Subject subject = small_subject();
  const auto value = [](const AnalysisResult& result, std::string_view key) {
    return std::get<double>(
        std::ranges::find(result.summary, key, &std::pair<std::string, TableCell>::first)->second);
  };
  int n_equal = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ThreadPool pool(2);
    ConfigTable options;
    for (const char* option : {"trials=2", "permutations=1", "starts=50"})
      assign_key(options, option);
    const AnalysisEntry& modularity = find_analysis("modularity");
    const AnalysisContext context{.pool = pool, .seed = Seed{seed}};
    const Subject next = make_control(subject, Control::shuffled_weights, Seed{seed + 1});
    n_equal +=
        std::abs(value(modularity.run(subject, options, context), "modularity_weights_null") -
                 value(modularity.run(next, options, context), "modularity_weights")) < 1e-9;
  }
  EXPECT_EQ(n_equal, 0);
}

// Noisy repetitions of the ring analysis: all differ, within one seed and between two.
TEST(Seeds, NeighboursShareNoNoisyRepetition) {
  const Subject subject = testing::ring_subject(20);
  ThreadPool pool(1);
  const RingOptions options{.angles = 32, .long_delay = 2000};
  std::set<std::vector<float>> seen;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const AnalysisContext context{.pool = pool, .seed = Seed{seed}};
    const RingSetting setting(subject, options, context);
    for (std::size_t repeat = 0; repeat < 3; ++repeat) {
      const Circle noisy = setting.run_circle(0, 2000, {}, subject.network, 0.05, repeat);
      for (std::size_t k = 0; k < setting.n_trials; k += setting.n_angles / 2) {
        std::vector<float> noise;  // states of the first steps, in which nothing else happens
        for (std::size_t t = 0; t < 3; ++t)
          for (std::size_t i = 0; i < noisy.run.n_units; ++i)
            noise.push_back(noisy.run.state(t, i, k));
        EXPECT_TRUE(seen.insert(noise).second) << seed << " " << repeat << " " << k;
      }
    }
  }
}

}  // namespace
}  // namespace lmrnn

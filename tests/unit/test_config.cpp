#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "lmrnn/config.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Metric { l1, l2 };
constexpr std::array<std::pair<std::string_view, Metric>, 2> enum_names(Metric) {
  return {{{"l1", Metric::l1}, {"l2", Metric::l2}}};
}

struct Sheet {
  std::int64_t rows = 32;
  Metric metric = Metric::l1;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("rows", self.rows, "rows of the sheet", between(1, 64));
    field("metric", self.metric, "distance on the sheet");
  }
};

struct Example {
  bool autapses = true;
  std::int64_t units = 1024;
  double radius = 4;
  std::string tasks = "modcog82";
  Sheet sheet;
  std::optional<std::int64_t> seed;
  std::vector<double> delays = {100, 200};
  std::vector<Sheet> sheets;
  std::map<std::string, double> weights;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("autapses", self.autapses, "whether a unit connects to itself");
    field("units", self.units, "how many", at_least(1));
    field("radius", self.radius, "of the neighbourhood", more_than(0));
    field("tasks", self.tasks, "which");
    field("sheet", self.sheet, "the sheet");
    field("seed", self.seed, "of random masks", any_seed());
    field("delays", self.delays, "ms", at_least(0));
    field("sheets", self.sheets, "more of them");
    field("weights", self.weights, "by task", between(0, 10));
  }
};

Example read(std::string_view toml) {
  Example example;
  read_config(example, parse_toml(toml, "net.toml"));
  return example;
}
std::string refusal(std::string_view toml) {
  return message_of<UsageError>([&] { read(toml); });
}
std::string text_of(const Example& example) {
  return to_toml(write_config(example));
}

// Reading. -----------------------------------------------------------------------------------

TEST(ReadConfig, KeepsDefaultsWhereTheFileIsSilent) {
  EXPECT_EQ(text_of(read("")), text_of(Example{}));
}

TEST(ReadConfig, TakesEveryKindOfField) {
  const Example e = read(R"(
autapses = false
units = 64
radius = 2.5
tasks = "cog20"
seed = 7
delays = [0, 1.5]
sheets = [{rows = 3}, {rows = 5, metric = "l2"}]
[sheet]
rows = 8
metric = "l2"
[weights]
dm1 = 2
"dly*" = 0.5
)");
  EXPECT_FALSE(e.autapses);
  EXPECT_EQ(e.units, 64);
  EXPECT_EQ(e.radius, 2.5);
  EXPECT_EQ(e.tasks, "cog20");
  EXPECT_EQ(e.seed, 7);
  EXPECT_THAT(e.delays, ElementsAre(0, 1.5));
  ASSERT_EQ(e.sheets.size(), 2u);
  EXPECT_EQ(e.sheets[0].rows, 3);
  EXPECT_EQ(e.sheets[1].metric, Metric::l2);
  EXPECT_EQ(e.sheet.rows, 8);
  EXPECT_EQ(e.sheet.metric, Metric::l2);
  EXPECT_THAT(e.weights, ElementsAre(std::pair("dly*", 0.5), std::pair("dm1", 2)));
}

TEST(ReadConfig, ReadsWholeNumbersWhereARealIsWanted) {
  EXPECT_EQ(read("radius = 3").radius, 3);
}

TEST(ReadConfig, ReplacesListsAndMapsInsteadOfAddingToThem) {
  EXPECT_THAT(read("delays = []").delays, IsEmpty());
}

// Refusals: file, line, what, remedy. ----------------------------------------------------------

TEST(Refusal, OfAnUnknownKeyNamesFileLineAndTheNearestKey) {
  EXPECT_EQ(refusal("units = 3\n\nradus = 4\n"),
            "net.toml:3: unknown key \"radus\"; did you mean \"radius\"?");
}

TEST(Refusal, OfAnUnknownKeyInATableNamesTheTable) {
  EXPECT_EQ(refusal("[sheet]\nrwos = 4\n"),
            "net.toml:2: unknown key \"rwos\" in [sheet]; did you mean \"rows\"?");
}

TEST(Refusal, OfAKeyThatResemblesNothingListsWhatThereIs) {
  EXPECT_EQ(refusal("[sheet]\ntemperature = 4\n"),
            "net.toml:2: unknown key \"temperature\" in [sheet]; known keys are: rows, metric");
}

TEST(Refusal, OfTextThatIsNoTomlNamesARemedy) {
  const std::pair<const char*, const char*> cases[] = {
      {"tasks = cog20", "in quotes"},
      {"tasks = \"cog20\n", "with the quotes that it started with"},
      {"autapses = True", "write true or false"},
      {"units = 1,000", "no commas in numbers"},
      {"sheet = { rows = 8 cols = 8 }", "commas between them"},
      {"delays = [1 2]", "commas between entries"},
      {"units = 1\nunits = 2", "each key once"},
      {"[sheet\nrows = 2", "https://toml.io"},
  };
  for (const auto& [text, remedy] : cases) {
    EXPECT_THAT(refusal(text), testing::HasSubstr(remedy)) << text;
    EXPECT_THAT(refusal(text), testing::StartsWith("net.toml:")) << text;
  }
}

TEST(Refusal, OfWrongTypesSaysWhatIsExpected) {
  EXPECT_EQ(refusal("autapses = 1"), "net.toml:1: autapses = 1; expected true or false");
  EXPECT_EQ(refusal("units = 1.5"), "net.toml:1: units = 1.5; expected a whole number");
  EXPECT_EQ(refusal("units = \"3\""), "net.toml:1: units = \"3\"; expected a whole number");
  EXPECT_EQ(refusal("radius = true"), "net.toml:1: radius = true; expected a number");
  EXPECT_EQ(refusal("tasks = 20"), "net.toml:1: tasks = 20; expected text in quotes");
  EXPECT_EQ(refusal("sheet = 3"), "net.toml:1: sheet = 3; expected a table");
  EXPECT_EQ(refusal("delays = 3"), "net.toml:1: delays = 3; expected a list in brackets");
  EXPECT_EQ(refusal("weights = [3]"), "net.toml:1: weights = [3]; expected a table");
  EXPECT_EQ(refusal("[sheet]\nmetric = 1"),
            "net.toml:2: sheet.metric = 1; expected one of the names in quotes");
  EXPECT_EQ(refusal("units = {a = 1}"), "net.toml:1: units = { a = 1 }; expected a whole number");
}

TEST(Refusal, OfTypesInsideListsAndMapsNamesTheElement) {
  EXPECT_EQ(refusal("delays = [\n  1,\n  \"2\"]"), "net.toml:3: delays = \"2\"; expected a number");
  EXPECT_EQ(refusal("[weights]\ndm1 = \"2\""),
            "net.toml:2: weights.dm1 = \"2\"; expected a number");
  EXPECT_THAT(refusal("sheets = [{rows = 3}, {rosw = 3}]"), HasSubstr("did you mean \"rows\"?"));
}

TEST(Refusal, OfAnUnknownNameListsTheNamesAndTheNearest) {
  EXPECT_EQ(refusal("[sheet]\nmetric = \"l3\""),
            "net.toml:2: sheet.metric = \"l3\" is not one of \"l1\", \"l2\"; did you mean \"l1\"?");
}

// The ranges for values that a program sets are the same as for values from a file.
TEST(CheckRanges, OfEveryFieldTableAndList) {
  const auto refusal = [](auto spoil) {
    Example config;
    config.sheets.resize(2);
    config.weights = {{"go", 1}};
    spoil(config);
    return message_if_any<UsageError>([&] { check_ranges(config, "example"); });
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal([](Example&) {}), "");
  EXPECT_THAT(refusal([](Example& c) { c.units = 0; }),
              HasSubstr("configuration: example.units = 0 is out of range; it must be at least 1"));
  EXPECT_THAT(refusal([](Example& c) { c.radius = 0; }), HasSubstr("example.radius = 0.0"));
  EXPECT_THAT(refusal([](Example& c) { c.radius = nan; }), HasSubstr("more than 0"));
  EXPECT_THAT(refusal([](Example& c) { c.sheet.rows = 65; }),
              HasSubstr("example.sheet.rows = 65 is out of range; it must be from 1 to 64"));
  EXPECT_THAT(refusal([](Example& c) { c.sheets[1].rows = 0; }), HasSubstr("example.sheets.rows"));
  EXPECT_THAT(refusal([](Example& c) { c.delays = {1, -1}; }), HasSubstr("example.delays = -1"));
  EXPECT_THAT(refusal([](Example& c) { c.weights["go"] = 11; }), HasSubstr("example.weights.go"));
  EXPECT_THAT(refusal([](Example& c) { c.seed = -1; }), HasSubstr("example.seed"));
  EXPECT_EQ(refusal([](Example& c) { c.seed = 7; }), "");
}

TEST(Refusal, OfNumbersOutOfRangeSaysTheRange) {
  EXPECT_EQ(refusal("units = 0"), "net.toml:1: units = 0 is out of range; it must be at least 1");
  EXPECT_EQ(refusal("radius = 0"),
            "net.toml:1: radius = 0 is out of range; it must be more than 0");
  EXPECT_EQ(refusal("radius = -1.5"),
            "net.toml:1: radius = -1.5 is out of range; it must be more than 0");
  // Beyond single precision, a network would be silently wrong, or seem to diverge.
  EXPECT_EQ(
      refusal("radius = 1e-60"),
      "net.toml:1: radius = 1e-60 is beyond single precision, in which networks are computed; "
      "it must be of a size from 1e-30 to 1e+30");
  EXPECT_THAT(refusal("delays = [1e39]"), HasSubstr("it must be 0, or of a size from"));
  EXPECT_EQ(refusal("[sheet]\nrows = 65"),
            "net.toml:2: sheet.rows = 65 is out of range; it must be from 1 to 64");
  EXPECT_EQ(refusal("seed = -1"),
            "net.toml:1: seed = -1; a seed is a whole number from 0 to 9223372036854775807");
  EXPECT_EQ(refusal("units = 9223372036854775808"),
            "net.toml:1: units = 9223372036854775808 is out of range; whole numbers go from "
            "-9223372036854775808 to 9223372036854775807");
  EXPECT_EQ(refusal("delays = [1, -2]"),
            "net.toml:1: delays = -2 is out of range; it must be at least 0");
  EXPECT_THAT(refusal("radius = nan"), HasSubstr("radius = nan is out of range"));
  EXPECT_EQ(refusal("weights = {dm1 = 11}"),
            "net.toml:1: weights.dm1 = 11 is out of range; it must be from 0 to 10");
}

TEST(Refusal, OfNumbersOutOfRangeNamesEitherEndOrBoth) {
  const auto expected = [](double number, Range range) {
    const std::string message = message_of<UsageError>([&] {
      detail::check_range({number, "f:1"}, "x", number, range);
    });
    return message.substr(message.find("it must be ") + 11);
  };
  EXPECT_EQ(expected(2, {.most = 1}), "at most 1");
  EXPECT_EQ(expected(0, {.least = 0, .most = 1, .least_excluded = true}),
            "more than 0 and at most 1");
  EXPECT_EQ(expected(std::nan(""), {}), "finite");
  // An infinite learning rate is above 0, but as invalid as any other infinity.
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(expected(infinity, {}), "finite");
  EXPECT_EQ(expected(infinity, more_than(0)), "more than 0 and finite");
  EXPECT_EQ(expected(-infinity, {.most = 1}), "at most 1 and finite");
  EXPECT_EQ(expected(std::nan(""), between(0, 0.5)), "from 0 to 0.5");
  EXPECT_NO_THROW(detail::check_range({1.0, ""}, "x", 1, between(0, 1)));  // inclusive
  EXPECT_NO_THROW(detail::check_range({0.0, ""}, "x", 0, at_least(0)));
}

TEST(Refusal, OfTextThatIsNotTomlNamesTheLine) {
  EXPECT_THAT(refusal("units = 3\nradius = = 4"), testing::StartsWith("net.toml:2: "));
  EXPECT_THAT(refusal("units = 3\nunits = 4"), testing::StartsWith("net.toml:2: "));
  EXPECT_THAT(refusal("tasks = \"cog20"), testing::StartsWith("net.toml:1: "));
  EXPECT_THAT(refusal("tasks = \"\xff\""), testing::StartsWith("net.toml:1: "));
}

TEST(Refusal, OfDatesSaysWhatToDo) {
  EXPECT_EQ(refusal("seed = 2023-11-01"),
            "net.toml:1: dates and times are not supported; put the text in quotes");
}

TEST(Refusal, OfAMissingFileNamesIt) {
  EXPECT_THAT(message_of<UsageError>([] { read_toml("/nonexistent/net.toml"); }),
              testing::StartsWith("/nonexistent/net.toml: cannot be read"));
}

// Writing. -------------------------------------------------------------------------------------

TEST(WriteConfig, WritesEveryFieldWithItsDefault) {
  EXPECT_EQ(text_of(Example{}), R"(autapses = true
units = 1024
radius = 4.0
tasks = "modcog82"
delays = [100.0, 200.0]
sheets = []

[sheet]
rows = 32
metric = "l1"

[weights]
)");
}

TEST(WriteConfig, IsReadBackToTheSame) {
  Example e;
  e.autapses = false;
  e.units = std::numeric_limits<std::int64_t>::max();
  e.radius = 0.1;
  e.seed = 3;
  e.delays = {1e-30, 1e22, 1.0 / 3, 1e30, std::nextafter(1e-30, 1)};
  e.sheets = {{4, Metric::l2}, {}};
  e.sheet = {7, Metric::l2};
  e.weights = {{"a b", 1}, {"dly*,!x", 2}, {"quote\"d", 3}, {"", 4}, {"dotted.key", 5}};
  const Example again = read(text_of(e));
  EXPECT_EQ(text_of(again), text_of(e));
  EXPECT_EQ(again.delays, e.delays);  // to the last bit
  EXPECT_EQ(again.weights, e.weights);
  EXPECT_EQ(again.units, e.units);
  EXPECT_EQ(again.sheets.at(0).metric, Metric::l2);
}

TEST(WriteConfig, KeepsAnyText) {
  for (const std::string text :
       {"", "it's", "\"quoted\"", "back\\slash", "two\nlines", "tab\t", "'''", "\"\"\"\n'''",
        "\r\n", "\x01 control", "Größe ∂", "trailing \\", "\n leading"}) {
    Example e;
    e.tasks = text;
    EXPECT_EQ(read(text_of(e)).tasks, text) << text_of(e);
  }
}

TEST(Toml, KeepsTheOrderOfTheFile) {
  const ConfigTable table = parse_toml("zebra = 1\nant = 2\n[moth]\nb = 1\na = 2\n[bee]\n", "f");
  std::vector<std::string> keys;
  for (const auto& [key, value] : table) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("zebra", "ant", "moth", "bee"));
  EXPECT_EQ(to_toml(table), "zebra = 1\nant = 2\n\n[moth]\nb = 1\na = 2\n\n[bee]\n");
}

// toml++ and our code walk nested tables recursively; 30 000 levels once overflowed the stack.
TEST(Toml, RefusesKeysOfThousandsOfParts) {
  std::string key = "a";
  for (int i = 0; i < 200'000; ++i) key += ".a";
  const std::string remedy = "has more than 1000 dots";
  for (const std::string& text : {key + " = 1", "[" + key + "]", "b = {" + key + " = 1}"})
    EXPECT_THAT(message_of<UsageError>([&] { parse_toml("x = 1\n" + text, "f.toml"); }),
                AllOf(HasSubstr("f.toml:2: "), HasSubstr(remedy)));
  ConfigTable table;
  EXPECT_THAT(message_of<UsageError>([&] { assign_key(table, key + "=1"); }), HasSubstr(remedy));
  assign_key(table, "text=" + key);  // a value may hold any number of them
}

TEST(Toml, IsReadFromAFile) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("lmrnn-config-" + std::to_string(::getpid()) + ".toml");
  std::ofstream(path) << "units = 5\nradus = 1\n";
  Example e;
  const std::string message = message_of<UsageError>([&] { read_config(e, read_toml(path)); });
  EXPECT_EQ(message, path.string() + ":2: unknown key \"radus\"; did you mean \"radius\"?");
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_THAT(read_toml(path), IsEmpty());  // an empty file is a configuration of defaults
  std::filesystem::remove(path);
}

// --set key=value. -----------------------------------------------------------------------------

Example assigned(std::initializer_list<std::string_view> assignments, std::string_view toml = "") {
  ConfigTable table = parse_toml(toml, "net.toml");
  for (const std::string_view assignment : assignments) assign_key(table, assignment);
  Example e;
  read_config(e, table);
  return e;
}

TEST(Assign, TakesTomlValuesAndBareWords) {
  const Example e = assigned({"units=5", "radius=0.5", "autapses=false", "tasks=cog20",
                              "sheet.metric=l2", "delays=[1, 2]", "weights.dm1=3"});
  EXPECT_EQ(e.units, 5);
  EXPECT_EQ(e.radius, 0.5);
  EXPECT_FALSE(e.autapses);
  EXPECT_EQ(e.tasks, "cog20");
  EXPECT_EQ(e.sheet.metric, Metric::l2);
  EXPECT_THAT(e.delays, ElementsAre(1, 2));
  EXPECT_EQ(e.weights.at("dm1"), 3);
}

TEST(Assign, TakesBlanksAsAFileDoes) {
  const Example e = assigned({"units = 5", " sheet.metric= l2 ", "delays =[1, 2]"});
  EXPECT_EQ(e.units, 5);
  EXPECT_EQ(e.sheet.metric, Metric::l2);
  EXPECT_THAT(e.delays, ElementsAre(1, 2));
}

TEST(Assign, TakesTextWithCommasGlobsAndEqualSigns) {
  EXPECT_EQ(assigned({"tasks=dly*,!*seql"}).tasks, "dly*,!*seql");
  EXPECT_EQ(assigned({"tasks=a=b"}).tasks, "a=b");
  EXPECT_EQ(assigned({"tasks=\"quoted\""}).tasks, "quoted");
  EXPECT_EQ(assigned({"tasks="}).tasks, "");
}

TEST(Assign, WinsOverTheFileAndTheLastWins) {
  const Example e = assigned({"sheet.rows=8", "units=1", "units=2"},
                             "units = 9\n[sheet]\nrows = 4\nmetric = \"l2\"");
  EXPECT_EQ(e.sheet.rows, 8);
  EXPECT_EQ(e.sheet.metric, Metric::l2);  // its neighbour stays
  EXPECT_EQ(e.units, 2);
}

TEST(Assign, IsNamedInRefusals) {
  EXPECT_EQ(message_of<UsageError>([] { assigned({"sheet.rwos=4"}); }),
            "--set: unknown key \"rwos\" in [sheet]; did you mean \"rows\"?");
  EXPECT_EQ(message_of<UsageError>([] { assigned({"units=many"}); }),
            "--set: units = \"many\"; expected a whole number");
  EXPECT_EQ(message_of<UsageError>([] { assigned({"shet.rows=4"}); }),
            "--set: unknown key \"shet\"; did you mean \"sheet\"?");
}

TEST(Assign, RefusesWhatIsNotAnAssignment) {
  for (const std::string_view text : {"units", "=3", " = 3", ""})
    EXPECT_EQ(message_of<UsageError>([&] { assigned({text}); }),
              "--set " + std::string(text) + ": write key=value, e.g. wiring.radius=4");
  for (const std::string_view text : {"sheet.=3", ".rows=3", "a..b=3"})
    EXPECT_THAT(message_of<UsageError>([&] { assigned({text}); }), HasSubstr("--set")) << text;
}

// `semantics = "published"` in a file and `--set semantics.ties=corrected`: any meaning of this
// would surprise somebody.
TEST(Assign, RefusesToReplaceAValueByATable) {
  EXPECT_EQ(message_of<UsageError>([] { assigned({"units.x=3"}, "units = 4"); }),
            "--set: units.x: \"units\" must be a table, not 4 (net.toml:1)");
}

TEST(Find, FollowsDottedKeys) {
  const ConfigTable table = parse_toml("a = 1\n[b.c]\nd = 2\n", "f");
  ASSERT_NE(find_key(table, "b.c.d"), nullptr);
  EXPECT_EQ(std::get<std::int64_t>(find_key(table, "b.c.d")->value), 2);
  EXPECT_EQ(find_key(table, "b.c.d")->where, "f:3");
  EXPECT_EQ(find_key(table, "b.x"), nullptr);
  EXPECT_EQ(find_key(table, "a.b"), nullptr);
  EXPECT_EQ(find_key(table, ""), nullptr);
}

// Documentation. -------------------------------------------------------------------------------

TEST(Document, HasARowForEveryFieldWithTypeDefaultAndMeaning) {
  const std::vector<FieldDoc> rows = document_fields<Example>("net");
  const auto row = [&](std::string_view key) {
    for (const FieldDoc& r : rows)
      if (r.key == key) return r.type + " / " + r.fallback + " / " + r.meaning;
    return std::string("missing");
  };
  EXPECT_EQ(rows.size(), 10u);
  EXPECT_EQ(row("net.autapses"), "true | false / true / whether a unit connects to itself");
  EXPECT_EQ(row("net.units"), "integer / 1024 / how many");
  EXPECT_EQ(row("net.radius"), "number / 4.0 / of the neighbourhood");
  EXPECT_EQ(row("net.tasks"), "text / \"modcog82\" / which");
  EXPECT_EQ(row("net.sheet.rows"), "integer / 32 / rows of the sheet");
  EXPECT_EQ(row("net.sheet.metric"), "\"l1\" | \"l2\" / \"l1\" / distance on the sheet");
  EXPECT_EQ(row("net.seed"), "integer, optional /  / of random masks");
  EXPECT_EQ(row("net.delays"), "list of number / [100.0, 200.0] / ms");
  EXPECT_EQ(row("net.sheets"), "list of table / [] / more of them");
  EXPECT_EQ(row("net.weights"), "table of number / {} / by task");
}

}  // namespace
}  // namespace lmrnn

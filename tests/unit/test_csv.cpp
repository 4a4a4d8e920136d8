// Rows of CSV files: a list of columns reads what it has written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/shared/csv.hpp"
#include "lmrnn/run_tables.hpp"
#include "message_of.hpp"

namespace lmrnn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TaskRow some_task() {
  return {.step = 500,
          .task = "a, \"b\"",
          .trials = 1000,
          .decision_accuracy = 0.5,
          .decision_lower = 0.25,
          .decision_ceiling = 1,
          .share_of_ceiling = 0.5,
          .trial_accuracy = 0.125,
          .trial_lower = 0.0625,
          .trial_ceiling = 0.75,
          .passed = false,
          .solved = true};
}

TEST(Csv, MetricsAreWrittenAsTheyEverWere) {
  MetricsRow row{.step = 50,
                 .trials = 3200,
                 .seconds = 12.3456,
                 .learning_rate = 0.001,
                 .loss = 1.0 / 3,
                 .gradient_norm = 2,
                 .clipped_share = 0.5};
  EXPECT_EQ(csv_header<MetricsRow>(),
            "step,trials,seconds,learning_rate,loss,gradient_norm,clipped_share,mean_accuracy,"
            "mean_trial_accuracy,mean_share_of_ceiling,worst_share_of_ceiling,tasks_passed,"
            "tasks_solved,wire");
  EXPECT_EQ(csv_line(row), "50,3200,12.346,0.001,0.333333333,2,0.5,,,,,,,");
  row.mean_accuracy = row.mean_trial_accuracy = row.mean_share_of_ceiling = 0.75;
  row.worst_share_of_ceiling = 0.5;
  row.tasks_passed = 3;
  row.tasks_solved = 2;
  row.wire = 12.5;
  EXPECT_EQ(csv_line(row),
            "50,3200,12.346,0.001,0.333333333,2,0.5,0.750000,0.750000,0.750000,0.500000,3,2,12.5");
}

TEST(Csv, RowsSurviveTheRoundTrip) {
  const CsvReader<TaskRow> reader(csv_header<TaskRow>(), "");
  const TaskRow row = some_task(), back = reader.read(csv_line(row), "here");
  EXPECT_EQ(back.task, row.task);
  EXPECT_EQ(csv_line(back), csv_line(row));
  EXPECT_TRUE(back.solved);
  EXPECT_FALSE(back.passed);
}

TEST(Csv, ReadsColumnsByNameOldNamesIncluded) {
  const std::string text =
      "reached,task,more,step,trials,decision_accuracy,decision_lower,decision_ceiling,"
      "share_of_ceiling,trial_accuracy,trial_lower,trial_ceiling,solved\n"
      "1,go,x,7,1000,0.5,0.4,1,0.5,0.3,0.2,1,0\nhalf a ro";
  const auto rows = csv_rows<TaskRow>(text, "tasks.csv", "");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].step, 7);
  EXPECT_TRUE(rows[0].passed);
  EXPECT_FALSE(rows[0].solved);
}

TEST(Csv, ColumnsThatWereAddedMayBeMissing) {
  const std::string header = csv_header<MetricsRow>(CsvColumns::before_additions);
  EXPECT_TRUE(header.ends_with(",tasks_passed,tasks_solved"));
  EXPECT_TRUE(csv_header<MetricsRow>(CsvColumns::former).ends_with(",tasks_reached,tasks_solved"));
  const auto rows =
      csv_rows<MetricsRow>(header + "\n50,3200,12,0.001,1,2,0.5,,,,,3,2\n", "metrics.csv", "");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].tasks_solved, 2);
  EXPECT_FALSE(rows[0].wire.has_value());
}

TEST(Csv, DamagedCellsAreNamed) {
  const std::string text = csv_header<MetricsRow>() + "\n50,3200,12,0.001,oops,2,0.5,,,,,,,\n";
  EXPECT_EQ(
      message_of<UsageError>([&] { csv_rows<MetricsRow>(text, "metrics.csv", "do it again"); }),
      "metrics.csv:2: column loss is missing or damaged; do it again");
  EXPECT_THAT(message_of<UsageError>([] { csv_rows<MetricsRow>("step\n5\n", "m.csv", "x"); }),
              HasSubstr("column trials"));
}

TEST(Csv, CellsMayHoldWhatSeparatesCells) {
  EXPECT_EQ(to_cell("plain"), "plain");
  EXPECT_EQ(to_cell("a,\"b\"\nc"), "\"a,\"\"b\"\" c\"");
  EXPECT_THAT(csv_cells("x,\"a,\"\"b\"\"\",,z"), ElementsAre("x", "a,\"b\"", "", "z"));
}

TEST(Csv, NumbersComeBackAsTheyWere) {
  for (const double x : {0.1 + 0.2, 1e-310, -1.0 / 3, std::numeric_limits<double>::max()}) {
    double back = 0;
    EXPECT_TRUE(from_cell(to_cell(x, CsvFormat{}), back));
    EXPECT_EQ(back, x);
  }
  std::vector<double> list;
  EXPECT_TRUE(from_cell(to_cell(std::vector<double>{0.5, 2}, CsvFormat{}), list));
  EXPECT_THAT(list, ElementsAre(0.5, 2));
  EXPECT_TRUE(from_cell("", list));
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(from_cell("1;x", list));
}

}  // namespace
}  // namespace lmrnn

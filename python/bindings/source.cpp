#include "source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "bindings.hpp"
#include "lmrnn/continuous.hpp"
#include "user_array.hpp"

namespace lmrnn::python {
namespace {

/// A batch; `outputs` (time, row, output) are continuous targets, in place of classes.
struct Batch {
  Trials trials;
  Buffer<float> outputs;
};

/// Converts a batch, and names the place of a wrong value in it.
class BatchReader {
 public:
  BatchReader(const nb::dict& arrays, Split split, std::uint32_t batch, std::size_t n_steps,
              std::size_t n_rows, const std::string& source, const std::vector<std::string>& tasks)
      : arrays_(arrays),
        split_(split),
        batch_(batch),
        n_steps_(n_steps),
        n_rows_(n_rows),
        source_(source),
        task_names_(tasks) {}

  Batch read(const BatchShape& shape, bool continuous) {
    made_.n_steps = n_steps_;
    made_.n_trials = n_rows_;
    made_.n_channels = shape.n_channels;
    made_.n_rule_slots = shape.n_rule_slots;
    // First the arrays that messages about the others need.
    copy(whole("trial_starts", 1, 0, 2), made_.trial_starts);
    copy(whole("tasks", 1, 0, task_names_.size()), made_.step_tasks);
    copy(finite("inputs", shape.n_channels), made_.inputs);
    copy(finite("mask", 1, 0), made_.loss_weights);
    Buffer<float> outputs;
    if (continuous)
      copy(finite("targets", shape.n_classes), outputs);
    else
      copy(whole("targets", 1, 0, shape.n_classes), made_.targets);
    copy(whole("scored", 1, 0, 2), made_.scored);
    if (shape.n_rule_slots > 0)
      copy(whole("rules", shape.n_rule_slots, -1, shape.n_rules), made_.rules);
    return {std::move(made_), std::move(outputs)};
  }

 private:
  template <class T, class U>
  static void copy(const std::vector<T>& from, Buffer<U>& to) {
    to.assign(from.begin(), from.end());
  }

  UserArray array(const char* name, std::size_t n_items) const {
    if (!arrays_.contains(name))
      throw UsageError(fmt::format("{}: a batch has no \"{}\"", source_, name));
    UserArray array(arrays_[name], fmt::format("{}: {}", source_, name));
    const std::vector<std::size_t>& shape = array.shape();
    const bool fits = shape.size() == 3 ? shape[2] == n_items : shape.size() == 2 && n_items == 1;
    if (!fits || shape[0] != n_steps_ || shape[1] != n_rows_)
      throw UsageError(
          fmt::format("{}: \"{}\" of a batch must have the shape ({}, {}{}){}", source_, name,
                      n_steps_, n_rows_, n_items == 1 ? "" : fmt::format(", {}", n_items),
                      name == std::string_view("targets") && n_items == 1 && shape.size() == 3
                          ? "; for continuous targets the data need a `tolerance`, too"
                          : ""));
    return array;
  }

  std::vector<float> finite(const char* name, std::size_t n_items,
                            double least = -std::numeric_limits<double>::infinity()) const {
    return finite_numbers(array(name, n_items), place_of(n_items), least);
  }
  std::vector<std::int32_t> whole(const char* name, std::size_t n_items, std::int64_t least,
                                  std::size_t end) const {
    return whole_numbers(array(name, n_items), least, end, place_of(n_items));
  }

  /// 'step 17 of row 3 of train batch 4 (task "copy", step 1 of trial 2 of the row)'
  Place place_of(std::size_t n_items) const {
    return [this, n_items](std::size_t index) {
      const std::size_t step = index / n_items / n_rows_, row = index / n_items % n_rows_;
      std::string text = n_items == 1 ? "" : fmt::format("item {} of ", index % n_items);
      text += fmt::format("step {} of row {} of {} batch {}", step, row, to_name(split_), batch_);
      if (made_.step_tasks.empty()) return text;
      std::size_t trial = 0, begin = 0;
      for (std::size_t t = 1; t <= step; ++t)
        if (made_.trial_starts[t * n_rows_ + row] != 0) {
          ++trial;
          begin = t;
        }
      const auto task = static_cast<std::size_t>(made_.step_tasks[step * n_rows_ + row]);
      return text + fmt::format(" (task {:?}, step {} of trial {} of the row)", task_names_[task],
                                step - begin, trial);
    };
  }

  const nb::dict& arrays_;
  Split split_;
  std::uint32_t batch_;
  std::size_t n_steps_, n_rows_;
  const std::string& source_;
  const std::vector<std::string>& task_names_;
  Trials made_;
};

std::size_t count_of(const nb::object& data, const char* name, Py_ssize_t least) {
  const nb::object given = data.attr(name);
  // nanobind's own conversion would accept "2" and NumPy's 1.5.
  const nb::object number = nb::steal(PyNumber_Index(given.ptr()));
  const Py_ssize_t count = number.is_valid() ? PyLong_AsSsize_t(number.ptr()) : -1;
  PyErr_Clear();
  if (count < least)
    throw UsageError(fmt::format("data: {} = {}; give a whole number that is at least {}", name,
                                 nb::repr(given).c_str(), least));
  return static_cast<std::size_t>(count);
}

/// 0 if there is none: targets are classes.
double tolerance_of(const nb::object& data) {
  const nb::object given = nb::getattr(data, "tolerance", nb::none());
  if (given.is_none()) return 0;
  double tolerance = 0;
  if (!nb::try_cast(given, tolerance) || !std::isfinite(tolerance) || tolerance <= 0)
    throw UsageError(
        fmt::format("data: tolerance = {}; give a finite number above 0", nb::repr(given).c_str()));
  return tolerance;
}

/// An attribute of the data, converted to the type that it must have.
template <class Words>
Words words(const nb::object& data, const char* name, const char* expected) {
  const nb::object given = data.attr(name);
  Words found;
  if (!nb::try_cast(given, found))
    throw UsageError(
        fmt::format("data: {} = {}; give {}", name, nb::repr(given).c_str(), expected));
  return found;
}

// Asks Python for whole batches, once each, and cuts blocks of rows from the last few.
class PythonSource : public ContinuousSource {
 public:
  PythonSource(nb::object data, const StreamConfig& stream)
      : data_(std::move(data)),
        n_steps_(static_cast<std::size_t>(stream.steps)),
        n_rows_(static_cast<std::size_t>(stream.batch)),
        name_(words<std::string>(data_, "name", "a string")),
        tasks_(words<std::vector<std::string>>(data_, "tasks", "a list of strings")) {
    shape_.n_channels = count_of(data_, "n_channels", 1);
    shape_.n_classes = count_of(data_, "n_classes", 1);
    shape_.n_rules = count_of(data_, "n_rules", 0);
    shape_.n_rule_slots = shape_.n_rules > 0 ? 1 : 0;
    tolerance_ = tolerance_of(data_);
    if (name_.empty() || tasks_.empty())
      throw UsageError("data: `name` and `tasks` must not be empty");
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      // Task names become cells of tables and keys of scores.
      if (tasks_[i].empty() || tasks_[i].find_first_of("\n\r") != std::string::npos)
        throw UsageError(fmt::format(
            "data: tasks: task {} is called {:?}; give a name without line breaks", i, tasks_[i]));
      if (std::find(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(i), tasks_[i]) !=
          tasks_.begin() + static_cast<std::ptrdiff_t>(i))
        throw UsageError(fmt::format(
            "data: tasks: two tasks are called {:?}; give each a name of its own", tasks_[i]));
    }
  }
  ~PythonSource() override {
    const nb::gil_scoped_acquire gil;
    data_.reset();
  }

  nb::handle data() const noexcept { return data_; }
  void clear() const { const nb::object gone = std::exchange(data_, nb::object()); }

  std::string name() const override { return name_; }
  BatchShape shape() const override { return shape_; }
  std::vector<std::string> tasks() const override { return tasks_; }

  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override {
    const std::shared_ptr<const Batch> made = batch_of(split, batch);
    copy_trials(made->trials.view().trials(first_row, rows.n_trials()), rows);
  }
  double tolerance() const override { return tolerance_; }
  void fill_outputs(Split split, std::uint32_t batch, std::uint32_t first_row,
                    const TrialArray<float>& outputs) const override {
    const std::shared_ptr<const Batch> made = batch_of(split, batch);
    const TrialArray<const float> from(made->outputs.data(), n_steps_, n_rows_, shape_.n_classes);
    for (std::size_t t = 0; t < n_steps_; ++t)
      for (std::size_t k = 0; k < outputs.n_trials; ++k)
        std::copy_n(from.at(t, first_row + k), outputs.n_items, outputs.at(t, k));
  }

 private:
  // Threads that need the same batch wait for the first of them. `making_` is held while Python
  // works, but never by a thread that waits for the GIL.
  std::shared_ptr<const Batch> batch_of(Split split, std::uint32_t batch) const {
    const std::lock_guard<std::mutex> turn(making_);
    const auto key = std::pair(split, batch);
    if (const auto found = recent_.find(key); found != recent_.end()) return found->second;
    auto made = std::make_shared<const Batch>(make(split, batch));
    // Training uses one batch while the next is made.
    while (recent_.size() >= 4) recent_.erase(recent_.begin());
    recent_.emplace(key, made);
    return made;
  }

  Batch make(Split split, std::uint32_t batch) const {
    const nb::gil_scoped_acquire gil;
    if (!data_.is_valid())
      throw UsageError(name_ +
                       ": the data are gone: the garbage collector has taken their trainer");
    const nb::object returned =
        data_.attr("arrays")(std::string(to_name(split)), batch, n_steps_, n_rows_);
    if (!nb::isinstance<nb::dict>(returned))
      throw UsageError(fmt::format(
          "{}: arrays({}, {}, {}, {}) returned a value of type {}; it must return a dictionary of "
          "arrays, as lmrnn.data.BatchSource says",
          name_, to_name(split), batch, n_steps_, n_rows_,
          nb::cast<std::string>(returned.type().attr("__name__"))));
    const auto arrays = nb::cast<nb::dict>(returned);
    return BatchReader{arrays, split, batch, n_steps_, n_rows_, name_, tasks_}.read(shape_,
                                                                                    tolerance_ > 0);
  }

  mutable nb::object data_;
  std::size_t n_steps_, n_rows_;
  std::string name_;
  std::vector<std::string> tasks_;
  BatchShape shape_;
  double tolerance_ = 0;
  mutable std::mutex making_;
  mutable std::map<std::pair<Split, std::uint32_t>, std::shared_ptr<const Batch>> recent_;
};

}  // namespace

std::shared_ptr<const BatchSource> source_from(nb::object data, const StreamConfig& stream) {
  if (data.is_none()) return nullptr;
  return std::make_shared<PythonSource>(std::move(data), stream);
}

nb::handle data_of(const BatchSource* source) {
  const auto* python = dynamic_cast<const PythonSource*>(source);
  return python != nullptr ? python->data() : nb::handle();
}

void clear_data(const BatchSource* source) {
  if (const auto* python = dynamic_cast<const PythonSource*>(source)) python->clear();
}

}  // namespace lmrnn::python

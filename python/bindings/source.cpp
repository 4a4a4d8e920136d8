#include "source.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"

namespace lmrnn::python {
namespace {

// A whole batch as Python made it, checked: (time, row, item), row-major.
struct Made {
  std::vector<float> inputs, loss_weights;
  std::vector<std::int32_t> rules, targets, tasks;
  std::vector<std::uint8_t> starts, scored;
};

// Asks Python for whole batches, once each: blocks of rows are cut from the last few.
class PythonSource : public BatchSource {
 public:
  PythonSource(nb::object data, const StreamConfig& stream)
      : data_(std::move(data)),
        n_steps_(static_cast<std::size_t>(stream.steps)),
        n_rows_(static_cast<std::size_t>(stream.batch)),
        name_(nb::cast<std::string>(data_.attr("name"))),
        tasks_(nb::cast<std::vector<std::string>>(data_.attr("tasks"))) {
    shape_.n_channels = nb::cast<std::size_t>(data_.attr("n_channels"));
    shape_.n_classes = nb::cast<std::size_t>(data_.attr("n_classes"));
    shape_.n_rules = nb::cast<std::size_t>(data_.attr("n_rules"));
    shape_.n_rule_slots = shape_.n_rules > 0 ? 1 : 0;
    if (name_.empty() || tasks_.empty())
      throw UsageError("data: `name` and `tasks` must not be empty");
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
            const BatchRows& rows) const override {
    const std::shared_ptr<const Made> made = batch_of(split, batch);
    copy(made->inputs, shape_.n_channels, first_row, rows.inputs);
    copy(made->rules, shape_.n_rule_slots, first_row, rows.rules);
    copy(made->targets, first_row, rows.targets);
    copy(made->loss_weights, first_row, rows.loss_weights);
    copy(made->starts, first_row, rows.trial_starts);
    copy(made->tasks, first_row, rows.tasks);
    copy(made->scored, first_row, rows.scored);
  }

 private:
  // (time, row, item) -> (time, item, row)
  template <class T>
  void copy(const std::vector<T>& from, std::size_t n_items, std::size_t first,
            const View3<T>& to) const {
    for (std::size_t t = 0; t < to.n0; ++t)
      for (std::size_t k = 0; k < to.n2; ++k)
        for (std::size_t i = 0; i < n_items; ++i)
          to(t, i, k) = from[(t * n_rows_ + first + k) * n_items + i];
  }
  template <class T>
  void copy(const std::vector<T>& from, std::size_t first, const View2<T>& to) const {
    if (to.empty()) return;
    copy(from, 1, first, View3<T>{to.data, to.n0, 1, to.n1});
  }

  // Threads that want the same batch wait for the first; `making_` is held while Python works, and
  // never while the GIL is waited for by its holder.
  std::shared_ptr<const Made> batch_of(Split split, std::uint32_t batch) const {
    const std::lock_guard<std::mutex> turn(making_);
    const auto key = std::pair(split, batch);
    if (const auto found = recent_.find(key); found != recent_.end()) return found->second;
    auto made = std::make_shared<const Made>(make(split, batch));
    // Training works on one batch while the next is being made.
    while (recent_.size() >= 4) recent_.erase(recent_.begin());
    recent_.emplace(key, made);
    return made;
  }

  Made make(Split split, std::uint32_t batch) const {
    const nb::gil_scoped_acquire gil;
    if (!data_.is_valid())
      throw UsageError(name_ +
                       ": the data are gone: the garbage collector has taken their trainer");
    const nb::dict arrays = nb::cast<nb::dict>(
        data_.attr("arrays")(std::string(to_name(split)), batch, n_steps_, n_rows_));
    Made made;
    take(arrays, "inputs", shape_.n_channels, made.inputs);
    take(arrays, "mask", 1, made.loss_weights);
    take(arrays, "targets", 1, made.targets);
    take(arrays, "tasks", 1, made.tasks);
    take(arrays, "trial_starts", 1, made.starts);
    take(arrays, "scored", 1, made.scored);
    if (shape_.n_rule_slots > 0) take(arrays, "rules", shape_.n_rule_slots, made.rules);
    within(made.targets, 0, shape_.n_classes, "targets");
    within(made.tasks, 0, tasks_.size(), "tasks");
    within(made.rules, -1, shape_.n_rules, "rules");
    return made;
  }

  template <class T>
  void take(const nb::dict& arrays, const char* name, std::size_t n_items,
            std::vector<T>& to) const {
    if (!arrays.contains(name))
      throw UsageError(fmt::format("{}: a batch has no \"{}\"", name_, name));
    const auto array = nb::cast<ArrayIn<T>>(arrays[name]);
    const bool fits =
        array.ndim() == 3 ? array.shape(2) == n_items : array.ndim() == 2 && n_items == 1;
    if (!fits || array.shape(0) != n_steps_ || array.shape(1) != n_rows_)
      throw UsageError(fmt::format("{}: \"{}\" of a batch must have the shape ({}, {}{})", name_,
                                   name, n_steps_, n_rows_,
                                   n_items == 1 ? "" : fmt::format(", {}", n_items)));
    to.assign(array.data(), array.data() + array.size());
  }

  void within(const std::vector<std::int32_t>& values, std::int64_t least, std::size_t end,
              const char* what) const {
    require_within(values.data(), values.size(), least, end,
                   fmt::format("{}: {} of a batch", name_, what));
  }

  mutable nb::object data_;
  std::size_t n_steps_, n_rows_;
  std::string name_;
  std::vector<std::string> tasks_;
  BatchShape shape_;
  mutable std::mutex making_;
  mutable std::map<std::pair<Split, std::uint32_t>, std::shared_ptr<const Made>> recent_;
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

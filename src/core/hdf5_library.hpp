// The HDF5 library: its lock and its identifiers.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <utility>

namespace lmrnn::hdf5 {

/// Locks the library, which is not thread-safe, for one caller at a time, and turns off its own
/// messages on stderr.
class Library {
 public:
  Library() : lock_(mutex()) {
    // Skips HDF5's clean-up at exit: all files are closed here, and version 1.10 would complain on
    // stderr about objects of damaged files. Only the first call has an effect.
    H5dont_atexit();
    H5Eget_auto2(H5E_DEFAULT, &print_, &client_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Library() { H5Eset_auto2(H5E_DEFAULT, print_, client_data_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex instance;
    return instance;
  }
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* client_data_ = nullptr;
};

/// An identifier that closes itself.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) noexcept : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  operator hid_t() const noexcept { return id_; }
  bool valid() const noexcept { return id_ >= 0; }
  bool close() noexcept { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

}  // namespace lmrnn::hdf5

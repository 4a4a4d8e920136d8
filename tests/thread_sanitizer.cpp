// What the thread sanitizer cannot see in libraries that were not built with it. Part of every test
// program of the preset sanitize-thread.

// libzip asks for the local time. The C library keeps the time zone behind a lock of its own, which
// the sanitizer does not know, and so takes the reading threads for a race.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libzip.so\n";
}

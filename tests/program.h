// SPDX-License-Identifier: MIT
// Runs the built programs as a user would, for tests: start, wait, kill, read what was printed.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tmdbc::testing {

std::string ReadFile(const std::filesystem::path& path);

std::filesystem::path SourceDir();
std::filesystem::path BinaryDir();
std::string CollectorPath();
std::string SimPath();

// A folder that goes away with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using Environment = std::map<std::string, std::string>;

// One child process. Its standard output and error go to files; killed when the object goes away while it
// still runs.
class Program {
 public:
  // The child sees PATH, HOME, the sanitizers' options and `environment`, nothing else: no setting of the
  // machine leaks in.
  Program(const std::vector<std::string>& command, const Environment& environment,
          const std::filesystem::path& folder);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) { ::kill(pid_, signal); }

  bool Finished();
  // The exit code (128 + n for signal n); empty when it still ran after `timeout`.
  std::optional<int> Wait(std::chrono::milliseconds timeout);

  std::string out() const { return ReadFile(out_); }
  std::string err() const { return ReadFile(err_); }

 private:
  const TempDir folder_of_output_;
  const std::filesystem::path out_, err_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Finished {
  int code;  // -1: it did not end in time
  std::string out, err;
};

Finished RunToEnd(const std::vector<std::string>& command, const Environment& environment,
                  const std::filesystem::path& folder, std::chrono::seconds timeout = std::chrono::seconds(120));

// A running tmdb-sim on a port of its own.
class Sim {
 public:
  explicit Sim(std::vector<std::string> arguments);

  std::string url() const { return "http://127.0.0.1:" + port_; }
  int port() const;
  const std::filesystem::path& folder() const { return folder_.path(); }

  // The settings with which tmdb-collector uses this simulator.
  Environment Settings(const std::filesystem::path& data_dir) const;

 private:
  const TempDir folder_;
  std::optional<Program> program_;
  std::string port_;
};

}  // namespace tmdbc::testing

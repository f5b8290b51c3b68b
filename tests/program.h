// SPDX-License-Identifier: MIT
// Runs the built programs as a user would, for tests: start, wait, kill, read what was printed.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tmdbc::testing {

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline std::filesystem::path SourceDir() {
  const char* dir = std::getenv("TMDBC_SOURCE_DIR");
  return dir ? dir : ".";
}

inline std::filesystem::path BinaryDir() {
  const char* dir = std::getenv("TMDBC_BINARY_DIR");
  return dir ? dir : TMDBC_BINARY_DIR;
}

inline std::string CollectorPath() {
  return (BinaryDir() / "tmdb-collector").string();
}
inline std::string SimPath() {
  return (BinaryDir() / "sim" / "tmdb-sim").string();
}

// A folder that goes away with the object.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "tmdbc-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
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
          const std::filesystem::path& folder)
      : out_(folder_of_output_.path() / "out"), err_(folder_of_output_.path() / "err") {
    std::vector<std::string> settings;
    for (const char* name :
         {"PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
      if (const char* value = std::getenv(name)) settings.push_back(std::string(name) + "=" + value);
    }
    for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
    std::vector<char*> argv, envp;
    for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    for (const auto& setting : settings) envp.push_back(const_cast<char*>(setting.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    const int failed = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("start " + command[0] + ": " + std::strerror(failed));
  }
  ~Program() {
    if (!Finished()) {
      Signal(SIGKILL);
      Wait(std::chrono::seconds(30));
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) { ::kill(pid_, signal); }

  bool Finished() {
    if (status_) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    status_ = status;
    return true;
  }

  // The exit code (128 + n for signal n); empty when it still ran after `timeout`.
  std::optional<int> Wait(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!Finished()) {
      if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
  }

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

inline Finished RunToEnd(const std::vector<std::string>& command, const Environment& environment,
                         const std::filesystem::path& folder,
                         std::chrono::seconds timeout = std::chrono::seconds(120)) {
  Program program(command, environment, folder);
  const auto code = program.Wait(timeout);
  return {code.value_or(-1), program.out(), program.err()};
}

// A running tmdb-sim on a port of its own.
class Sim {
 public:
  explicit Sim(std::vector<std::string> arguments) {
    const auto port_file = folder_.path() / "port";
    std::vector<std::string> command = {SimPath(), "--port=0", "--port-file=" + port_file.string(),
                                        "--quiet"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    program_.emplace(command, Environment{}, folder_.path());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while ((port_ = ReadFile(port_file)).empty()) {
      if (program_->Finished() || std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error("tmdb-sim did not start: " + program_->err());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    while (!port_.empty() && port_.back() == '\n') port_.pop_back();
  }

  std::string url() const { return "http://127.0.0.1:" + port_; }
  int port() const { return std::stoi(port_); }
  const std::filesystem::path& folder() const { return folder_.path(); }

  // The settings with which tmdb-collector uses this simulator.
  Environment Settings(const std::filesystem::path& data_dir) const {
    return {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"},
            {"TMDB_API_BASE_URL", url() + "/3"},
            {"TMDB_EXPORT_BASE_URL", url() + "/p/exports"},
            {"DATA_DIR", data_dir.string()}};
  }

 private:
  const TempDir folder_;
  std::optional<Program> program_;
  std::string port_;
};

}  // namespace tmdbc::testing

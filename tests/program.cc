// SPDX-License-Identifier: MIT
#include "program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace tmdbc::testing {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::filesystem::path SourceDir() {
  const char* dir = std::getenv("TMDBC_SOURCE_DIR");
  return dir ? dir : ".";
}

std::filesystem::path BinaryDir() {
  const char* dir = std::getenv("TMDBC_BINARY_DIR");
  return dir ? dir : TMDBC_BINARY_DIR;
}

std::string CollectorPath() {
  return (BinaryDir() / "tmdb-collector").string();
}

std::string SimPath() {
  return (BinaryDir() / "sim" / "tmdb-sim").string();
}

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "tmdbc-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Program::Program(const std::vector<std::string>& command, const Environment& environment,
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

Program::~Program() {
  if (!Finished()) {
    Signal(SIGKILL);
    Wait(std::chrono::seconds(30));
  }
}

bool Program::Finished() {
  if (status_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  status_ = status;
  return true;
}

std::optional<int> Program::Wait(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!Finished()) {
    if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
}

Finished RunToEnd(const std::vector<std::string>& command, const Environment& environment,
                  const std::filesystem::path& folder, std::chrono::seconds timeout) {
  Program program(command, environment, folder);
  const auto code = program.Wait(timeout);
  return {code.value_or(-1), program.out(), program.err()};
}

Sim::Sim(std::vector<std::string> arguments) {
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

int Sim::port() const {
  return std::stoi(port_);
}

Environment Sim::Settings(const std::filesystem::path& data_dir) const {
  return {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"},
          {"TMDB_API_BASE_URL", url() + "/3"},
          {"TMDB_EXPORT_BASE_URL", url() + "/p/exports"},
          {"DATA_DIR", data_dir.string()}};
}

}  // namespace tmdbc::testing

// SPDX-License-Identifier: MIT
#include "mirror.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace tmdbc::testing {

Key KeyOf(const Line& line) {
  if (line.type == "season") return {"season " + std::to_string(line.tv_id), line.season_number};
  return {line.type, line.id};
}

std::map<Key, std::string> ReadTruth(const std::filesystem::path& file,
                                            const std::set<std::string>& types) {
  std::map<Key, std::string> truth;
  std::ifstream in(file);
  simdjson::dom::parser parser;
  for (std::string text; std::getline(in, text);) {
    const simdjson::dom::object row = parser.parse(text);
    const std::string type{row["type"].get_string().value()};
    if (!types.contains(type) || bool(row["adult"])) continue;
    const std::string sha{row["sha256"].get_string().value()};
    if (type == "season") {
      truth[{"season " + std::to_string(std::int64_t(row["tv_id"])), std::int64_t(row["season_number"])}] =
          sha;
    } else {
      truth[{type, std::int64_t(row["id"])}] = sha;
    }
  }
  return truth;
}

std::string HttpGet(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    throw std::runtime_error("connect to tmdb-sim");
  }
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n";
  std::string answer;
  if (::write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char chunk[65536];
    for (ssize_t n; (n = ::read(fd, chunk, sizeof chunk)) > 0;)
      answer.append(chunk, static_cast<std::size_t>(n));
  }
  ::close(fd);
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

std::int64_t Counter(const Sim& sim, const std::string& pointer) {
  const std::string text = HttpGet(sim.port(), "/sim/counters");
  const auto open = text.find('{'), close = text.rfind('}');  // the answer may be chunked
  simdjson::dom::parser parser;
  return std::int64_t(parser.parse(text.substr(open, close - open + 1)).at_pointer(pointer));
}

void ExpectMirrors(const std::filesystem::path& data_dir, const std::map<Key, std::string>& truth) {
  std::map<Key, std::string> stored;
  for (const Line& line : ReadStore(data_dir)) {
    const auto [place, first] = stored.insert_or_assign(KeyOf(line), Sha256Hex(line.data));
    EXPECT_TRUE(first) << line.type << " " << line.id << " stands in the segments twice (version "
                       << line.version << ")";
  }
  int missing = 0, different = 0;
  for (const auto& [key, sha] : truth) {
    const auto found = stored.find(key);
    if (found == stored.end()) {
      if (++missing <= 5) ADD_FAILURE() << key.first << " " << key.second << " is not stored";
    } else if (found->second != sha) {
      if (++different <= 5)
        ADD_FAILURE() << key.first << " " << key.second << " is stored otherwise than it was sent";
    }
  }
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(different, 0);
}

namespace {

std::vector<std::string> With(std::vector<std::string> arguments, const std::filesystem::path& truth) {
  arguments.push_back("--truth=" + truth.string());
  return arguments;
}

}  // namespace

World::World(const std::vector<std::string>& arguments) : sim(With(arguments, truth_file)) {}

Finished World::Run(std::vector<std::string> words, const Environment& more, std::chrono::seconds timeout) const {
  words.insert(words.begin(), CollectorPath());
  Environment settings = Settings("1000");
  for (const auto& [name, value] : more) settings[name] = value;
  return RunToEnd(words, settings, folder.path(), timeout);
}

Environment World::Settings(const std::string& rate) const {
  Environment settings = sim.Settings(data_dir);
  settings["RATE_LIMIT_REQUESTS"] = rate;
  settings["COLLECTOR_CONCURRENCY"] = "50";
  return settings;
}

}  // namespace tmdbc::testing

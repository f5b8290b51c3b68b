// SPDX-License-Identifier: MIT
// What the tests over real programs ask about a mirror: is every live record of tmdb-sim stored as it is
// there, once?
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/hash.h"
#include "program.h"
#include "store_reader.h"

namespace tmdbc::testing {

// (type, id); a season by its show and number, ("season 1399", 1), for the asker may not know its id.
using Key = std::pair<std::string, std::int64_t>;

inline Key KeyOf(const Line& line) {
  if (line.type == "season") return {"season " + std::to_string(line.tv_id), line.season_number};
  return {line.type, line.id};
}

// SHA-256 of every live body, from the file that tmdb-sim wrote for --truth. Only the types that are named.
inline std::map<Key, std::string> ReadTruth(const std::filesystem::path& file,
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

// A GET over a socket of its own: the body of the answer.
inline std::string HttpGet(int port, const std::string& path) {
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

// A number of /sim/counters, by JSON pointer: "/api_requests", "/connections/peak_per_address".
inline std::int64_t Counter(const Sim& sim, const std::string& pointer) {
  const std::string text = HttpGet(sim.port(), "/sim/counters");
  const auto open = text.find('{'), close = text.rfind('}');  // the answer may be chunked
  simdjson::dom::parser parser;
  return std::int64_t(parser.parse(text.substr(open, close - open + 1)).at_pointer(pointer));
}

// Every record of `truth` is stored as it is there, and nothing was stored twice.
inline void ExpectMirrors(const std::filesystem::path& data_dir, const std::map<Key, std::string>& truth) {
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

// A tmdb-sim with a folder for one mirror of it.
struct World {
  TempDir folder;
  std::filesystem::path truth_file = folder.path() / "truth.jsonl";
  std::filesystem::path data_dir = folder.path() / "data";
  Sim sim;

  static std::vector<std::string> With(std::vector<std::string> arguments,
                                       const std::filesystem::path& truth) {
    arguments.push_back("--truth=" + truth.string());
    return arguments;
  }
  explicit World(const std::vector<std::string>& arguments) : sim(With(arguments, truth_file)) {}

  // One command of the program; flags after its name.
  Finished Run(std::vector<std::string> words, const Environment& more = {},
               std::chrono::seconds timeout = std::chrono::seconds(120)) const {
    words.insert(words.begin(), CollectorPath());
    Environment settings = Settings("1000");
    for (const auto& [name, value] : more) settings[name] = value;
    return RunToEnd(words, settings, folder.path(), timeout);
  }
  std::string Ask(const std::string& path) const { return HttpGet(sim.port(), path); }

  Environment Settings(const std::string& rate) const {
    Environment settings = sim.Settings(data_dir);
    settings["RATE_LIMIT_REQUESTS"] = rate;
    settings["COLLECTOR_CONCURRENCY"] = "50";
    return settings;
  }
};

inline const std::set<std::string> kTypes = {"movie", "tv", "person", "season"};

}  // namespace tmdbc::testing

// SPDX-License-Identifier: MIT
// What the tests over real programs ask about a mirror: is every live record of tmdb-sim stored as it is
// there, once?
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "program.h"
#include "store_reader.h"

namespace tmdbc::testing {

// (type, id); a season by its show and number, ("season 1399", 1), for the asker may not know its id.
using Key = std::pair<std::string, std::int64_t>;

Key KeyOf(const Line& line);

// SHA-256 of every live body, from the file that tmdb-sim wrote for --truth. Only the types that are named.
std::map<Key, std::string> ReadTruth(const std::filesystem::path& file,
                                            const std::set<std::string>& types);

// A GET over a socket of its own: the body of the answer.
std::string HttpGet(int port, const std::string& path);

// A number of /sim/counters, by JSON pointer: "/api_requests", "/connections/peak_per_address".
std::int64_t Counter(const Sim& sim, const std::string& pointer);

// Every record of `truth` is stored as it is there, and nothing was stored twice.
void ExpectMirrors(const std::filesystem::path& data_dir, const std::map<Key, std::string>& truth);

// A tmdb-sim with a folder for one mirror of it.
struct World {
  TempDir folder;
  std::filesystem::path truth_file = folder.path() / "truth.jsonl";
  std::filesystem::path data_dir = folder.path() / "data";
  Sim sim;

  explicit World(const std::vector<std::string>& arguments);

  // One command of the program; flags after its name.
  Finished Run(std::vector<std::string> words, const Environment& more = {},
               std::chrono::seconds timeout = std::chrono::seconds(120)) const;
  std::string Ask(const std::string& path) const { return HttpGet(sim.port(), path); }

  Environment Settings(const std::string& rate) const;
};

inline const std::set<std::string> kTypes = {"movie", "tv", "person", "season"};

}  // namespace tmdbc::testing

// SPDX-License-Identifier: MIT
#include "store_reader.h"

#include <simdjson.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "base/sqlite.h"
#include "program.h"
#include "storage/stats_patch.h"

namespace tmdbc::testing {
namespace {

// All bytes of a zstd file of one or many frames.
std::string Unzstd(const std::string& compressed) {
  ZSTD_DStream* stream = ZSTD_createDStream();
  std::string out, chunk(1 << 20, '\0');
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  std::size_t left = 0;
  while (in.pos < in.size) {
    ZSTD_outBuffer piece{chunk.data(), chunk.size(), 0};
    left = ZSTD_decompressStream(stream, &piece, &in);
    if (ZSTD_isError(left)) break;
    out.append(chunk, 0, piece.pos);
  }
  while (left != 0 && !ZSTD_isError(left)) {
    ZSTD_outBuffer piece{chunk.data(), chunk.size(), 0};
    left = ZSTD_decompressStream(stream, &piece, &in);
    if (piece.pos == 0) break;
    out.append(chunk, 0, piece.pos);
  }
  ZSTD_freeDStream(stream);
  if (left != 0) throw std::runtime_error("not whole zstd frames");
  return out;
}

// Of a line that speaks of many ids the id is 0.
Line ParseLine(const std::string& text) {
  Line line;
  if (text.find("\"id\":null,") < 40) return line;
  // "data" begins with the bytes that TMDB sent, which this parser may refuse: it reads what stands before them.
  const auto at = text.find(",\"data\":");
  if (at == std::string::npos || text.back() != '}') throw std::runtime_error("no data: " + text.substr(0, 200));
  static thread_local simdjson::dom::parser parser;
  const std::string envelope = text.substr(0, at) + "}";
  const simdjson::dom::object object = parser.parse(envelope);
  line.type = std::string(std::string_view(object["type"]));
  line.id = object["id"].get_int64().value();
  line.version = object["version"].get_int64().value();
  line.change = std::string(std::string_view(object["change"]));
  if (line.type == "season") {
    line.tv_id = object["tv_id"].get_int64().value();
    line.season_number = object["season_number"].get_int64().value();
  }
  // The last member, unless it is null and a patch follows: its bytes run to the closing brace of the line.
  line.data = text.substr(at + 8, text.size() - at - 9);
  if (line.data.starts_with("null,\"patch\":")) line.patch = line.data.substr(13);
  return line;
}

}  // namespace

std::map<std::string, std::size_t> CommittedBytes(const std::filesystem::path& data_dir) {
  constexpr const char* kTypes[] = {"",        "movie",   "tv",      "season",       "person", "collection",
                                    "company", "network", "keyword", "configuration"};  // by their numbers
  std::map<std::string, std::size_t> committed;
  auto catalog = Database::Open((data_dir / "catalog.db").string(), Database::Mode::kReadOnly);
  if (!catalog.has_value()) return committed;
  auto open = catalog->Prepare("SELECT type, number, bytes FROM store_segments WHERE sealed_at IS NULL");
  if (!open.has_value()) return committed;
  while (open->Step().value()) {
    char path[64];
    const int number = static_cast<int>(open->Int(1));
    std::snprintf(path, sizeof path, "records/%s/%03d/%03d/%03d.jsonl.zst.open", kTypes[open->Int(0)],
                  number / 1'000'000, number / 1000 % 1000, number % 1000);
    committed[path] = static_cast<std::size_t>(open->Int(2));
  }
  return committed;
}

std::vector<Line> ReadStore(const std::filesystem::path& data_dir) {
  std::vector<std::filesystem::path> segments;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_dir / "records")) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && (name.ends_with(".jsonl.zst") || name.ends_with(".jsonl.zst.open"))) {
      segments.push_back(entry.path());
    }
  }
  std::sort(segments.begin(), segments.end());
  const auto committed = CommittedBytes(data_dir);
  std::vector<Line> lines;
  std::map<std::pair<std::string, std::int64_t>, std::string> begun;  // the body that began the newest version
  for (const auto& path : segments) {
    std::string bytes = ReadFile(path);
    if (path.extension() == ".open") {
      // What lies behind belongs to a batch that may never have happened, and its last frame may be a part of one.
      const auto known = committed.find(path.lexically_relative(data_dir).string());
      bytes.resize(std::min(bytes.size(), known == committed.end() ? 0 : known->second));
    }
    const std::string text = Unzstd(bytes);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string::npos) throw std::runtime_error(path.string() + ": the last line has no end");
      Line line = ParseLine(text.substr(begin, end - begin));
      begin = end + 1;
      if (line.id == 0) continue;
      std::string& body = begun[{line.type, line.id}];
      if (!line.patch.empty()) {
        line.data = ApplyStatsPatch(body, line.patch).value();
      } else if (line.change != "stats") {
        body = line.data;
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace tmdbc::testing

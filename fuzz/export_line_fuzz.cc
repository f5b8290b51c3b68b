// SPDX-License-Identifier: MIT
// Fuzzes the reading of export lines: no input crashes it or makes it read beyond its bytes, the lines do not
// depend on how the stream is cut, and what is accepted keeps the promises of ExportEntry. The first byte
// says where the stream is cut.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tmdb/export_line.h"

namespace {

using Lines = std::vector<std::pair<std::int64_t, std::string>>;

void Require(bool holds) {
  if (!holds) std::abort();
}

Lines Split(std::string_view text, std::size_t piece, tmdbc::ExportLineParser* parser) {
  tmdbc::LineSplitter splitter;
  Lines lines;
  const auto visit = [&](std::int64_t number, std::string_view line) {
    Require(lines.empty() || number > lines.back().first);
    lines.emplace_back(number, line);
    if (parser == nullptr) return;
    if (const auto entry = parser->Parse(line)) {
      Require(entry->id >= 1);
      Require(std::isfinite(entry->popularity) && entry->popularity >= 0);
    } else {
      Require(!entry.error().message.empty());
    }
  };
  for (std::size_t at = 0; at < text.size(); at += piece)
    splitter.Feed(std::string(text.substr(at, piece)), visit);
  splitter.Finish(visit);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  tmdbc::ExportLineParser parser;
  Require(Split(text, 1 + data[0], &parser) == Split(text, text.size() + 1, &parser));
  return 0;
}

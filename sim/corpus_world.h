// SPDX-License-Identifier: MIT
// CorpusWorld: recorded bodies of TMDB, put together again. A folder with PROVENANCE.tsv, a table whose first line
// names its columns (file, endpoint, http_status, recorded, fidelity, in any order, others beside them), names the
// recordings; for every body and sub-resource the best one is served: asked without a language, not edited by hand,
// newest. Members keep their bytes; only white space between tokens goes, which TMDB does not send.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "world.h"

namespace tmdbc::sim {

struct CorpusOptions {
  std::string folder;
  // A season that seasons[] lists and nobody recorded is served without episodes, made from what seasons[]
  // says of it, so that the catalogue is consistent. With this it is absent instead.
  bool recorded_seasons_only = false;
};

class CorpusWorld final : public World {
 public:
  // kNotFound when the folder or its PROVENANCE.tsv is not there, kCorrupt when its first line does not name the
  // columns, or it names no body that can be served.
  static Result<std::unique_ptr<CorpusWorld>> Load(const CorpusOptions& options);
  // Files that the table names and that are not there: what they would serve is served from others, or is a 404.
  const std::vector<std::string>& absent() const { return absent_; }

  std::optional<std::string> Details(Kind kind, std::int64_t id) override;
  std::optional<std::string> Part(Kind kind, std::int64_t id, std::string_view name) override;
  std::optional<std::string> OlderDetails(Kind, std::int64_t) override { return std::nullopt; }
  std::optional<std::string> Season(std::int64_t show, int number) override;
  std::optional<std::string> SeasonPart(std::int64_t show, int number, std::string_view name) override;
  std::optional<std::string> Episode(std::int64_t show, int season, int number) override;
  std::optional<std::string> EpisodePart(std::int64_t show, int season, int number,
                                         std::string_view name) override;
  std::vector<SeasonRef> Seasons(std::int64_t show) override;
  std::optional<std::string> List(std::string_view path) override;
  void ForEachId(Kind kind, const std::function<void(std::int64_t id, bool adult)>& sink) override;
  void ForEachLine(Kind kind, bool adult, const std::function<void(std::string_view line)>& sink) override;
  std::optional<std::string> ExportLine(Kind kind, std::int64_t id) override;

 private:
  // Higher is better: without language, not edited, date.
  using Rank = std::tuple<bool, bool, std::string>;
  struct Best {
    Rank rank;
    std::string json;
  };
  // What was recorded of one path: its own body and its sub-resources.
  struct Resource {
    std::optional<Best> body;
    std::map<std::string, Best, std::less<>> parts;
  };
  struct Recording;

  explicit CorpusWorld(CorpusOptions options) : options_(std::move(options)) {}
  Result<void> Read();
  Result<void> Add(const Recording& recording);
  Result<void> ReadKeywordLines();
  const Resource* Find(const std::string& path) const;
  std::optional<std::string> PartOfResource(const std::string& path, std::string_view name) const;
  // The entry of seasons[] in the show's body.
  std::optional<std::string> ListedSeason(std::int64_t show, int number) const;

  const CorpusOptions options_;
  std::map<std::string, Resource, std::less<>> resources_;  // by path below /3/: "tv/1399/season/1"
  std::map<std::string, Best, std::less<>> lists_;
  std::map<Kind, std::map<std::int64_t, std::string>> ids_;  // of details: id -> path
  std::map<std::int64_t, std::string> keyword_lines_;
  std::vector<std::int64_t> keyword_order_;
  std::vector<std::string> absent_;
};

}  // namespace tmdbc::sim

// SPDX-License-Identifier: MIT
#include "corpus_world.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "json.h"
#include "random.h"
#include "target.h"

namespace tmdbc::sim {
namespace {

// Empty ones too.
std::vector<std::string> Fields(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(by);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string Join(const std::vector<std::string>& parts, std::size_t first, std::size_t last) {
  std::string joined;
  for (std::size_t i = first; i < last; ++i) joined.append(i > first ? "/" : "").append(parts[i]);
  return joined;
}

// "2022-11-26" of "Sat, 26 Nov 2022 18:52:55 GMT", "2024-03-24 (commit date)", "2020 (commit 2020-11-07)".
std::string DateOf(std::string_view recorded) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (std::size_t i = 0; i + 10 <= recorded.size(); ++i) {
    const std::string_view date = recorded.substr(i, 10);
    if (date[4] == '-' && date[7] == '-' && ParseInteger(date.substr(0, 4)) && ParseInteger(date.substr(8)))
      return std::string(date);
  }
  if (recorded.size() >= 16 && recorded[3] == ',') {
    const auto month = kMonths.find(recorded.substr(8, 3));
    if (month != std::string_view::npos) {
      return fmt::format("{}-{:02}-{}", recorded.substr(12, 4), month / 3 + 1, recorded.substr(5, 2));
    }
  }
  return std::string(recorded.substr(0, 4));
}

// The string a JSON text stands for; recorded names hold no escapes but the short ones.
std::string Unquoted(std::string_view json) {
  if (json.size() < 2 || json.front() != '"') return {};
  json = json.substr(1, json.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i];
      continue;
    }
    const char c = json[++i];
    out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  return out;
}

std::string PathOf(Kind kind, std::int64_t id) {
  return fmt::format("{}/{}", NameOf(kind), id);
}
std::string SeasonPath(std::int64_t show, int season) {
  return fmt::format("tv/{}/season/{}", show, season);
}
std::string EpisodePath(std::int64_t show, int season, int number) {
  return fmt::format("tv/{}/season/{}/episode/{}", show, season, number);
}

std::string_view WithoutReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Where the columns of the table stand that are read.
struct Columns {
  std::size_t file, endpoint, status, recorded, fidelity;

  std::size_t last() const { return std::max({file, endpoint, status, recorded, fidelity}); }

  static Result<Columns> Of(std::string_view header, const std::string& table) {
    const std::vector<std::string> names = Fields(WithoutReturn(header), '\t');
    Columns columns{};
    const std::pair<const char*, std::size_t*> wanted[] = {{"file", &columns.file},
                                                           {"endpoint", &columns.endpoint},
                                                           {"http_status", &columns.status},
                                                           {"recorded", &columns.recorded},
                                                           {"fidelity", &columns.fidelity}};
    for (const auto& [name, place] : wanted) {
      const auto at = std::find(names.begin(), names.end(), name);
      if (at == names.end()) {
        return Fail(
            ErrorCode::kCorrupt,
            "read {}: its first line names no column {}; it has to name file, endpoint, http_status, recorded "
            "and fidelity, with tabs between them",
            table, name);
      }
      *place = static_cast<std::size_t>(at - names.begin());
    }
    return columns;
  }
};

}  // namespace

struct CorpusWorld::Recording {
  std::vector<std::string> path;  // below /3/
  std::vector<std::string> appended;
  Rank rank;
  std::string file;
};

Result<std::unique_ptr<CorpusWorld>> CorpusWorld::Load(const CorpusOptions& options) {
  std::unique_ptr<CorpusWorld> world(new CorpusWorld(options));
  TRY(world->Read());
  TRY(world->ReadKeywordLines());
  if (world->ids_.empty())
    return Fail(ErrorCode::kCorrupt, "read corpus {}: no recorded details in it", options.folder);
  return world;
}

Result<void> CorpusWorld::Read() {
  const std::string table = options_.folder + "/PROVENANCE.tsv";
  std::ifstream in(table, std::ios::binary);
  if (!in) return Fail(ErrorCode::kNotFound, "read {}: it is not there", table);
  std::string line;
  std::getline(in, line);
  TRY_ASSIGN(const Columns place, Columns::Of(line, table));
  while (std::getline(in, line)) {
    const std::vector<std::string> columns = Fields(WithoutReturn(line), '\t');
    if (columns.size() <= place.last()) continue;
    const std::string& endpoint = columns[place.endpoint];
    if (columns[place.status] != "200" || !endpoint.starts_with("/3/")) continue;
    const auto question = endpoint.find('?');
    Recording recording{.path = Fields(std::string_view(endpoint).substr(
                                          3, question == std::string::npos ? question : question - 3),
                                      '/'),
                        .appended = {},
                        .rank = {},
                        .file = columns[place.file]};
    bool plain = true, later_page = false;
    if (question != std::string::npos) {
      for (const std::string& pair : Fields(std::string_view(endpoint).substr(question + 1), '&')) {
        if (pair.starts_with("append_to_response=")) {
          recording.appended = Fields(std::string_view(pair).substr(19), ',');
        } else if (pair.starts_with("page=")) {
          later_page = pair != "page=1";
        } else {
          plain = false;
        }
      }
    }
    if (later_page || recording.path.empty()) continue;
    const std::string& fidelity = columns[place.fidelity];
    const bool faithful = fidelity.find("hand-edited") == std::string::npos &&
                          fidelity.find("pinned") == std::string::npos &&
                          fidelity.find("as stored") == std::string::npos;
    recording.rank = {plain, faithful, DateOf(columns[place.recorded])};
    TRY(Add(recording));
  }
  return {};
}

Result<void> CorpusWorld::Add(const Recording& recording) {
  const auto& path = recording.path;
  static const std::set<std::string> kLists = {"configuration", "genre", "certification", "watch"};
  const bool list = kLists.contains(path[0]);
  if (!list && (path.size() < 2 || !KindOf(path[0]))) return {};

  const std::string name = options_.folder + "/" + recording.file;
  std::ifstream in(name, std::ios::binary);
  if (!in) {
    absent_.push_back(recording.file);
    return {};
  }
  std::stringstream text;
  text << in.rdbuf();
  const std::string json = Compact(text.str());

  const auto keep = [&](std::optional<Best>& best, std::string body) {
    if (!best || best->rank < recording.rank) best = Best{recording.rank, std::move(body)};
  };
  const auto keep_in = [&](std::map<std::string, Best, std::less<>>& in_map, const std::string& key,
                           std::string body) {
    const auto [at, fresh] = in_map.try_emplace(key);
    if (fresh || at->second.rank < recording.rank) at->second = Best{recording.rank, std::move(body)};
  };
  if (list) {
    keep_in(lists_, Join(path, 0, path.size()), json);
    return {};
  }

  // How many segments name the resource itself; the rest names a sub-resource.
  std::size_t own = 2;
  if (path[0] == "tv" && path.size() >= 4 && path[2] == "season")
    own = path.size() >= 6 && path[4] == "episode" ? 6 : 4;
  const bool whole = path.size() == own;
  std::string resource_path = Join(path, 0, own);
  if (own == 2) {
    const auto id = whole ? ParseInteger(PartOf(json, "id").value_or("")) : ParseInteger(path[1]);
    // Changes by id ("tv/season/3624/changes") and external ids have other shapes.
    if (!id) return {};
    resource_path = PathOf(*KindOf(path[0]), *id);
    if (whole) ids_[*KindOf(path[0])][*id] = resource_path;
  }
  Resource& resource = resources_[resource_path];
  if (!whole) {
    const std::string part = Join(path, own, path.size());
    if (part != "changes") keep_in(resource.parts, part, WithoutPart(json, "id"));
    return {};
  }
  std::vector<RawPart> body;
  for (const RawPart& part : PartsOf(json)) {
    const bool appended = std::find(recording.appended.begin(), recording.appended.end(), part.name) !=
                          recording.appended.end();
    if (!appended) {
      body.push_back(part);
    } else if (part.name != "changes" && part.name != "account_states") {
      keep_in(resource.parts, std::string(part.name), std::string(part.value));
    }
  }
  keep(resource.body, ObjectOf(body));
  return {};
}

Result<void> CorpusWorld::ReadKeywordLines() {
  // The export is the record of a keyword, so a recorded export serves every keyword in it.
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder + "/export", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("keyword_ids") || name.find("excerpt") != std::string::npos) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string line;
    while (std::getline(in, line)) {
      const auto id = ParseInteger(PartOf(line, "id").value_or(""));
      if (!id || !keyword_lines_.emplace(*id, line).second) continue;
      keyword_order_.push_back(*id);
    }
  }
  if (keyword_lines_.empty()) return {};
  for (const auto& [id, path] : ids_[Kind::kKeyword]) {
    if (keyword_lines_.contains(id)) continue;
    keyword_lines_[id] = *ExportLine(Kind::kKeyword, id);
    keyword_order_.push_back(id);
  }
  return {};
}

const CorpusWorld::Resource* CorpusWorld::Find(const std::string& path) const {
  const auto found = resources_.find(path);
  return found == resources_.end() || !found->second.body ? nullptr : &found->second;
}

std::optional<std::string> CorpusWorld::PartOfResource(const std::string& path, std::string_view name) const {
  const Resource* resource = Find(path);
  if (resource == nullptr) return std::nullopt;
  const auto part = resource->parts.find(name);
  if (part == resource->parts.end()) return std::nullopt;
  return part->second.json;
}

std::optional<std::string> CorpusWorld::Details(Kind kind, std::int64_t id) {
  if (const Resource* resource = Find(PathOf(kind, id))) return resource->body->json;
  const auto line = kind == Kind::kKeyword ? keyword_lines_.find(id) : keyword_lines_.end();
  if (line == keyword_lines_.end()) return std::nullopt;
  return line->second;
}

std::optional<std::string> CorpusWorld::Part(Kind kind, std::int64_t id, std::string_view name) {
  return PartOfResource(PathOf(kind, id), name);
}

std::optional<std::string> CorpusWorld::ListedSeason(std::int64_t show, int number) const {
  const Resource* resource = Find(PathOf(Kind::kTv, show));
  if (resource == nullptr) return std::nullopt;
  for (const std::string_view season : ElementsOf(PartOf(resource->body->json, "seasons").value_or("[]"))) {
    if (ParseInteger(PartOf(season, "season_number").value_or("")) == number) return std::string(season);
  }
  return std::nullopt;
}

std::optional<std::string> CorpusWorld::Season(std::int64_t show, int number) {
  const auto listed = ListedSeason(show, number);
  if (!listed) return std::nullopt;
  if (const Resource* recorded = Find(SeasonPath(show, number))) return recorded->body->json;
  if (options_.recorded_seasons_only) return std::nullopt;
  Random random(0, show, number);
  const std::string object_id = fmt::format("\"{:016x}{:08x}\"", random.Next(), 0);
  std::vector<RawPart> parts = {{"_id", object_id}, {"air_date", "null"}, {"episodes", "[]"}};
  for (const char* name :
       {"air_date", "name", "overview", "id", "poster_path", "season_number", "vote_average"}) {
    const auto value = PartOf(*listed, name);
    if (!value) continue;
    if (std::string_view(name) == "air_date") {
      parts[1].value = *value;
    } else {
      parts.push_back({name, *value});
    }
  }
  return ObjectOf(parts);
}

std::optional<std::string> CorpusWorld::SeasonPart(std::int64_t show, int number, std::string_view name) {
  return PartOfResource(SeasonPath(show, number), name);
}

std::optional<std::string> CorpusWorld::Episode(std::int64_t show, int season, int number) {
  const Resource* resource = Find(EpisodePath(show, season, number));
  if (resource == nullptr) return std::nullopt;
  return resource->body->json;
}

std::optional<std::string> CorpusWorld::EpisodePart(std::int64_t show, int season, int number,
                                                    std::string_view name) {
  return PartOfResource(EpisodePath(show, season, number), name);
}

std::vector<SeasonRef> CorpusWorld::Seasons(std::int64_t show) {
  std::vector<SeasonRef> seasons;
  const Resource* resource = Find(PathOf(Kind::kTv, show));
  if (resource == nullptr) return seasons;
  for (const std::string_view season : ElementsOf(PartOf(resource->body->json, "seasons").value_or("[]"))) {
    const auto number = ParseInteger(PartOf(season, "season_number").value_or(""));
    const auto id = ParseInteger(PartOf(season, "id").value_or(""));
    if (number && id && Season(show, static_cast<int>(*number)))
      seasons.push_back({*id, static_cast<int>(*number)});
  }
  std::sort(seasons.begin(), seasons.end(),
            [](const SeasonRef& a, const SeasonRef& b) { return a.number < b.number; });
  return seasons;
}

std::optional<std::string> CorpusWorld::List(std::string_view path) {
  const auto found = lists_.find(path);
  if (found == lists_.end()) return std::nullopt;
  return found->second.json;
}

void CorpusWorld::ForEachId(Kind kind, const std::function<void(std::int64_t, bool)>& sink) {
  if (kind == Kind::kKeyword && !keyword_lines_.empty()) {
    for (const auto& [id, line] : keyword_lines_) sink(id, false);
    return;
  }
  for (const auto& [id, path] : ids_[kind]) sink(id, PartOf(resources_[path].body->json, "adult") == "true");
}

std::optional<std::string> CorpusWorld::ExportLine(Kind kind, std::int64_t id) {
  if (kind == Kind::kKeyword) {
    if (const auto line = keyword_lines_.find(id); line != keyword_lines_.end()) return line->second;
  }
  const Resource* resource = Find(PathOf(kind, id));
  if (resource == nullptr) return std::nullopt;
  const std::string& body = resource->body->json;
  std::string line = "{";
  const auto raw = [&](std::string_view name, std::string_view otherwise) {
    line.append(line.size() > 1 ? "," : "")
        .append(1, '"')
        .append(name)
        .append("\":")
        .append(PartOf(body, name).value_or(otherwise));
  };
  const auto text = [&](std::string_view name) {
    line.append(",\"").append(name).append("\":");
    AppendQuoted(line, Unquoted(PartOf(body, name).value_or("\"\"")), true);
  };
  const bool movie = kind == Kind::kMovie, show = kind == Kind::kTv, person = kind == Kind::kPerson;
  if (movie || person) raw("adult", "false");
  raw("id", "0");
  text(movie ? "original_title" : show ? "original_name" : "name");
  if (movie || show || person) raw("popularity", "0.0");
  if (movie) raw("video", "false");
  return line += "}";
}

void CorpusWorld::ForEachLine(Kind kind, bool adult, const std::function<void(std::string_view)>& sink) {
  if (kind == Kind::kKeyword && !keyword_lines_.empty()) {
    for (const std::int64_t id : keyword_order_) sink(keyword_lines_[id] + "\n");
    return;
  }
  std::vector<std::int64_t> ids;
  ForEachId(kind, [&](std::int64_t id, bool is_adult) {
    if (is_adult == adult) ids.push_back(id);
  });
  // Not in the order of ids, as TMDB's are.
  std::sort(ids.begin(), ids.end(), [](std::int64_t a, std::int64_t b) {
    return Mix(static_cast<std::uint64_t>(a)) < Mix(static_cast<std::uint64_t>(b));
  });
  for (const std::int64_t id : ids) sink(*ExportLine(kind, id) + "\n");
}

}  // namespace tmdbc::sim

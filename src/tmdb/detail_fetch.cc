// SPDX-License-Identifier: MIT
#include "tmdb/detail_fetch.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <set>
#include <utility>

#include "tmdb/json_text.h"
#include "tmdb/parsed_body.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;

// The N of a member name "season/N"; nothing for any other name.
std::optional<std::int64_t> SeasonOfName(std::string_view name) {
  constexpr std::string_view kPrefix = "season/";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  if (name.empty() || name.front() == '-') return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

bool IsSeasonName(std::string_view name) {
  return SeasonOfName(name).has_value();
}

std::optional<std::int64_t> IntegerMember(dom::element value, std::string_view name) {
  std::int64_t number = 0;
  if (value[name].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

// TMDB's error bodies (TMDB.md section 6) say so themselves, whatever the status was that they came with.
Result<void> CheckNoError(dom::element root) {
  bool success = true;
  const bool failed = root["success"].get(success) == simdjson::SUCCESS && !success;
  const std::optional<std::int64_t> code = IntegerMember(root, "status_code");
  if (!failed && !code.has_value()) return {};
  // Not its status_message: that is kept in the queue, and a front that echoes the request would put the key
  // there.
  return Fail(ErrorCode::kCorrupt, "an error body with status 200 (code {})", code.value_or(0));
}

constexpr std::int64_t kMaxSeasonId = (std::int64_t{1} << 52) - 1;  // as the store has it

// What stands under "season/N" is that season, and no error body or other season in its place.
bool IsSeason(dom::element season, std::int64_t number) {
  const std::optional<std::int64_t> own_number = IntegerMember(season, "season_number");
  dom::array episodes;
  return own_number.has_value()
             ? *own_number == number
             : season["episodes"].get(episodes) == simdjson::SUCCESS && CheckNoError(season).has_value();
}

Result<void> CheckIsOf(MediaId id, dom::element root) {
  if (id.type == MediaType::kConfiguration) {
    if (!root.is_object() && !root.is_array())
      return Fail(ErrorCode::kCorrupt, "neither an object nor a list");
    return CheckNoError(root);
  }
  if (!root.is_object()) return Fail(ErrorCode::kCorrupt, "not an object");
  const std::optional<std::int64_t> found = IntegerMember(root, "id");
  if (!found.has_value()) {
    TRY(CheckNoError(root));
    return Fail(ErrorCode::kCorrupt, "an object without an id");
  }
  if (*found != id.id) return Fail(ErrorCode::kCorrupt, "the body of id {}", *found);
  return {};
}

}  // namespace

DetailFetch::DetailFetch(MediaId id, std::span<const std::int64_t> known_seasons,
                         const Namespaces& namespaces)
    : id_(id), known_seasons_(known_seasons.begin(), known_seasons.end()) {
  for (Call& call : PlanCalls(id, known_seasons, namespaces)) calls_.push_back({.call = std::move(call)});
}

std::vector<DetailFetch::NumberedCall> DetailFetch::TakeCalls() {
  std::vector<NumberedCall> taken;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].state != CallState::kWaiting) continue;
    calls_[i].state = CallState::kOut;
    taken.push_back({.index = static_cast<int>(i), .call = calls_[i].call});
  }
  return taken;
}

Result<void> DetailFetch::Accept(int index, std::string body, std::optional<std::string> etag,
                                 Time fetched_at) {
  const std::size_t place = static_cast<std::size_t>(index);
  if (index < 0 || place >= calls_.size() || calls_[place].state != CallState::kOut) {
    return Fail(ErrorCode::kInternal, "get {}: an answer to call {}, which is not open", ToString(id_),
                index);
  }
  const std::string& path = calls_[place].call.path;
  const auto parsed = ParsedJson::ParseString(body);
  if (!parsed) return Fail(parsed.error().code, "get {}: {}", path, parsed.error().message);
  if (const auto believed = CheckIsOf(id_, parsed->root()); !believed) {
    return Fail(believed.error().code, "get {}: {}", path, believed.error().message);
  }
  TRY_ASSIGN(std::string data, OneLine(std::move(body)));
  const bool first = index == 0;
  const bool show = id_.type == MediaType::kTv;
  if (show) {
    if (first) TRY(ReadSeasonList(*parsed));
    data = TakeSeasons(data, *parsed, fetched_at);
  }
  if (first) {  // the base body that later answers bring along is the same once more
    document_ = Document{.id = id_,
                         .tv_id = 0,
                         .season_number = 0,
                         .episodes = {},
                         .fetched_at = fetched_at,
                         .etag = std::move(etag),
                         .data = std::move(data),
                         .hash = HashParsed(parsed->root(), show ? IsSeasonName : nullptr)};
  }
  calls_[place].state = CallState::kAnswered;
  PlanMissingSeasons();
  return {};
}

Result<void> DetailFetch::ReadSeasonList(const ParsedJson& show) {
  dom::array list;
  if (show.root()["seasons"].get(list) != simdjson::SUCCESS) {
    for (const std::int64_t number : known_seasons_) season_ids_[number] = std::nullopt;
  } else if (list.size() > kMaxSeasons) {
    return Fail(ErrorCode::kCorrupt, "get tv/{}: a list of more than {} seasons", id_.id, kMaxSeasons);
  } else {
    has_season_list_ = true;
    for (const dom::element season : list) {
      const std::optional<std::int64_t> number = IntegerMember(season, "season_number");
      if (!number.has_value() || *number < 0) continue;
      std::optional<std::int64_t>& season_id = season_ids_[*number];
      if (!season_id.has_value()) season_id = IntegerMember(season, "id");
    }
  }
  for (const auto& [number, season_id] : season_ids_) listed_seasons_.push_back(number);
  return {};
}

std::string DetailFetch::TakeSeasons(const std::string& body, const ParsedJson& show, Time fetched_at) {
  const std::vector<RawMember> members = RawMembers(body);
  std::vector<bool> cut(members.size(), false);
  // Not in the loop's head: value_unsafe() refers into a temporary, which is gone when the loop begins.
  const dom::object object = show.root().get_object().value_unsafe();
  std::size_t place = 0;
  for (const dom::key_value_pair member : object) {
    const RawMember& raw = members[place];
    const std::optional<std::int64_t> number = SeasonOfName(member.key);
    cut[place++] = number.has_value();
    if (!number.has_value() || !member.value.is_object()) continue;  // null: as good as dropped
    if (!IsSeason(member.value, *number)) continue;
    seasons_[*number] = Season{.data = body.substr(raw.value, raw.end - raw.value),
                               .hash = HashParsed(member.value),
                               .episodes = EpisodesOf(member.value),
                               .own_id = IntegerMember(member.value, "id"),
                               .fetched_at = fetched_at};
  }
  return WithoutMembers(body, members, cut);
}

// Once all that was planned is answered: which seasons are listed and did not come? They are asked for, once
// more and by name; what is dropped then too cannot be had.
void DetailFetch::PlanMissingSeasons() {
  const auto answered = [](const OpenCall& open) { return open.state == CallState::kAnswered; };
  if (id_.type != MediaType::kTv || all_planned_ || !std::all_of(calls_.begin(), calls_.end(), answered))
    return;
  all_planned_ = true;
  if (has_season_list_) {
    for (Call& call : PlanSeasonCalls(id_.id, absent_seasons())) calls_.push_back({.call = std::move(call)});
    return;
  }
  for (const auto& [number, season] : seasons_) season_ids_.try_emplace(number);
  listed_seasons_.clear();
  for (const auto& [number, season_id] : season_ids_) listed_seasons_.push_back(number);
}

bool DetailFetch::done() const {
  return std::all_of(calls_.begin(), calls_.end(),
                     [](const OpenCall& open) { return open.state == CallState::kAnswered; });
}

std::vector<std::int64_t> DetailFetch::absent_seasons() const {
  std::vector<std::int64_t> absent;
  for (const std::int64_t number : listed_seasons_) {
    if (!seasons_.contains(number)) absent.push_back(number);
  }
  return absent;
}

std::vector<Document> DetailFetch::TakeDocuments() {
  assert(done());
  std::vector<Document> documents;
  if (!document_.has_value()) return documents;
  documents.push_back(*std::exchange(document_, std::nullopt));
  std::set<std::int64_t> taken;  // two numbers with one id would be two records at one place
  for (auto& [number, listed_id] : season_ids_) {
    const auto found = seasons_.find(number);
    if (found == seasons_.end()) continue;
    Season& season = found->second;
    const std::optional<std::int64_t> season_id = listed_id.has_value() ? listed_id : season.own_id;
    // One that the store has no place for must not keep the rest of the show out.
    if (!season_id.has_value() || *season_id < 1 || *season_id > kMaxSeasonId) continue;
    if (!taken.insert(*season_id).second) continue;
    documents.push_back({.id = {MediaType::kSeason, *season_id},
                         .tv_id = id_.id,
                         .season_number = number,
                         .episodes = std::move(season.episodes),
                         .fetched_at = season.fetched_at,
                         .etag = std::nullopt,
                         .data = std::exchange(season.data, {}),
                         .hash = season.hash});
  }
  return documents;
}

}  // namespace tmdbc

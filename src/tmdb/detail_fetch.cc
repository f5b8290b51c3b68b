// SPDX-License-Identifier: MIT
#include "tmdb/detail_fetch.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <initializer_list>
#include <iterator>
#include <set>
#include <utility>

#include "base/json.h"
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

// "season/3/credits" apart; a name without the last part for "season/3", no number for anything else.
std::pair<std::optional<std::int64_t>, std::string_view> NestedName(std::string_view name) {
  const std::size_t slash = name.find('/', std::string_view("season/").size());
  if (slash == std::string_view::npos) return {SeasonOfName(name), {}};
  return {SeasonOfName(name.substr(0, slash)), name.substr(slash + 1)};
}

// The N of "tv/1399/season/N".
std::optional<std::int64_t> SeasonOfPath(std::string_view path) {
  const std::size_t season = path.find("season/");
  return season == std::string_view::npos ? std::nullopt : SeasonOfName(path.substr(season));
}

bool IsSeasonName(std::string_view name) {
  return SeasonOfName(name).has_value();
}

std::optional<std::int64_t> IntegerMember(dom::element value, std::string_view name) {
  std::int64_t number = 0;
  if (value[name].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

// TMDB's error bodies (docs/tmdb-facts.md) say so themselves, whatever the status was that they came with.
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

Result<void> CheckIsSeason(const Call& call, dom::element root) {
  if (!root.is_object()) return Fail(ErrorCode::kCorrupt, "not an object");
  TRY(CheckNoError(root));
  if (!IsSeason(root, SeasonOfPath(call.path).value_or(-1)))
    return Fail(ErrorCode::kCorrupt, "another season's body");
  return {};
}

// The members of these names, with their bytes: {"name":"Staffel 1","overview":""}. `more` stands behind them.
std::string Picked(dom::object object, std::string_view raw, std::initializer_list<std::string_view> names,
                   std::string_view more = {}) {
  const std::vector<RawMember> members = RawMembers(raw);
  std::string picked;
  std::size_t place = 0;
  for (const dom::key_value_pair member : object) {
    const RawMember& at = members[place++];
    if (std::ranges::find(names, member.key) == names.end()) continue;
    picked += picked.empty() ? "" : ",";
    picked += raw.substr(at.begin, at.end - at.begin);
  }
  if (!more.empty()) fmt::format_to(std::back_inserter(picked), "{}{}", picked.empty() ? "" : ",", more);
  return "{" + picked + "}";
}

// What a season's body in another language has that the English one has not: its names and overviews.
std::string TextsOf(dom::element season, std::string_view raw) {
  const dom::object object = season.get_object().value_unsafe();
  const std::vector<RawMember> members = RawMembers(raw);
  std::string episodes;
  std::size_t place = 0;
  for (const dom::key_value_pair member : object) {
    const RawMember& at = members[place++];
    dom::array list;
    if (member.key != "episodes" || member.value.get(list) != simdjson::SUCCESS) continue;
    const std::string_view text = raw.substr(at.value, at.end - at.value);
    const std::vector<RawMember> elements = RawMembers(text);
    std::size_t element_place = 0;
    for (const dom::element element : list) {
      const RawMember& in_list = elements[element_place++];
      dom::object episode;
      if (element.get(episode) != simdjson::SUCCESS) continue;
      episodes += episodes.empty() ? "" : ",";
      episodes += Picked(episode, text.substr(in_list.value, in_list.end - in_list.value),
                         {"id", "name", "overview"});
    }
    break;
  }
  return Picked(object, raw, {"name", "overview"}, fmt::format(R"("episodes":[{}])", episodes));
}

// Puts the extras behind the members of a season's body.
void PutExtras(const std::map<std::string, std::string>& extras, std::string& data, ContentHash& hash) {
  std::string members;
  for (const auto& [name, value] : extras)
    fmt::format_to(std::back_inserter(members), R"(,"{}":{})", name, value);
  const std::size_t end = data.rfind('}');
  if (data.find_last_not_of(" \t", end - 1) == data.find('{')) members.erase(0, 1);
  data.insert(end, members);
  hash = HashContent(data).value_or(hash);
}

Result<void> CheckIsOf(MediaId id, dom::element root) {
  if (TraitsOf(id.type).source == RecordSource::kList) {
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

void SortAndDropDoubles(std::vector<std::int64_t>& ids) {
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

DetailFetch::DetailFetch(MediaId id, std::span<const std::int64_t> known_seasons,
                         const Namespaces& namespaces, SeasonExtras extras)
    : id_(id), known_seasons_(known_seasons.begin(), known_seasons.end()), extras_(std::move(extras)) {
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

DetailFetch::OpenCall* DetailFetch::Out(int index) {
  if (index < 0 || index >= std::ssize(calls_)) return nullptr;
  OpenCall& open = calls_[static_cast<std::size_t>(index)];
  return open.state == CallState::kOut ? &open : nullptr;
}

Result<void> DetailFetch::Accept(int index, std::string body, std::optional<std::string> etag,
                                 Time fetched_at) {
  OpenCall* const open = Out(index);
  if (open == nullptr) {
    return Fail(ErrorCode::kInternal, "get {}: an answer to call {}, which is not open", ToString(id_),
                index);
  }
  const std::string& path = open->call.path;
  const auto parsed = ParsedJson::ParseString(body);
  if (!parsed) return Fail(parsed.error().code, "get {}: {}", path, parsed.error().message);
  const auto believed = open->kind == Kind::kSeason ? CheckIsSeason(open->call, parsed->root())
                                                    : CheckIsOf(id_, parsed->root());
  if (!believed) return Fail(believed.error().code, "get {}: {}", path, believed.error().message);
  TRY_ASSIGN(std::string data, OneLine(std::move(body)));
  if (open->kind != Kind::kShow) {
    TRY(AcceptExtras(*open, data, *parsed));
    open->state = CallState::kClosed;
    PlanNext();
    return {};
  }
  const bool base = index == base_call_;
  const bool show = TraitsOf(id_.type).has_seasons;
  if (show && base) TRY(ReadSeasonList(*parsed));
  if (!base) TakeNamespaces(open->call, data, *parsed);
  if (show) data = TakeSeasons(data, *parsed, fetched_at);
  if (base) {  // the base body that other answers bring along is the same once more
    document_ = Document{.id = id_,
                         .tv_id = 0,
                         .season_number = 0,
                         .episodes = {},
                         .fetched_at = fetched_at,
                         .etag = std::move(etag),
                         .data = std::move(data),
                         .hash = HashParsed(parsed->root(), show ? IsSeasonName : nullptr)};
  }
  open->state = CallState::kClosed;
  PlanNext();
  return {};
}

bool DetailFetch::Split(int index) {
  OpenCall* const open = Out(index);
  if (open == nullptr) return false;
  const Kind kind = open->kind;
  if (kind == Kind::kNested) {  // season by season, in calls of their own
    open->state = CallState::kClosed;
    PlanNext();
    return true;
  }
  auto parts = SplitCall(open->call, index == base_call_);
  if (!parts) return false;
  const auto seasons = std::ranges::count_if(parts->second.appends, IsSeasonName);
  if (seasons > 0) most_seasons_ = std::min(most_seasons_, static_cast<std::size_t>(seasons));
  open->state = CallState::kClosed;
  if (index == base_call_) base_call_ = static_cast<int>(calls_.size());
  Plan(kind, {std::move(parts->first), std::move(parts->second)});
  return true;
}

bool DetailFetch::Forgo(int index) {
  OpenCall* const open = Out(index);
  if (open == nullptr || index == base_call_ || open->call.appends.size() != 1) return false;
  const std::optional<std::int64_t> number =
      open->kind == Kind::kSeason ? SeasonOfPath(open->call.path) : SeasonOfName(open->call.appends.front());
  if (!number.has_value()) return false;
  forgone_.insert(*number);
  seasons_.erase(*number);  // without a part of it, it would look like another version
  open->state = CallState::kClosed;
  PlanNext();
  return true;
}

bool DetailFetch::ForgoNamespace(int index) {
  OpenCall* const open = Out(index);
  if (open == nullptr || index == base_call_ || open->kind != Kind::kShow) return false;
  if (open->call.appends.size() != 1 || IsSeasonName(open->call.appends.front())) return false;
  lacking_.push_back(open->call.appends.front());
  open->state = CallState::kClosed;
  PlanNext();
  return true;
}

Result<void> DetailFetch::ReadSeasonList(const ParsedJson& show) {
  dom::array list;
  SeasonList& seen = season_list_ = {};
  if (show.root()["seasons"].get(list) != simdjson::SUCCESS) {
    for (const std::int64_t number : known_seasons_) season_ids_[number] = std::nullopt;
  } else if (list.size() > kMaxSeasons) {
    return Fail(ErrorCode::kCorrupt, "get tv/{}: a list of more than {} seasons", id_.id, kMaxSeasons);
  } else {
    seen.given = true;
    for (const dom::element season : list) {
      const std::optional<std::int64_t> own_id = IntegerMember(season, "id");
      const std::optional<std::int64_t> number = IntegerMember(season, "season_number");
      if (own_id.has_value()) seen.ids.push_back(*own_id);
      if (!own_id.has_value() && !number.has_value()) seen.readable = false;
      if (!number.has_value() || *number < 0) continue;
      std::optional<std::int64_t>& season_id = season_ids_[*number];
      if (!season_id.has_value()) season_id = own_id;
    }
    SortAndDropDoubles(seen.ids);
  }
  for (const auto& [number, season_id] : season_ids_) seen.numbers.push_back(number);
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

void DetailFetch::TakeNamespaces(const Call& call, std::string_view body, const ParsedJson& parsed) {
  if (call.appends.empty() || IsSeasonName(call.appends.front())) return;
  const std::vector<RawMember> members = RawMembers(body);
  const dom::object object = parsed.root().get_object().value_unsafe();
  std::size_t place = 0;
  for (const dom::key_value_pair member : object) {
    const RawMember& raw = members[place++];
    if (std::ranges::find(call.appends, member.key) == call.appends.end()) continue;
    apart_.insert_or_assign(std::string(member.key),
                            std::string(body.substr(raw.begin, raw.end - raw.begin)));
  }
}

// Members of the answer that belong to a season: those of its own path, those under nested names, its texts in a
// language.
Result<void> DetailFetch::AcceptExtras(const OpenCall& open, std::string_view body,
                                       const ParsedJson& parsed) {
  const std::vector<RawMember> members = RawMembers(body);
  const dom::object object = parsed.root().get_object().value_unsafe();
  const std::string own_season = fmt::format("season/{}", SeasonOfPath(open.call.path).value_or(-1));
  std::size_t place = 0;
  for (const dom::key_value_pair member : object) {
    const RawMember& raw = members[place++];
    const std::string_view value = body.substr(raw.value, raw.end - raw.value);
    const std::string asked =
        open.kind == Kind::kSeason ? fmt::format("{}/{}", own_season, member.key) : std::string(member.key);
    const auto [number, name] = NestedName(asked);
    const auto season = number.has_value() ? seasons_.find(*number) : seasons_.end();
    if (season == seasons_.end() || !member.value.is_object()) continue;
    if (open.kind == Kind::kLanguage && name.empty()) {
      season->second.extras.insert_or_assign("language/" + open.call.language, TextsOf(member.value, value));
    } else if (open.kind != Kind::kLanguage &&
               std::ranges::find(extras_.namespaces, name) != extras_.namespaces.end()) {
      season->second.extras.insert_or_assign(std::string(name), std::string(value));
      if (open.kind == Kind::kNested) nested_names_ = true;
    }
  }
  if (open.kind == Kind::kNested && !nested_names_.has_value()) nested_names_ = false;
  return {};
}

void DetailFetch::Plan(Kind kind, std::vector<Call> calls) {
  for (Call& call : calls) calls_.push_back({.call = std::move(call), .kind = kind});
}

void DetailFetch::PlanNext() {
  if (!TraitsOf(id_.type).has_seasons) return;
  while (stage_ != Stage::kSeasonBySeason && AllClosed()) {
    stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    if (stage_ == Stage::kMissing) PlanMissingSeasons();
    if (stage_ == Stage::kExtras) PlanExtras();
    if (stage_ == Stage::kSeasonBySeason) PlanSeasonBySeason();
  }
}

// Which seasons are listed and did not come? They are asked for, once more and by name; what is dropped then too cannot
// be had.
void DetailFetch::PlanMissingSeasons() {
  if (season_list_.given) {
    // What came is not gone, whatever the list says.
    for (const auto& [number, season] : seasons_) {
      if (season_ids_.contains(number)) continue;
      if (season.own_id.has_value()) season_list_.ids.push_back(*season.own_id);
      season_list_.readable = season_list_.readable && season.own_id.has_value();
    }
    SortAndDropDoubles(season_list_.ids);
    std::vector<std::int64_t> missing = absent_seasons();
    std::erase_if(missing, [this](std::int64_t number) { return forgone_.contains(number); });
    Plan(Kind::kShow, PlanSeasonCalls(id_.id, missing, most_seasons_));
    return;
  }
  for (const auto& [number, season] : seasons_) season_ids_.try_emplace(number);
  season_list_.numbers.clear();
  for (const auto& [number, season_id] : season_ids_) season_list_.numbers.push_back(number);
}

void DetailFetch::PlanExtras() {
  if (extras_.empty()) return;
  std::vector<std::int64_t> numbers;
  for (const auto& [number, season] : seasons_) {
    if (season_ids_.contains(number)) numbers.push_back(number);
  }
  if (extras_.nested) Plan(Kind::kNested, PlanSeasonNamespaces(id_.id, numbers, extras_));
  Plan(Kind::kLanguage, PlanSeasonLanguages(id_.id, numbers, extras_));
}

// Of the seasons for which nested names brought nothing, or were not tried.
void DetailFetch::PlanSeasonBySeason() {
  if (extras_.namespaces.empty()) return;
  const auto has_any = [this](const Season& season) {
    return std::ranges::any_of(extras_.namespaces,
                               [&](const std::string& name) { return season.extras.contains(name); });
  };
  std::vector<std::int64_t> numbers;
  for (const auto& [number, season] : seasons_) {
    if (season_ids_.contains(number) && !has_any(season)) numbers.push_back(number);
  }
  SeasonExtras own = extras_;
  own.nested = false;
  Plan(Kind::kSeason, PlanSeasonNamespaces(id_.id, numbers, own));
}

bool DetailFetch::AllClosed() const {
  return std::ranges::all_of(calls_, [](const OpenCall& open) { return open.state == CallState::kClosed; });
}

bool DetailFetch::done() const {
  return AllClosed();
}

std::vector<std::int64_t> DetailFetch::absent_seasons() const {
  std::vector<std::int64_t> absent;
  for (const std::int64_t number : season_list_.numbers) {
    if (!seasons_.contains(number)) absent.push_back(number);
  }
  return absent;
}

void DetailFetch::Join(Document& document) const {
  if (apart_.empty()) return;
  std::string members;
  for (const auto& [name, member] : apart_) members += "," + member;
  document.data.insert(document.data.rfind('}'), members);  // behind its id at least
  document.etag.reset();                                    // it is of less than this
  document.hash = HashContent(document.data).value_or(document.hash);
}

std::vector<Document> DetailFetch::TakeDocuments() {
  assert(done());
  std::vector<Document> documents;
  if (!document_.has_value()) return documents;
  documents.push_back(*std::exchange(document_, std::nullopt));
  Join(documents.back());
  if (!lacking_.empty()) documents.back().etag.reset();  // it is of more than this
  documents.back().lacking = lacking_;
  std::ranges::sort(documents.back().lacking);
  std::set<std::int64_t> taken;  // two numbers with one id would be two records at one place
  for (auto& [number, listed_id] : season_ids_) {
    const auto found = seasons_.find(number);
    if (found == seasons_.end()) continue;
    Season& season = found->second;
    if (!season.extras.empty()) PutExtras(season.extras, season.data, season.hash);
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

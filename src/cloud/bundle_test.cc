// SPDX-License-Identifier: MIT
#include "cloud/bundle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "storage/record_line.h"
#include "storage/store_intake.h"
#include "storage/store_world_test.h"
#include "tmdb/detail_fetch.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Movie;
using testing::Season;
using testing::Show;

constexpr std::string_view kBatch = "000000123-0007";
const Time kNow{std::chrono::sys_days{std::chrono::November / 22 / 2026}};

IdBatch BatchOf(std::vector<IdBatch::Item> items) {
  return {.name = std::string(kBatch), .lane = 0, .rate = 40, .items = std::move(items)};
}

// What was handed in with one id, or what came out.
struct HandedIn {
  MediaId id{};
  std::vector<Document> documents;  // none: a 404
  SeasonList seasons;
  Time at{};
};

// Everything of it, as text, so that two can be compared and told apart.
std::string Told(const HandedIn& one) {
  std::string text = fmt::format("{} at {}", ToString(one.id), FormatTime(one.at));
  if (one.documents.empty()) return text + " gone\n";
  fmt::format_to(std::back_inserter(text), " given {} numbers {} ids {} readable {}\n", one.seasons.given,
                 fmt::join(one.seasons.numbers, ","), fmt::join(one.seasons.ids, ","), one.seasons.readable);
  for (const Document& document : one.documents) {
    fmt::format_to(std::back_inserter(text), "  {} of {} number {} at {} etag {} hash {:x} {:x}: {}\n",
                   ToString(document.id), document.tv_id, document.season_number, FormatTime(document.fetched_at),
                   document.etag ? "'" + *document.etag + "'" : "none", document.hash.content, document.hash.stats,
                   document.data);
    if (!document.lacking.empty())
      fmt::format_to(std::back_inserter(text), "    lacking {}\n", fmt::join(document.lacking, ","));
    for (const EpisodeRef& episode : document.episodes) {
      fmt::format_to(std::back_inserter(text), "    episode {} is {}\n", episode.number, episode.id);
    }
  }
  return text;
}

// The answers of one show, as TMDB gives them, through the code that fetches it.
HandedIn FetchShow(std::int64_t tv_id, std::string_view listed, const std::vector<std::string>& seasons, Time at) {
  DetailFetch fetch({MediaType::kTv, tv_id}, {}, {});
  int answers = 0;
  while (!fetch.done()) {
    for (const auto& numbered : fetch.TakeCalls()) {
      std::string body = fmt::format(R"({{"id":{},"name":"Sh\u00f6w","popularity":1.5{})", tv_id, listed);
      for (const std::string& append : numbered.call.appends) {
        for (const std::string& season : seasons) {
          if (season.find(fmt::format(R"("season_number":{}}})", append.substr(7))) == std::string::npos) continue;
          body += fmt::format(R"(,"{}":{})", append, season);
        }
      }
      const auto taken = fetch.Accept(numbered.index, body + "}", "W/\"\xe9\\\"", at + microseconds(1234 * ++answers));
      EXPECT_TRUE(taken) << taken.error().message;
    }
  }
  return {{MediaType::kTv, tv_id}, fetch.TakeDocuments(), fetch.season_list(), at + seconds(1)};
}

std::string SeasonText(std::int64_t id, std::int64_t number) {
  return fmt::format(R"({{"id":{0},"poster_path":null, "episodes":[{{"id":{0}01,"episode_number":1,"vote_count":3}},)"
                     R"({{"id":{0}02}},{{"name":"no id"}}],"season_number":{1}}})",
                     id, number);
}

// A day of answers: movies, people, shows with and without lists of seasons, 404s, a list, odd bodies.
std::vector<HandedIn> Answers(Time at, int round) {
  std::vector<HandedIn> all;
  for (std::int64_t id = 1; id <= 40; ++id) {
    if ((id + round) % 9 == 0) {
      all.push_back({{MediaType::kMovie, id}, {}, {}, at + milliseconds(id)});
      continue;
    }
    const std::string_view title = id % 5 == round ? "other" : "the same";
    Document movie = Movie(id, title, double(id + (id % 3) * round), at + microseconds(id * 777));
    if (id % 4 == 0) movie.etag = "W/\"1f\xe9\"";
    if (id % 10 == 7) movie.lacking = {"reviews", "watch/providers"};
    all.push_back({movie.id, {movie}, {}, at + milliseconds(id)});
  }
  const std::string odd = R"({"id":62,"name":"\ud800 half","big":123456789012345678901234567890,"x": [ 1.0,1e400 ] })";
  all.push_back({{MediaType::kPerson, 62}, {testing::MakeDocument({MediaType::kPerson, 62}, odd, at)}, {}, at});
  all.push_back({{MediaType::kConfiguration, 1},
                 {testing::MakeDocument({MediaType::kConfiguration, 1}, R"([{"iso_639_1":"de"}])", at)},
                 {},
                 at});
  const std::string list =
      round == 0 ? R"(,"seasons":[{"id":91,"season_number":0},{"id":92,"season_number":1},{"id":93,"season_number":2}])"
                 : R"(,"seasons":[{"id":92,"season_number":1},{"id":94,"season_number":null}])";
  std::vector<std::string> seasons = {SeasonText(92, 1)};
  if (round == 0) seasons = {SeasonText(91, 0), SeasonText(92, 1), SeasonText(93, 2)};
  all.push_back(FetchShow(1399, list, seasons, at));
  all.push_back(FetchShow(1400, "", {SeasonText(95, 0)}, at));
  all.push_back(FetchShow(1401, R"(,"seasons":[{}])", {}, at));
  return all;
}

void HandIn(Intake& intake, const HandedIn& one) {
  const auto taken = one.documents.empty() ? intake.Gone(one.id, one.at)
                                           : intake.Fetched(one.id, one.documents, one.seasons, one.at);
  ASSERT_TRUE(taken) << ToString(one.id) << ": " << taken.error().message;
}

std::string BundleOf(const std::vector<HandedIn>& all) {
  IdBatch batch = BatchOf({});
  for (const HandedIn& one : all) batch.items.push_back({one.id});
  BundleWriter writer(batch);
  for (const HandedIn& one : all) HandIn(writer, one);
  return writer.Finish({});
}

// What ReadBundle() gives, as it was handed in.
std::vector<HandedIn> Entries(std::string_view bundle) {
  std::vector<HandedIn> all;
  const auto read = ReadBundle(bundle, kBatch, [&](BundleEntry entry) -> Result<void> {
    EXPECT_EQ(entry.kind, entry.documents.empty() ? BundleEntry::Kind::kGone : BundleEntry::Kind::kFetched);
    all.push_back({entry.id, std::move(entry.documents), std::move(entry.seasons), entry.at});
    return {};
  });
  EXPECT_TRUE(read) << read.error().message;
  return all;
}

std::string DumpCatalog(Database& catalog) {
  std::string dump;
  auto tables = catalog.Prepare("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name").value();
  while (tables.Step().value()) {
    const std::string table(tables.Text(0));
    dump += table + "\n";
    auto columns = catalog.Prepare(fmt::format("SELECT count(*) FROM pragma_table_info('{}')", table)).value();
    if (!columns.Step().value()) continue;
    const int count = int(columns.Int(0));
    auto rows = catalog.Prepare(fmt::format("SELECT * FROM \"{}\" ORDER BY 1, 2", table)).value();
    if (count == 1) rows = catalog.Prepare(fmt::format("SELECT * FROM \"{}\" ORDER BY 1", table)).value();
    while (rows.Step().value()) {
      for (int i = 0; i < count; ++i) dump += fmt::format("{}|", rows.Text(i));
      dump += "\n";
    }
  }
  return dump;
}

std::map<std::string, std::string> FilesOf(FileSystem& files) {
  std::map<std::string, std::string> found;
  for (const MediaType type : kRecordTypes) {
    const std::string folder = fmt::format("records/{}/000/000", Name(type));
    const auto paths = files.List(folder);
    if (!paths) continue;
    for (const std::string& name : *paths) {
      const std::string path = name.starts_with("records/") ? name : folder + "/" + name;
      found[path] = files.Read(path, 0, files.Size(path).value()).value();
    }
  }
  return found;
}

// --- one path for both worlds ---

TEST(Bundle, GivesBackWhatWasHandedIn) {
  const std::vector<HandedIn> in = Answers(kNow, 0);
  const std::vector<HandedIn> out = Entries(BundleOf(in));
  ASSERT_EQ(out.size(), in.size());
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(Told(out[i]), Told(in[i]));
  EXPECT_EQ(in[42].documents.size(), 4u) << "a show and three seasons";
}

TEST(Bundle, LeadsToTheSameStoreAsOnALaptop) {
  testing::StoreWorld laptop, owner;
  for (int round = 0; round < 2; ++round) {
    StoreIntake direct(laptop.clock, *laptop.store->writer, laptop.store->ledger, {});
    StoreIntake later(owner.clock, *owner.store->writer, owner.store->ledger, {});
    const std::vector<HandedIn> answers = Answers(laptop.clock.Now() - seconds(100), round);
    IntakeReport laptop_report, owner_report;
    for (const HandedIn& one : answers) HandIn(direct, one);
    for (const HandedIn& one : Entries(BundleOf(answers))) HandIn(later, one);
    ASSERT_TRUE(direct.Commit([&](const IntakeReport& report) -> Result<void> {
      laptop_report = report;
      return {};
    }));
    ASSERT_TRUE(later.Commit([&](const IntakeReport& report) -> Result<void> {
      owner_report = report;
      return {};
    }));
    EXPECT_EQ(owner_report.changes, laptop_report.changes);
    EXPECT_EQ(owner_report.gone, laptop_report.gone);
    if (round == 1) {
      EXPECT_GT((laptop_report.changes[{MediaType::kSeason, Change::kDelete}]), 0) << "a season that is listed no more";
      EXPECT_GT((laptop_report.changes[{MediaType::kMovie, Change::kStats}]), 0);
    }
    laptop.Seal();
    owner.Seal();
    laptop.clock.Advance(hours(24));
    owner.clock.Advance(hours(24));
  }
  EXPECT_GE(FilesOf(laptop.files).size(), 5u);
  EXPECT_EQ(FilesOf(owner.files), FilesOf(laptop.files));
  EXPECT_EQ(DumpCatalog(owner.catalog), DumpCatalog(laptop.catalog));
}

// --- what became of each id ---

struct Outcome {
  BundleEntry::Kind kind;
  std::size_t documents;
  std::string reason;
  bool operator==(const Outcome&) const = default;
};

std::map<MediaId, Outcome> Outcomes(std::string_view bundle) {
  std::map<MediaId, Outcome> seen;
  const auto read = ReadBundle(bundle, kBatch, [&](BundleEntry entry) -> Result<void> {
    EXPECT_TRUE(seen.try_emplace(entry.id, entry.kind, entry.documents.size(), entry.reason).second);
    return {};
  });
  EXPECT_TRUE(read) << read.error().message;
  return seen;
}

TEST(Bundle, SaysOfEachIdOfTheBatchWhatBecameOfIt) {
  const MediaId fetched{MediaType::kMovie, 1}, gone{MediaType::kMovie, 2}, failed{MediaType::kPerson, 3};
  const MediaId left{MediaType::kPerson, 4}, partly{MediaType::kTv, 5};
  const IdBatch batch = BatchOf({{fetched}, {gone}, {failed}, {left}, {partly, {1}}});
  BundleWriter writer(batch);
  EXPECT_EQ(writer.SeasonNumbers(5).value(), std::vector<std::int64_t>{1});
  EXPECT_TRUE(writer.SeasonNumbers(6).value().empty());
  ASSERT_TRUE(writer.Fetched(partly, {Show(5, "A show", kNow)}, {}, kNow));
  ASSERT_TRUE(writer.Fetched(fetched, {Movie(1, "x", 1, kNow)}, {}, kNow));
  ASSERT_TRUE(writer.Gone(gone, kNow));
  writer.Failed(failed, "get person:3: HTTP 503 after 5 tries \"\n\"");
  writer.Failed(partly, "get tv:5: season 1 cannot be had");
  using Kind = BundleEntry::Kind;
  const std::map<MediaId, Outcome> wanted = {
      {fetched, {Kind::kFetched, 1, ""}},
      {gone, {Kind::kGone, 0, ""}},
      {failed, {Kind::kFailed, 0, "get person:3: HTTP 503 after 5 tries \"\n\""}},
      {left, {Kind::kLeft, 0, ""}},
      {partly, {Kind::kFetched, 1, "get tv:5: season 1 cannot be had"}},
  };
  EXPECT_EQ(Outcomes(writer.Finish({})), wanted);
}

TEST(Bundle, EndsWithWhatTheBatchCameTo) {
  const IdBatch batch = BatchOf({});
  const BundleSummary summary{.batch = std::string(kBatch),
                              .requests = 2003,
                              .throttled = 1,
                              .retries = 3,
                              .seconds = 51.25,
                              .denied = true,
                              .answered = true,
                              .upstream_date = std::chrono::sys_days{std::chrono::November / 21 / 2026},
                              .program = std::string(kVersion)};
  const auto none = [](const BundleEntry&) -> Result<void> { return {}; };
  EXPECT_EQ(ReadBundle(BundleWriter(batch).Finish(summary), kBatch, none).value(), summary);
  BundleSummary plain;
  plain.batch = kBatch;
  plain.program = kVersion;
  EXPECT_EQ(ReadBundle(BundleWriter(batch).Finish({}), kBatch, none).value(), plain);
}

TEST(Bundle, CountsTheFirstAnswerForAnId) {
  const IdBatch batch = BatchOf({{{MediaType::kMovie, 1}}});
  BundleWriter writer(batch);
  ASSERT_TRUE(writer.Fetched({MediaType::kMovie, 1}, {Movie(1, "first", 1, kNow)}, {}, kNow));
  ASSERT_TRUE(writer.Fetched({MediaType::kMovie, 1}, {Movie(1, "second", 1, kNow)}, {}, kNow));
  ASSERT_TRUE(writer.Gone({MediaType::kMovie, 1}, kNow));
  const auto entries = Entries(writer.Finish({}));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_NE(entries[0].documents.at(0).data.find("first"), std::string::npos);
}

TEST(Bundle, SettlesWithoutAStoreAndTellsOf404s) {
  const IdBatch batch = BatchOf({{{MediaType::kMovie, 1}}});
  BundleWriter writer(batch);
  ASSERT_TRUE(writer.Gone({MediaType::kMovie, 1}, kNow));
  int settled = 0;
  const auto fails = [](const IntakeReport&) -> Result<void> { return Fail(ErrorCode::kIo, "acknowledge"); };
  EXPECT_FALSE(writer.Commit(fails));
  const auto settle = [&](const IntakeReport& report) -> Result<void> {
    ++settled;
    EXPECT_EQ(report.gone.at(MediaType::kMovie), 1);
    return {};
  };
  EXPECT_TRUE(writer.Commit(settle));
  EXPECT_EQ(settled, 1);
}

// --- bounds of the writer ---

// `bytes` that no compression makes smaller, as a body.
Document Noise(std::int64_t id, std::size_t bytes) {
  std::mt19937_64 random{std::uint64_t(id)};
  std::string noise(bytes, ' ');
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t bits = random();
    for (std::size_t j = i; j < std::min(i + 8, bytes); ++j, bits >>= 8) noise[j] = char('#' + bits % 56);
  }
  return testing::MakeDocument({MediaType::kMovie, id}, fmt::format(R"({{"id":{},"n":"{}"}})", id, noise), kNow);
}

TEST(Bundle, TakesNoMoreInOnceItIsFull) {
  IdBatch batch = BatchOf({});
  for (std::int64_t id = 1; id <= 30; ++id) batch.items.push_back({{MediaType::kMovie, id}});
  BundleWriter writer(batch);
  std::int64_t id = 0;
  while (!writer.full()) {
    ++id;
    ASSERT_LE(id, 30);
    ASSERT_TRUE(writer.Fetched({MediaType::kMovie, id}, {Noise(id, 3 << 20)}, {}, kNow));
  }
  for (std::int64_t more = id + 1; more <= 30; ++more) {
    ASSERT_TRUE(writer.Fetched({MediaType::kMovie, more}, {Noise(more, 1 << 20)}, {}, kNow));
  }
  const std::string bundle = writer.Finish({});
  EXPECT_GE(bundle.size(), kFullBundle);
  EXPECT_LT(bundle.size(), kFullBundle + (4 << 20));
  std::map<BundleEntry::Kind, std::int64_t> kinds;
  for (const auto& [each, outcome] : Outcomes(bundle)) ++kinds[outcome.kind];
  EXPECT_EQ(kinds[BundleEntry::Kind::kFetched], id);
  EXPECT_EQ(kinds[BundleEntry::Kind::kLeft], 30 - id);
}

TEST(Bundle, IsFullOfContentThatCompressesWell) {
  IdBatch batch = BatchOf({});
  for (std::int64_t id = 1; id <= 12; ++id) batch.items.push_back({{MediaType::kMovie, id}});
  BundleWriter writer(batch);
  const std::string spaces(20 << 20, ' ');
  std::int64_t id = 0;
  while (!writer.full()) {
    ++id;
    ASSERT_LE(id, 12);
    ASSERT_TRUE(writer.Fetched({MediaType::kMovie, id},
                               {testing::MakeDocument({MediaType::kMovie, id}, "{" + spaces + "}", kNow)}, {}, kNow));
  }
  EXPECT_EQ(Outcomes(writer.Finish({})).size(), 12u) << "what was written can be read";
}

TEST(Bundle, TakesNoDocumentThatWouldSpoilIt) {
  const MediaId movie{MediaType::kMovie, 1}, show{MediaType::kTv, 5};
  const IdBatch batch = BatchOf({{movie}, {show}});
  BundleWriter writer(batch);
  const auto refused = [&](MediaId id, std::vector<Document> documents, const SeasonList& seasons = {}) {
    const auto taken = writer.Fetched(id, std::move(documents), seasons, kNow);
    EXPECT_FALSE(taken);
    if (taken) return std::string();
    EXPECT_EQ(taken.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(taken.error().message.starts_with("bundle " + ToString(id))) << taken.error().message;
    return taken.error().message;
  };
  Document broken = Movie(1, "x", 1, kNow);
  broken.data.pop_back();
  Document other = Movie(1, "x", 1, kNow);
  other.hash.content ^= 1;
  Document empty = Movie(1, "x", 1, kNow);
  empty.data.clear();
  refused(movie, {broken});
  refused(movie, {other});
  refused(movie, {empty});
  refused(movie, {});
  refused(movie, {Movie(2, "x", 1, kNow)});
  refused(movie, {Movie(1, "x", 1, kNow), Movie(1, "x", 1, kNow)});
  refused(show, {Show(5, "x", kNow), Season(51, 6, 1, 1, kNow)});
  refused(show, {Show(5, "x", kNow)}, {.given = true, .numbers = {2, 1}, .ids = {}});
  refused(movie, {testing::MakeDocument(movie, "{" + std::string(kMaxLineBytes, ' ') + "}", kNow)});
  EXPECT_EQ(Outcomes(writer.Finish({})),
            (std::map<MediaId, Outcome>{{movie, {BundleEntry::Kind::kLeft, 0, ""}},
                                        {show, {BundleEntry::Kind::kLeft, 0, ""}}}));
}

// --- a reader that believes nothing ---

constexpr std::string_view kEnd =
    R"({"batch":"000000123-0007","requests":1,"throttled":0,"retries":0,"seconds":0.500,"denied":false,)"
    R"("answered":true,"upstream_date":null,"program":"1.4.0"})"
    "\n";
constexpr std::string_view kMovieLine =
    R"({"type":"movie","id":1,"fetched_at":"2026-11-22T00:00:00.000Z","whole_at":"2026-11-22T00:00:01.000Z",)"
    R"("status":200,"etag":null,"data":{"id":1}})"
    "\n";
constexpr std::string_view kShowLine =
    R"({"type":"tv","id":5,"fetched_at":"2026-11-22T00:00:00.000Z","whole_at":"2026-11-22T00:00:01.000Z",)"
    R"("status":200,"etag":null,"seasons":{"given":true,"numbers":[1],"ids":[51],"readable":true},"data":{"id":5}})"
    "\n";
constexpr std::string_view kSeasonLine =
    R"({"type":"season","id":51,"tv_id":5,"season_number":1,"fetched_at":"2026-11-22T00:00:00.000Z",)"
    R"("status":200,"etag":null,"data":{"id":51,"episodes":[]}})"
    "\n";
constexpr std::string_view kGoneLine =
    R"({"type":"movie","id":2,"fetched_at":"2026-11-22T00:00:00.000Z","status":404,"etag":null,"data":null})"
    "\n";

std::string Lines(std::initializer_list<std::string_view> lines) {
  std::string all;
  for (const std::string_view line : lines) all += line;
  return all;
}

// Why the bundle is refused; empty when it is not. Nothing may have been visited then.
std::string Refusal(std::string_view bundle) {
  int visited = 0;
  const auto read = ReadBundle(bundle, kBatch, [&](const BundleEntry&) -> Result<void> {
    ++visited;
    return {};
  });
  if (read) return {};
  EXPECT_EQ(visited, 0) << "an entry was given before the bundle was known to be whole";
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(read.error().message.starts_with("bundle 000000123-0007: ")) << read.error().message;
  return read.error().message;
}

TEST(Bundle, RefusesWhatIsNotOfTheFormat) {
  const std::string good = Lines({kMovieLine, kShowLine, kSeasonLine, kGoneLine, kEnd});
  ASSERT_EQ(Refusal(ZstdFrame(good)), "") << "the lines that the table spoils";
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string_view>> table = {
      {Lines({kMovieLine}), "its last line is missing"},
      {Lines({kEnd, kMovieLine}), "line 2: a line behind the last one"},
      {Lines({kMovieLine, kMovieLine, kEnd}), "line 2: an id that stands twice"},
      {Lines({kSeasonLine, kEnd}), "a season that does not stand behind its show"},
      {Lines({kShowLine, kMovieLine, kSeasonLine, kEnd}), "a season that does not stand behind its show"},
      {good + "{}", "has no end"},
      {"\n" + good, "line 1"},
      {with("000000123-0007", "000000123-0008"), "it is that of batch 000000123-0008"},
      {with(R"("type":"movie")", R"("type":"film")"), "no known type"},
      {with(R"("type":"movie")", R"("type":"season")"), "line 1"},
      {with(R"("id":1,)", R"("id":0,)"), "no id"},
      {with(R"("id":1,)", R"("id":01,)"), "not in the form"},
      {with(R"("id":1,)", R"("id": 1,)"), "no id"},
      {with(R"(00.000Z","whole)", R"(00Z","whole)"), "not in the form"},
      {with(R"("status":200)", R"("status":201)"), "a status that is not an answer"},
      {with(R"("status":404)", R"("status":500)"), "a status that is not an answer"},
      {with(R"("etag":null,"data":null)", R"("etag":"x","data":null)"), "a 404 that brings something"},
      {with(R"("data":null)", R"("data":{})"), "a 404 that brings something"},
      {with(R"({"id":1}})", R"({"id":1})"), "line 1"},
      {with(R"({"id":1}})", R"(}})"), "line 1"},
      {with(R"({"id":1}})", R"({"id":1},"more":2})"), "line 1"},
      {with(R"(,"seasons":{"given":true,"numbers":[1],"ids":[51],"readable":true})", ""), "members that its type"},
      {with(R"("numbers":[1])", R"("numbers":[1,1])"), "its list of seasons is not in order"},
      {with(R"("numbers":[1])", R"("numbers":[1,])"), "not in the form"},
      {with(R"("tv_id":5)", R"("tv_id":6)"), "a season that does not stand behind its show"},
      {with(R"("requests":1)", R"("requests":-1)"), "not in the form"},
      {with(R"("denied":false,)", ""), "not in the form"},
      {with(R"("upstream_date":null)", R"("upstream_date":"2026-13-01")"), "line 5"},
      {Lines({R"({"type":"movie","id":9,"left":false})", "\n", kEnd}), "not in the form"},
      {Lines({R"({"type":"movie","id":9,"failed":""})", "\n", kEnd}), "not in the form"},
      {Lines({R"({"type":"movie","id":9,"failed":7})", "\n", kEnd}), "not in the form"},
      {Lines({R"({"type":"episode","id":9,"left":true})", "\n", kEnd}), "nobody can ask for its type"},
  };
  for (const auto& [text, wanted] : table) {
    const std::string refusal = Refusal(ZstdFrame(text));
    EXPECT_NE(refusal.find(wanted), std::string::npos) << text << "\n" << refusal;
  }
}

TEST(Bundle, RefusesDamagedFrames) {
  const std::string bundle = ZstdFrame(kMovieLine) + ZstdFrame(kGoneLine) + ZstdFrame(kEnd);
  ASSERT_EQ(Refusal(bundle), "");
  EXPECT_NE(Refusal(""), "");
  for (std::size_t cut = 0; cut < bundle.size(); ++cut) EXPECT_NE(Refusal(bundle.substr(0, cut)), "") << cut;
  for (std::size_t at = 0; at < bundle.size(); ++at) {
    std::string flipped = bundle;
    flipped[at] = char(flipped[at] ^ 4);
    EXPECT_NE(Refusal(flipped), "") << at;
  }
  EXPECT_NE(Refusal(bundle + "x"), "");
  EXPECT_NE(Refusal(ZstdFrame("") + bundle), "") << "an empty frame";
}

TEST(Bundle, RefusesABombBeforeItTakesTheMemory) {
  // One frame that states more than a line may have.
  EXPECT_NE(Refusal(ZstdFrame(std::string(80 << 20, ' '))).find("are allowed"), std::string::npos);
  // Many frames, each of an allowed size: 5 KB make 50 MB.
  const std::string line = fmt::format(
      R"({{"type":"movie","id":1,"fetched_at":"2026-11-22T00:00:00.000Z","whole_at":"2026-11-22T00:00:01.000Z",)"
      R"("status":200,"etag":null,"data":[{}]}})"
      "\n",
      std::string(50 << 20, ' '));
  std::string many;
  for (int i = 1; i <= 7; ++i) {
    std::string own = line;
    own.replace(own.find(R"("id":1)"), 6, fmt::format(R"("id":{})", i));
    many += ZstdFrame(own);
  }
  EXPECT_NE(Refusal(many + ZstdFrame(kEnd)).find("it holds more than"), std::string::npos);
  // The seasons of one show.
  std::string show = ZstdFrame(kShowLine);
  std::string season(kSeasonLine);
  season.insert(season.find("[]") + 1, std::string(45 << 20, ' '));
  for (int i = 0; i < 3; ++i) show += ZstdFrame(season);
  EXPECT_NE(Refusal(show + ZstdFrame(kEnd)).find("an id of too many bytes"), std::string::npos);
}

TEST(Bundle, EndsWithTheVisitorsError) {
  const std::string bundle = ZstdFrame(Lines({kMovieLine, kGoneLine, kEnd}));
  int visited = 0;
  const auto read = ReadBundle(bundle, kBatch, [&](const BundleEntry&) -> Result<void> {
    ++visited;
    return Fail(ErrorCode::kNoSpace, "the disk is full");
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(read.error().message, "the disk is full");
  EXPECT_EQ(visited, 1);
}

TEST(Bundle, HasAKeyThatNamesItsBatch) {
  EXPECT_EQ(BundleKey(kBatch), "inbox/bundle/000000123-0007.jsonl.zst");
  EXPECT_EQ(BatchOfKey("inbox/bundle/000000123-0007.jsonl.zst"), kBatch);
  for (const std::string_view key : {"inbox/bundle/", "inbox/bundle/.jsonl.zst", "inbox/bundle/x.jsonl.zst",
                                     "inbox/request/000000123-0007.jsonl.zst", "inbox/bundle/000000123-0007"}) {
    EXPECT_EQ(BatchOfKey(key), std::nullopt) << key;
  }
}

}  // namespace
}  // namespace tmdbc

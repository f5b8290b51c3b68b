// SPDX-License-Identifier: MIT
#include "harvester/harvester.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "harvester/export_download.h"
#include "harvester/export_ids.h"
#include "harvester/export_reader.h"
#include "tmdb/detail_fetch.h"
#include "tmdb/document.h"
#include "tmdb/export_line.h"

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

// Ids sent to the queue in one transaction: large enough that its fsync costs nothing, small enough that a
// stop request is seen within half a second.
constexpr std::size_t kSlice = 200'000;
constexpr double kRequestsPerShow = 1.04;
constexpr std::string_view kConfigurationName = "configuration";
// The few configuration lists (genres, languages...) are fetched before everything else.
constexpr float kConfigurationPopularity = 1e6F;

Result<void> CheckHasExport(MediaType type) {
  if (type == MediaType::kSeason || type == MediaType::kEpisode) {
    return Fail(ErrorCode::kInvalid, "there is no export of type {0}: {0}s come with their show, use type tv",
                Name(type));
  }
  return {};
}

}  // namespace

std::int64_t HarvestReport::queued() const {
  std::int64_t sum = 0;
  for (const ExportReport& report : exports) sum += report.queued;
  return sum;
}

int HarvestReport::exit_code() const {
  int asked = 0, unreachable = 0, refused = 0;
  for (const ExportReport& report : exports) {
    if (report.name == kConfigurationName) continue;
    ++asked;
    unreachable += report.verdict == ExportVerdict::kUnreachable;
    refused += report.verdict == ExportVerdict::kRefused;
  }
  if (unreachable > 0 && unreachable == asked) return 3;
  return refused > 0 || unreachable > 0 || stopped ? 1 : 0;
}

std::int64_t EstimateRequests(const HarvestReport& report) {
  double sum = 0;
  for (const ExportReport& entry : report.exports) {
    if (entry.type == MediaType::kKeyword) continue;
    sum += double(entry.queued) * (entry.type == MediaType::kTv ? kRequestsPerShow : 1);
  }
  return std::int64_t(std::ceil(sum - 1e-6));
}

// One harvest: the files that were asked for, in groups of a type, because the normal and the adult file of a
// type are one popularity list. A group is taken in as soon as all of its files are here, while others are
// still on their way.
class Harvester::Run {
 public:
  Run(Harvester& harvester, const HarvestOptions& options, const StopFlag& stop)
      : h_(harvester),
        options_(options),
        stop_(stop),
        downloader_(h_.clock_, h_.transport_, h_.files_, h_.log_, h_.export_base_url_, h_.user_agent_) {}

  Result<HarvestReport> Execute() {
    auto done = Work();
    RemoveParts();
    if (!done) return std::unexpected(std::move(done).error());
    return Report();
  }

 private:
  enum class Stage : std::uint8_t { kComing, kHere, kJudged, kEnded };
  struct Wanted {
    const ExportFile* file = nullptr;
    std::optional<AcceptedExport> last;  // in force, its file is on the disk
    Stage stage = Stage::kComing;
    std::optional<ExportDownloader::JobId> job;
    std::string path;  // when it is here
    ExportContent content;
    ExportReport report;
  };
  struct Group {
    MediaType type;
    std::vector<Wanted> files;
    bool taken_in = false;
  };

  Result<void> Work();
  Result<void> Plan();
  void Ask(Wanted& wanted);
  void UseKept(Wanted& wanted, std::string why);
  void Fetch(Wanted& wanted, std::vector<chrono::sys_days> days);
  void Arrived(ExportDownloader::JobId job);
  void SayWhichDay(Wanted& wanted);
  void NotPublished(Wanted& wanted, const FetchResult& result);
  void End(Wanted& wanted, ExportVerdict verdict, std::string reason);

  Result<void> TakeInReady();
  Result<bool> Read(Wanted& wanted);
  void SendBack(Wanted& wanted, const std::string& reason);
  Result<void> TakeIn(Group& group);
  Result<void> TakeInFile(Wanted& wanted, std::int64_t& left);
  Result<void> Queue(Wanted& wanted, std::span<const RankedId> unknown);
  Result<void> StoreKeywords(Wanted& wanted, std::span<const RankedId> beyond_limit);
  Result<void> PutKeyword(Wanted& wanted, std::string_view line, MediaId id);
  Result<void> SetPopularity(Group& group);
  Result<void> AddKept(const Wanted& wanted, std::vector<PackedId>& all);
  Result<void> Keep(Wanted& wanted);
  Result<void> QueueConfiguration();

  VisitKnown KnownOf(MediaType type) {
    return [this, type](const auto& visit) { return h_.store_.VisitKnownIds(type, visit); };
  }
  bool stopping() const { return stop_.requested(); }
  void RemoveParts();
  HarvestReport Report();

  Harvester& h_;
  const HarvestOptions& options_;
  const StopFlag& stop_;
  ExportDownloader downloader_;
  std::vector<Group> groups_;
  std::optional<ExportReport> configuration_;
};

Result<void> Harvester::Run::Work() {
  TRY(CreateAcceptedExports(h_.catalog_));
  RemoveParts();  // of a run that was killed
  TRY(Plan());
  while (!stopping()) {
    TRY(TakeInReady());
    TRY_ASSIGN(const auto job, downloader_.Next(stop_));
    if (!job) break;
    Arrived(*job);
  }
  return stopping() ? Result<void>{} : TakeInReady();
}

Result<void> Harvester::Run::Plan() {
  TRY_ASSIGN(const auto accepted, AcceptedExports(h_.catalog_));
  for (const MediaType type : options_.types) {
    TRY(CheckHasExport(type));
    if (type == MediaType::kConfiguration) {
      if (!configuration_) TRY(QueueConfiguration());
      continue;
    }
    if (std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) { return group.type == type; }))
      continue;
    Group& group = groups_.emplace_back(Group{.type = type, .files = {}, .taken_in = false});
    for (const ExportFile& file : kExportFiles) {
      if (file.type != type || (file.adult && !options_.include_adult)) continue;
      Wanted& wanted = group.files.emplace_back();
      wanted.file = &file;
      wanted.report.name = file.name;
      wanted.report.type = type;
      // The newest of a name comes first.
      const auto last =
          std::find_if(accepted.begin(), accepted.end(), [&](const auto& a) { return a.name == file.name; });
      if (last != accepted.end()) wanted.last = *last;
    }
  }
  for (Group& group : groups_) {
    for (Wanted& wanted : group.files) Ask(wanted);
  }
  return {};
}

// Asks for the newest file there may be. One that was accepted earlier lies on the disk and needs no request.
void Harvester::Run::Ask(Wanted& wanted) {
  const auto date = wanted.last ? std::optional(wanted.last->date) : std::nullopt;
  auto days = CandidateDays(h_.clock_.Now(), date);
  if (wanted.last && !days.empty() && days.back() == wanted.last->date) days.pop_back();
  if (days.empty()) return UseKept(wanted, {});
  Fetch(wanted, std::move(days));
}

void Harvester::Run::UseKept(Wanted& wanted, std::string why) {
  const std::string path = KeptExportPath(wanted.file->name, wanted.last->date);
  const auto there = h_.files_.Exists(path);
  if (!there || !*there) {
    h_.log_.Warn("accepted export is not on the disk any more, fetching it again", {{"file", path}});
    return Fetch(wanted, {wanted.last->date});
  }
  wanted.path = path;
  wanted.stage = Stage::kHere;
  wanted.report.date = wanted.last->date;
  wanted.report.unchanged = true;
  wanted.report.reason = std::move(why);
}

void Harvester::Run::Fetch(Wanted& wanted, std::vector<chrono::sys_days> days) {
  wanted.report.unchanged = false;
  wanted.stage = Stage::kComing;
  wanted.job = downloader_.Add(*wanted.file, std::move(days));
}

void Harvester::Run::Arrived(ExportDownloader::JobId job) {
  for (Group& group : groups_) {
    for (Wanted& wanted : group.files) {
      if (wanted.job != job) continue;
      const FetchResult& result = downloader_.result(job);
      wanted.report.date = result.day;
      switch (result.end) {
        case FetchEnd::kFetched:
          wanted.stage = Stage::kHere;
          wanted.path = result.path;
          SayWhichDay(wanted);
          break;
        case FetchEnd::kNotPublished:
          NotPublished(wanted, result);
          break;
        case FetchEnd::kDamaged:
          End(wanted, ExportVerdict::kRefused, result.reason);
          break;
        case FetchEnd::kUnreachable:
          End(wanted, ExportVerdict::kUnreachable, result.reason);
          break;
      }
    }
  }
}

// A file that is not today's is used, but not without a word.
void Harvester::Run::SayWhichDay(Wanted& wanted) {
  const auto today = chrono::floor<chrono::days>(h_.clock_.Now());
  if (wanted.report.date == today) return;
  wanted.report.reason = fmt::format("that of {} is not published yet", FormatDate(today));
  h_.log_.Info("using an older export", {{"name", wanted.report.name},
                                         {"date", FormatDate(wanted.report.date)},
                                         {"reason", wanted.report.reason}});
}

void Harvester::Run::NotPublished(Wanted& wanted, const FetchResult& result) {
  const auto today = chrono::floor<chrono::days>(h_.clock_.Now());
  const bool kept_was_tried = wanted.last && result.day == wanted.last->date;
  if (kept_was_tried) {
    return End(
        wanted, ExportVerdict::kWithheld,
        fmt::format("the kept file is damaged, and {} is not published any more", FormatDate(result.day)));
  }
  if (wanted.last && wanted.last->date >= today - chrono::days(kDaysBack)) {
    return UseKept(wanted, fmt::format("nothing newer than {} is published", FormatDate(wanted.last->date)));
  }
  const std::string span = fmt::format("from {} back to {}", FormatDate(today), FormatDate(result.day));
  if (result.forbidden)
    return End(wanted, ExportVerdict::kWithheld, fmt::format("nothing is published {}", span));
  End(wanted, ExportVerdict::kUnreachable,
      fmt::format("{} for every day {}: is TMDB_EXPORT_BASE_URL right?", result.reason, span));
}

void Harvester::Run::End(Wanted& wanted, ExportVerdict verdict, std::string reason) {
  wanted.stage = Stage::kEnded;
  wanted.report.verdict = verdict;
  wanted.report.reason = std::move(reason);
  if (verdict == ExportVerdict::kAccepted || verdict == ExportVerdict::kStopped) return;
  const char* what = verdict == ExportVerdict::kWithheld  ? "export withheld"
                     : verdict == ExportVerdict::kRefused ? "export refused"
                                                          : "export host unreachable";
  h_.log_.Write(verdict == ExportVerdict::kWithheld ? LogLevel::kWarn : LogLevel::kError, what,
                {{"name", wanted.report.name},
                 {"date", FormatDate(wanted.report.date)},
                 {"reason", wanted.report.reason}});
}

// Takes in every group whose files are all here or have ended.
Result<void> Harvester::Run::TakeInReady() {
  for (Group& group : groups_) {
    if (group.taken_in) continue;
    bool ready = true;
    for (Wanted& wanted : group.files) {
      if (wanted.stage == Stage::kComing) ready = false;
      if (wanted.stage != Stage::kHere) continue;
      TRY_ASSIGN(const bool readable, Read(wanted));
      if (stopping()) return {};
      if (!readable) ready = false;
    }
    if (!ready) continue;
    TRY(TakeIn(group));
    if (stopping()) return {};
    group.taken_in = true;
  }
  return {};
}

// Reads the file and judges it. False when it is on its way again.
Result<bool> Harvester::Run::Read(Wanted& wanted) {
  auto read = ReadExport(h_.files_, wanted.path, options_.include_adult, stop_, h_.log_);
  if (!read && read.error().code == ErrorCode::kCorrupt) {
    SendBack(wanted, read.error().message);
    return wanted.stage == Stage::kEnded;
  }
  if (!read) return std::unexpected(std::move(read).error());
  if (read->end == ReadEnd::kStopped) return false;
  wanted.content = std::move(read->content);
  ExportReport& report = wanted.report;
  report.lines = wanted.content.lines;
  report.bad_lines = wanted.content.bad_lines;
  report.duplicates = wanted.content.duplicates;
  report.ids = std::int64_t(wanted.content.ids.size());
  report.bytes = wanted.content.bytes;
  for (const std::string& example : wanted.content.bad_examples) {
    h_.log_.Warn("bad export line left out",
                 {{"name", report.name}, {"date", FormatDate(report.date)}, {"what", example}});
  }
  const auto last =
      wanted.last ? std::optional(LastAccepted{wanted.last->date, wanted.last->lines}) : std::nullopt;
  const std::string why = WhyRefused(report.lines, report.bad_lines, last, options_.accept_export);
  if (!why.empty()) {
    wanted.content = {};
    End(wanted, ExportVerdict::kRefused, why);
    return true;
  }
  wanted.stage = Stage::kJudged;
  return true;
}

void Harvester::Run::SendBack(Wanted& wanted, const std::string& reason) {
  if (wanted.report.unchanged) {
    h_.log_.Warn("accepted export is damaged on the disk, fetching it again", {{"reason", reason}});
    return Fetch(wanted, {wanted.last->date});
  }
  if (downloader_.Again(*wanted.job, reason)) {
    wanted.stage = Stage::kComing;
  } else {
    End(wanted, ExportVerdict::kRefused, downloader_.result(*wanted.job).reason);
  }
}

Result<void> Harvester::Run::TakeIn(Group& group) {
  std::int64_t left = options_.limit.value_or(std::numeric_limits<std::int64_t>::max());
  for (Wanted& wanted : group.files) {
    if (wanted.stage == Stage::kJudged) TRY(TakeInFile(wanted, left));
    if (stopping()) return {};
  }
  if (!options_.dry_run) TRY(SetPopularity(group));
  for (Wanted& wanted : group.files) {
    if (wanted.stage != Stage::kJudged) continue;
    if (!options_.dry_run && !wanted.report.unchanged) TRY(Keep(wanted));
    End(wanted, ExportVerdict::kAccepted, std::move(wanted.report.reason));
    const ExportReport& r = wanted.report;
    h_.log_.Info("export harvested", {{"name", r.name},
                                      {"date", FormatDate(r.date)},
                                      {"unchanged", r.unchanged},
                                      {"lines", r.lines},
                                      {"bad_lines", r.bad_lines},
                                      {"ids", r.ids},
                                      {"known", r.known},
                                      {options_.dry_run ? "would_queue" : "queued", r.queued},
                                      {"stored", r.stored}});
  }
  return {};
}

// Queues (or, of keywords, stores) what is not known yet, as far as `left` goes.
Result<void> Harvester::Run::TakeInFile(Wanted& wanted, std::int64_t& left) {
  TRY_ASSIGN(const Unknown unknown, FindUnknown(wanted.content.ids, KnownOf(wanted.file->type)));
  wanted.report.known = unknown.known;
  const std::span<const RankedId> all = unknown.ids;
  const auto taken = all.first(std::size_t(std::min(left, std::int64_t(all.size()))));
  const auto beyond_limit = all.subspan(taken.size());
  left -= std::int64_t(taken.size());
  const bool keyword = wanted.file->type == MediaType::kKeyword;
  if (!options_.dry_run) return keyword ? StoreKeywords(wanted, beyond_limit) : Queue(wanted, taken);
  (keyword ? wanted.report.stored : wanted.report.queued) = std::int64_t(taken.size());
  return {};
}

Result<void> Harvester::Run::Queue(Wanted& wanted, std::span<const RankedId> unknown) {
  std::vector<QueueItem> items;
  for (std::size_t at = 0; at < unknown.size() && !stopping(); at += kSlice) {
    items.clear();
    for (std::size_t i = at; i < std::min(unknown.size(), at + kSlice); ++i) {
      const PackedId packed = ToPacked(unknown[i]);
      items.push_back(
          {.id = {wanted.file->type, std::int64_t(IdOf(packed))}, .popularity = PopularityOf(packed)});
    }
    TRY_ASSIGN(const std::int64_t added, h_.queue_.Send(items));
    wanted.report.queued += added;
  }
  return {};
}

// A keyword's line is its record. The file is read a second time, now that it is known to be whole; of a
// repeated id the first line counts.
Result<void> Harvester::Run::StoreKeywords(Wanted& wanted, std::span<const RankedId> beyond_limit) {
  const std::vector<PackedId>& ids = wanted.content.ids;
  std::vector<bool> done(ids.size());
  const auto place = [&](std::uint32_t id) {
    const auto at =
        std::lower_bound(ids.begin(), ids.end(), id, [](PackedId a, std::uint32_t b) { return IdOf(a) < b; });
    return std::size_t(at - ids.begin());
  };
  for (const RankedId ranked : beyond_limit) done[place(IdOf(ToPacked(ranked)))] = true;
  ExportLineParser parser;
  Result<void> put;
  const auto take = [&](std::int64_t, std::string_view line) {
    if (!put || stopping()) return;
    const auto entry = parser.Parse(line);
    if (!entry || done[place(entry->id)]) return;
    done[place(entry->id)] = true;
    put = PutKeyword(wanted, line, {MediaType::kKeyword, std::int64_t(entry->id)});
  };
  TRY(VisitExportLines(h_.files_, wanted.path, stop_, take));
  TRY(put);
  return h_.store_.Commit([]() -> Result<void> { return {}; });
}

Result<void> Harvester::Run::PutKeyword(Wanted& wanted, std::string_view line, MediaId id) {
  const auto hash = HashContent(line);
  if (!hash) {
    ++wanted.report.bad_lines;
    h_.log_.Warn("bad export line left out", {{"name", wanted.report.name}, {"what", hash.error().message}});
    return {};
  }
  Document document;
  document.id = id;
  document.fetched_at = h_.clock_.Now();
  document.data = line;
  document.hash = *hash;
  TRY_ASSIGN(const Change change, h_.store_.Put(std::move(document)));
  if (change != Change::kUnchanged) ++wanted.report.stored;
  if (!h_.store_.CommitDue()) return {};
  return h_.store_.Commit([]() -> Result<void> { return {}; });
}

// Popularity is that of all files of the type together; one that is refused or cannot be had counts as it was
// last accepted.
Result<void> Harvester::Run::SetPopularity(Group& group) {
  const bool fresh = std::any_of(group.files.begin(), group.files.end(), [](const Wanted& wanted) {
    return wanted.stage == Stage::kJudged && wanted.file->has_popularity && !wanted.report.unchanged;
  });
  if (!fresh) return {};
  std::vector<PackedId> all;
  for (Wanted& wanted : group.files) {
    if (wanted.stage != Stage::kJudged) {
      TRY(AddKept(wanted, all));
    } else if (all.empty()) {
      all = std::move(wanted.content.ids);
    } else {
      all.insert(all.end(), wanted.content.ids.begin(), wanted.content.ids.end());
    }
    std::vector<PackedId>().swap(wanted.content.ids);
  }
  SortAndDeduplicate(all);
  const PopularityList list(std::move(all));
  return h_.store_.SetPopularity(group.type, list.entries());
}

Result<void> Harvester::Run::AddKept(const Wanted& wanted, std::vector<PackedId>& all) {
  if (!wanted.last) return {};
  const std::string path = KeptExportPath(wanted.file->name, wanted.last->date);
  auto kept = ReadExport(h_.files_, path, options_.include_adult, StopFlag(), h_.log_);
  if (!kept) {
    h_.log_.Warn("accepted export cannot be read for its popularity", {{"reason", kept.error().message}});
    return {};
  }
  all.insert(all.end(), kept->content.ids.begin(), kept->content.ids.end());
  return {};
}

// The last step: from here on the file is in force.
Result<void> Harvester::Run::Keep(Wanted& wanted) {
  const std::string name(wanted.file->name);
  const std::string kept = KeptExportPath(name, wanted.report.date);
  TRY(h_.files_.Rename(wanted.path, kept));
  TRY(h_.files_.SyncFolder("exports"));
  TRY(RecordAcceptedExport(h_.catalog_, {.name = name,
                                         .date = wanted.report.date,
                                         .lines = wanted.report.lines,
                                         .ids = wanted.report.ids,
                                         .bytes = wanted.report.bytes,
                                         .accepted_at = h_.clock_.Now()}));
  TRY_ASSIGN(const auto accepted, AcceptedExports(h_.catalog_));
  TRY_ASSIGN(const auto paths, h_.files_.List("exports"));
  for (const std::string& path : paths) {
    const auto file = ParseKeptExportPath(path);
    if (!file || file->name != name) continue;
    const bool in_ledger = std::any_of(accepted.begin(), accepted.end(), [&](const AcceptedExport& a) {
      return a.name == name && a.date == file->day;
    });
    if (!in_ledger) TRY(h_.files_.Remove(path));
  }
  return {};
}

Result<void> Harvester::Run::QueueConfiguration() {
  ExportReport report;
  report.name = kConfigurationName;
  report.type = MediaType::kConfiguration;
  report.date = chrono::floor<chrono::days>(h_.clock_.Now());
  std::vector<PackedId> ids;
  for (std::uint32_t id = 1; id <= ConfigurationPaths().size(); ++id)
    ids.push_back(PackId(id, kConfigurationPopularity));
  report.ids = std::int64_t(ids.size());
  TRY_ASSIGN(const Unknown unknown, FindUnknown(ids, KnownOf(MediaType::kConfiguration)));
  report.known = unknown.known;
  std::vector<QueueItem> items;
  for (const RankedId ranked : unknown.ids) {
    items.push_back({.id = {MediaType::kConfiguration, std::int64_t(IdOf(ToPacked(ranked)))},
                     .popularity = kConfigurationPopularity});
  }
  report.queued = std::int64_t(items.size());
  if (!options_.dry_run && !items.empty()) {
    TRY_ASSIGN(report.queued, h_.queue_.Send(items));
  }
  configuration_ = std::move(report);
  return {};
}

void Harvester::Run::RemoveParts() {
  const auto paths = h_.files_.List("exports");
  if (!paths) return;
  for (const std::string& path : *paths) {
    if (!path.ends_with(".part")) continue;
    if (auto removed = h_.files_.Remove(path); !removed) {
      h_.log_.Warn("left a partial download behind", {{"reason", removed.error().message}});
    }
  }
}

HarvestReport Harvester::Run::Report() {
  HarvestReport report;
  report.requests = downloader_.requests();
  for (Group& group : groups_) {
    for (Wanted& wanted : group.files) {
      if (wanted.stage != Stage::kEnded) {
        report.stopped = true;
        End(wanted, ExportVerdict::kStopped, "stopped before it was harvested");
      }
      report.exports.push_back(std::move(wanted.report));
    }
  }
  if (configuration_) report.exports.push_back(*std::move(configuration_));
  return report;
}

Harvester::Harvester(const Clock& clock, http::HttpTransport& transport, FileSystem& files, Database& catalog,
                     RecordStore& store, IdQueue& queue, Log& log, std::string export_base_url,
                     std::string user_agent)
    : clock_(clock),
      transport_(transport),
      files_(files),
      catalog_(catalog),
      store_(store),
      queue_(queue),
      log_(log),
      export_base_url_(std::move(export_base_url)),
      user_agent_(std::move(user_agent)) {}

Result<HarvestReport> Harvester::HarvestExports(const HarvestOptions& options, const StopFlag& stop) {
  for (const MediaType type : options.types) TRY(CheckHasExport(type));
  return Run(*this, options, stop).Execute();
}

Result<std::int64_t> Harvester::HarvestIds(MediaType type, const std::vector<std::int64_t>& ids) {
  TRY(CheckHasExport(type));
  const auto most = type == MediaType::kConfiguration ? std::int64_t(ConfigurationPaths().size()) : kMaxId;
  std::vector<QueueItem> items;
  for (const std::int64_t id : ids) {
    if (id < 1 || id > most)
      return Fail(ErrorCode::kInvalid, "'{}' is no id of type {}: use 1 to {}", id, Name(type), most);
    TRY_ASSIGN(const auto popularity, store_.PopularityOf({type, id}));
    items.push_back({.id = {type, id}, .popularity = popularity.value_or(0)});
  }
  return queue_.Send(items);
}

}  // namespace tmdbc

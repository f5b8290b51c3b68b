// SPDX-License-Identifier: MIT
#include "harvester/export_harvest.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "harvester/fetch_rules.h"
#include "harvester/orphans.h"
#include "harvester/upstream_time.h"
#include "harvester/watermarks.h"
#include "tmdb/detail_fetch.h"
#include "tmdb/document.h"
#include "tmdb/export_line.h"
#include "tmdb/upstream_clock.h"

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

constexpr std::string_view kConfigurationName = "configuration";
// The few configuration lists (genres, languages...) are fetched before everything else.
constexpr float kConfigurationPopularity = 1e13F;

}  // namespace

ExportHarvest::ExportHarvest(const HarvestPorts& ports, const HarvestSources& sources,
                             const HarvestOptions& options, const StopFlag& stop, const QueueOrder& order)
    : ports_(ports),
      options_(options),
      stop_(stop),
      order_(order),
      from_tmdb_(sources.export_base_url.starts_with("https://files.tmdb.org/")),
      downloader_(ports.clock, ports.transport, ports.files, ports.log, sources.export_base_url,
                  sources.api.user_agent) {}

Result<void> ExportHarvest::Execute(HarvestReport& report) {
  report_ = &report;
  const auto done = Work();
  RemoveParts();
  TRY(done);
  Finish();
  return {};
}

// TMDB's own files are known to be large; another host's may have any size but none. An adult file may be empty.
std::int64_t ExportHarvest::FloorOf(const ExportFile& file) const {
  if (file.adult) return 0;
  return from_tmdb_ ? file.floor : 1;
}

VisitKnown ExportHarvest::KnownOf(MediaType type) {
  return [this, type](const auto& visit) { return ports_.ledger.VisitKnownIds(type, visit, stop_); };
}

Result<void> ExportHarvest::Work() {
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

Result<void> ExportHarvest::Plan() {
  TRY_ASSIGN(const auto accepted, AcceptedExports(ports_.catalog));
  for (const MediaType type : options_.types) {
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
void ExportHarvest::Ask(Wanted& wanted) {
  const auto date = wanted.last ? std::optional(wanted.last->date) : std::nullopt;
  const Time now = ports_.clock.Now();
  wanted.asked_by = ReadUntil(ports_.upstream, now);
  auto days = CandidateDays(wanted.asked_by, date);
  if (ports_.upstream.ClockIsOff()) {
    // One of the two clocks is wrong. What is published shows which.
    for (const auto day : CandidateDays(now, date)) {
      if (std::ranges::find(days, day) == days.end()) days.push_back(day);
    }
  }
  if (date) std::erase(days, *date);
  if (days.empty()) return UseKept(wanted, {});
  Fetch(wanted, std::move(days));
}

void ExportHarvest::AskAgain(Wanted& wanted) {
  wanted.asked_again = true;
  Ask(wanted);
}

void ExportHarvest::UseKept(Wanted& wanted, std::string why) {
  const std::string path = KeptExportPath(wanted.file->name, wanted.last->date);
  const auto there = ports_.files.Exists(path);
  if (!there || !*there) {
    ports_.log.Warn("accepted export is not on the disk any more, fetching it again", {{"file", path}});
    return Fetch(wanted, {wanted.last->date});
  }
  wanted.path = path;
  wanted.stage = Stage::kHere;
  wanted.report.date = wanted.last->date;
  wanted.report.unchanged = true;
  wanted.report.reason = std::move(why);
}

void ExportHarvest::Fetch(Wanted& wanted, std::vector<chrono::sys_days> days) {
  wanted.report.unchanged = false;
  wanted.stage = Stage::kComing;
  wanted.job = downloader_.Add(*wanted.file, std::move(days));
}

void ExportHarvest::Arrived(ExportDownloader::JobId job) {
  for (Group& group : groups_) {
    for (Wanted& wanted : group.files) {
      if (wanted.job != job) continue;
      const FetchResult& result = downloader_.result(job);
      wanted.report.date = result.day;
      switch (result.end) {
        case FetchEnd::kFetched:
          if (AskedByAWrongClock(wanted)) {  // what came under that day's name is of another day
            (void)ports_.files.Remove(result.path);
            AskAgain(wanted);
            break;
          }
          TellWhichClockIsRight(wanted);
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
          End(wanted, ExportVerdict::kUnreachable, result.reason, result.hint);
          break;
      }
    }
  }
}

// A file that is not today's is used, but not without a word.
void ExportHarvest::SayWhichDay(Wanted& wanted) {
  const auto today = chrono::floor<chrono::days>(ReadUntil(ports_.upstream, ports_.clock.Now()));
  if (wanted.report.date == today) return;
  wanted.report.reason = fmt::format("that of {} is not published yet", FormatDate(today));
  ports_.log.Info("using an older export", {{"name", wanted.report.name},
                                            {"date", FormatDate(wanted.report.date)},
                                            {"reason", wanted.report.reason}});
}

// The answers have told of another day than that which was asked for.
bool ExportHarvest::AskedByAWrongClock(const Wanted& wanted) const {
  const Time time = ReadUntil(ports_.upstream, ports_.clock.Now());
  return !wanted.asked_again && chrono::abs(time - wanted.asked_by) > kClockIsOff;
}

// The days that TMDB's Date tells were asked for first. Where none of them is published and one of this machine's is,
// the Date is wrong.
void ExportHarvest::TellWhichClockIsRight(const Wanted& wanted) {
  if (!ports_.upstream.ClockIsOff()) return;
  const auto published = wanted.report.date;
  const auto has = [&](Time now) {
    const auto days = CandidateDays(now, {});
    return std::ranges::find(days, published) != days.end();
  };
  if (has(*ports_.upstream.latest()) || !has(ports_.clock.Now())) return;
  ports_.log.Warn("nothing is published for the day that TMDB's answers tell, and something for this machine's: "
                  "their Date is passed over",
                  {{"here", FormatTime(ports_.clock.Now())}, {"tmdb", FormatTime(*ports_.upstream.latest())}});
  ports_.upstream.Published(published);
}

// By TMDB's clock, or by this machine's where they differ: nothing newer is published by either.
bool ExportHarvest::IsInForce(chrono::sys_days day) const {
  const auto today = [](Time time) { return chrono::floor<chrono::days>(time); };
  const auto here = today(ports_.clock.Now());
  if (day >= today(ReadUntil(ports_.upstream, ports_.clock.Now())) - chrono::days(kDaysBack)) return true;
  return ports_.upstream.ClockIsOff() && day >= here - chrono::days(kDaysBack) && day <= here;
}

void ExportHarvest::NotPublished(Wanted& wanted, const FetchResult& result) {
  const bool kept_was_tried = wanted.last && result.day == wanted.last->date;
  if (kept_was_tried) {
    return End(
        wanted, ExportVerdict::kWithheld,
        fmt::format("the kept file is damaged, and {} is not published any more", FormatDate(result.day)));
  }
  if (AskedByAWrongClock(wanted)) return AskAgain(wanted);
  if (wanted.last && IsInForce(wanted.last->date)) {
    return UseKept(wanted, fmt::format("nothing newer than {} is published", FormatDate(wanted.last->date)));
  }
  const auto first = chrono::floor<chrono::days>(wanted.asked_by);
  const std::string span = fmt::format("from {} back to {}", FormatDate(first), FormatDate(result.day));
  if (!result.forbidden) {
    return End(wanted, ExportVerdict::kUnreachable, fmt::format("{} for every day {}", result.reason, span),
               Hint::kCheckExportUrl);
  }
  std::string reason = fmt::format("nothing is published {}", span);
  // A week without a file is TMDB's to withhold only when it is known which week it is.
  if (ports_.upstream.ClockIsOff()) {
    return End(wanted, ExportVerdict::kUnreachable,
               fmt::format("nothing is published in the week before {}, as TMDB's answers are dated, nor in that "
                           "before {} by this machine's clock",
                           FormatTime(*ports_.upstream.latest()), FormatTime(ports_.clock.Now())),
               Hint::kClock);
  }
  if (ports_.upstream.IsDayUnknown(ports_.clock.Now())) {
    return End(wanted, ExportVerdict::kUnreachable,
               reason + ", and the Date of the answers or this machine's clock cannot be believed", Hint::kClock);
  }
  // A server that has never given a file may be another one that forbids what it does not have.
  End(wanted, ExportVerdict::kWithheld, std::move(reason), wanted.last ? Hint::kNone : Hint::kCheckExportUrl);
}

void ExportHarvest::End(Wanted& wanted, ExportVerdict verdict, std::string reason, Hint hint) {
  wanted.stage = Stage::kEnded;
  wanted.report.verdict = verdict;
  wanted.report.reason = std::move(reason);
  wanted.report.hint = hint;
  if (verdict == ExportVerdict::kAccepted || verdict == ExportVerdict::kStopped) return;
  const char* what = verdict == ExportVerdict::kWithheld  ? "export withheld"
                     : verdict == ExportVerdict::kRefused ? "export refused"
                                                          : "export host unreachable";
  ports_.log.Write(verdict == ExportVerdict::kWithheld ? LogLevel::kWarn : LogLevel::kError, what,
                   {{"name", wanted.report.name},
                    {"date", FormatDate(wanted.report.date)},
                    {"reason", wanted.report.reason}});
}

// Takes in every group whose files are all here or have ended.
Result<void> ExportHarvest::TakeInReady() {
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
Result<bool> ExportHarvest::Read(Wanted& wanted) {
  auto read = ReadExport(ports_.files, wanted.path, options_.include_adult, stop_, ports_.log);
  if (!read && IsDamage(read.error())) {
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
    ports_.log.Warn("bad export line left out",
                    {{"name", report.name}, {"date", FormatDate(report.date)}, {"what", example}});
  }
  const auto last =
      wanted.last ? std::optional(LastAccepted{wanted.last->date, wanted.last->lines}) : std::nullopt;
  const Refusal why =
      WhyRefused(report.lines, report.bad_lines, FloorOf(*wanted.file), last, options_.accept_export);
  if (!why.reason.empty()) {
    wanted.content = {};
    End(wanted, ExportVerdict::kRefused, why.reason, why.hint);
    return true;
  }
  wanted.stage = Stage::kJudged;
  return true;
}

void ExportHarvest::SendBack(Wanted& wanted, const std::string& reason) {
  if (wanted.report.unchanged) {
    ports_.log.Warn("accepted export is damaged on the disk, fetching it again",
                    {{"file", wanted.path}, {"reason", reason}});
    return Fetch(wanted, {wanted.last->date});
  }
  if (downloader_.Again(*wanted.job, reason)) {
    wanted.stage = Stage::kComing;
  } else {
    End(wanted, ExportVerdict::kRefused, downloader_.result(*wanted.job).reason);
  }
}

Result<void> ExportHarvest::TakeIn(Group& group) {
  std::int64_t left = options_.limit.value_or(std::numeric_limits<std::int64_t>::max());
  for (Wanted& wanted : group.files) {
    if (wanted.stage == Stage::kJudged) TRY(TakeInFile(wanted, left));
    if (stopping()) return {};
  }
  TRY(CompareWithStore(group));
  if (stopping()) return {};
  if (!options_.dry_run) TRY(SetPopularity(group));
  for (Wanted& wanted : group.files) {
    if (wanted.stage != Stage::kJudged) continue;
    if (!options_.dry_run && !wanted.report.unchanged) TRY(Keep(wanted));
    End(wanted, ExportVerdict::kAccepted, std::move(wanted.report.reason));
    const ExportReport& r = wanted.report;
    ports_.log.Info("export harvested", {{"name", r.name},
                                         {"date", FormatDate(r.date)},
                                         {"unchanged", r.unchanged},
                                         {"lines", r.lines},
                                         {"bad_lines", r.bad_lines},
                                         {"ids", r.ids},
                                         {"known", r.known},
                                         {options_.dry_run ? "would_queue" : "queued", r.queued},
                                         {"stored", r.stored}});
  }
  return options_.dry_run ? Result<void>{} : BeginWatermark(group);
}

// Queues (or, of keywords, stores) what is not known yet, as far as `left` goes.
Result<void> ExportHarvest::TakeInFile(Wanted& wanted, std::int64_t& left) {
  TRY_ASSIGN(const Unknown unknown, FindUnknown(wanted.content.ids, KnownOf(wanted.file->type)));
  if (stopping()) return {};
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

Result<void> ExportHarvest::Queue(Wanted& wanted, std::span<const RankedId> unknown) {
  std::vector<QueueItem> items;
  for (std::size_t at = 0; at < unknown.size() && !stopping(); at += kSentAtOnce) {
    items.clear();
    for (std::size_t i = at; i < std::min(unknown.size(), at + kSentAtOnce); ++i) {
      const PackedId packed = ToPacked(unknown[i]);
      items.push_back({.id = {wanted.file->type, std::int64_t(IdOf(packed))},
                       .popularity = order_.OfNew(wanted.file->type, PopularityOf(packed))});
    }
    TRY_ASSIGN(const std::int64_t added, ports_.sender.Send(items));
    wanted.report.queued += added;
  }
  return {};
}

// A keyword's line is its record. The file is read a second time, now that it is known to be whole; of a
// repeated id the first line counts.
Result<void> ExportHarvest::StoreKeywords(Wanted& wanted, std::span<const RankedId> beyond_limit) {
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
  TRY(VisitExportLines(ports_.files, wanted.path, stop_, take));
  TRY(put);
  return ports_.writer.Commit([]() -> Result<void> { return {}; });
}

Result<void> ExportHarvest::PutKeyword(Wanted& wanted, std::string_view line, MediaId id) {
  const auto hash = HashContent(line);
  if (!hash) {
    ++wanted.report.bad_lines;
    ports_.log.Warn("bad export line left out",
                    {{"name", wanted.report.name}, {"what", hash.error().message}});
    return {};
  }
  Document document;
  document.id = id;
  document.fetched_at = UpstreamClock(ports_.clock, ports_.upstream).Now();
  document.data = line;
  document.hash = *hash;
  TRY_ASSIGN(const Change change, ports_.writer.Put(std::move(document)));
  if (change != Change::kUnchanged) ++wanted.report.stored;
  if (!ports_.writer.CommitDue()) return {};
  return ports_.writer.Commit([]() -> Result<void> { return {}; });
}

// What TMDB lists against what is stored: one pass over both, side by side.
Result<void> ExportHarvest::CompareWithStore(Group& group) {
  std::vector<PackedId> merged;
  std::span<const PackedId> listed;
  bool whole = true;  // all files of the type are here: only then is an id that none of them has absent
  // When TMDB's list was known here; a file that is read for the first time is known from now on.
  const Time now = ports_.clock.Now();
  std::optional<Time> accepted;
  for (const Wanted& wanted : group.files) {
    if (wanted.stage != Stage::kJudged) {
      whole = false;
      continue;
    }
    const Time known = wanted.report.unchanged ? wanted.last->accepted_at : now;
    accepted = std::max(accepted.value_or(known), known);
    const std::vector<PackedId>& ids = wanted.content.ids;
    if (listed.empty()) {
      listed = ids;
    } else {
      if (merged.empty()) merged.assign(listed.begin(), listed.end());
      merged.insert(merged.end(), ids.begin(), ids.end());
      SortAndDeduplicate(merged);
      listed = merged;
    }
  }
  if (!accepted) return {};
  const bool new_export = *accepted == now;
  // Ids are given out in ascending order: what is above all that are listed was made after the export.
  const std::int64_t newest = listed.empty() ? 0 : IdOf(listed.back());

  TRY_ASSIGN(const Orphans before, ReadOrphans(ports_.catalog, group.type));
  TRY_ASSIGN(const std::vector<std::int64_t> held, ports_.ledger.HeldDeletions(group.type));
  Orphans after;
  std::vector<IdState> candidates, held_again;
  std::vector<QueueItem> returns;
  auto next = listed.begin();
  const auto compare = [&](const IdState& state) {
    while (next != listed.end() && IdOf(*next) < state.id) ++next;
    const bool is_listed = next != listed.end() && IdOf(*next) == state.id;
    const MediaId id{group.type, state.id};
    if (std::ranges::binary_search(held, state.id)) {
      // Its deletion waits for a person. TMDB's trouble may be over: it is asked once more with each new
      // export.
      if (new_export && !options_.accept_deletions) held_again.push_back(state);
    } else if (is_listed) {
      if (!ReturnIsDue(state, new_export, now)) return;
      returns.push_back({.id = id, .popularity = order_.OfNew(group.type, PopularityOf(*next))});
    } else if (state.standing == Standing::kLive && whole && state.id <= newest) {
      const auto entry = before.find(state.id);
      const auto orphan = entry == before.end() ? std::nullopt : std::optional(entry->second);
      if (CandidateIsDue(state, *accepted, orphan, now)) {
        candidates.push_back(state);
        after.emplace_hint(after.end(), state.id, AskedAgain(state, orphan, now));
      } else if (orphan) {
        after.emplace_hint(after.end(), state.id, *orphan);
      }
    }
  };
  TRY(ports_.ledger.VisitStates(group.type, compare, stop_));
  if (stopping()) return {};
  if (!whole) after = before;

  const auto send = [&](const std::vector<IdState>& states) -> Result<std::int64_t> {
    std::vector<QueueItem> items;
    for (const IdState& state : states) {
      const MediaId id{group.type, state.id};
      TRY_ASSIGN(const float priority, order_.Of(id, state, false));
      items.push_back({.id = id, .popularity = priority});
    }
    return Send(items);
  };
  TypeReport& report = report_->Of(group.type);
  TRY_ASSIGN(report.candidates, send(candidates));
  TRY_ASSIGN(const std::int64_t asked_again, send(held_again));
  report.held_queued += asked_again;
  TRY_ASSIGN(report.returns, Send(returns));
  if (report.candidates + report.returns + report.held_queued > 0) {
    ports_.log.Info("compared the export with the store", {{"type", Name(group.type)},
                                                           {"candidates", report.candidates},
                                                           {"returns", report.returns},
                                                           {"held_queued", report.held_queued}});
  }
  return options_.dry_run ? Result<void>{} : ReplaceOrphans(ports_.catalog, group.type, before, after);
}

// In slices. Of a dry run: what would be sent.
Result<std::int64_t> ExportHarvest::Send(std::span<const QueueItem> items) {
  if (options_.dry_run) return std::int64_t(items.size());
  std::int64_t sent = 0;
  for (std::size_t at = 0; at < items.size(); at += kSentAtOnce) {
    TRY_ASSIGN(const std::int64_t added,
               ports_.sender.Send(items.subspan(at, std::min(kSentAtOnce, items.size() - at))));
    sent += added;
  }
  return sent;
}

// Popularity is that of all files of the type together; one that is refused or cannot be had counts as it was
// last accepted.
Result<void> ExportHarvest::SetPopularity(Group& group) {
  const auto any = [&](const auto& of) {
    return std::ranges::any_of(group.files, [&](const Wanted& wanted) {
      return wanted.stage == Stage::kJudged && wanted.file->has_popularity && of(wanted);
    });
  };
  if (!any([](const Wanted&) { return true; })) return {};
  // An export that is in force already brings back what was lost with catalog.db.
  TRY_ASSIGN(const bool held, ports_.popularity.Holds(group.type));
  if (held && !any([](const Wanted& wanted) { return !wanted.report.unchanged; })) return {};
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
  return ports_.popularity.Set(group.type, list.entries());
}

Result<void> ExportHarvest::AddKept(const Wanted& wanted, std::vector<PackedId>& all) {
  if (!wanted.last) return {};
  const std::string path = KeptExportPath(wanted.file->name, wanted.last->date);
  auto kept = ReadExport(ports_.files, path, options_.include_adult, StopFlag(), ports_.log);
  if (!kept) {
    ports_.log.Warn("accepted export cannot be read for its popularity", {{"reason", kept.error().message}});
    return {};
  }
  all.insert(all.end(), kept->content.ids.begin(), kept->content.ids.end());
  return {};
}

// The last step: from here on the file is in force.
Result<void> ExportHarvest::Keep(Wanted& wanted) {
  const std::string name(wanted.file->name);
  const std::string kept = KeptExportPath(name, wanted.report.date);
  TRY(ports_.files.Rename(wanted.path, kept));
  TRY(ports_.files.SyncFolder("exports"));
  TRY(RecordAcceptedExport(ports_.catalog, {.name = name,
                                            .date = wanted.report.date,
                                            .lines = wanted.report.lines,
                                            .ids = wanted.report.ids,
                                            .bytes = wanted.report.bytes,
                                            .accepted_at = ports_.clock.Now()}));
  TRY_ASSIGN(const auto accepted, AcceptedExports(ports_.catalog));
  TRY_ASSIGN(const auto paths, ports_.files.List("exports"));
  for (const std::string& path : paths) {
    const auto file = ParseKeptExportPath(path);
    if (!file || file->name != name) continue;
    const bool in_ledger = std::any_of(accepted.begin(), accepted.end(), [&](const AcceptedExport& a) {
      return a.name == name && a.date == file->day;
    });
    if (!in_ledger) TRY(ports_.files.Remove(path));
  }
  return {};
}

// The first export of a type says all that there is up to its day; from the day before on the feed tells what
// changed.
Result<void> ExportHarvest::BeginWatermark(const Group& group) {
  if (!HasChangeFeed(group.type)) return {};
  auto day = chrono::sys_days::max();
  for (const Wanted& wanted : group.files) {
    if (wanted.report.verdict == ExportVerdict::kAccepted) day = std::min(day, wanted.report.date);
  }
  if (day == chrono::sys_days::max()) return {};
  TRY_ASSIGN(const Watermarks watermarks, ReadWatermarks(ports_.catalog));
  if (watermarks.contains(group.type)) return {};
  // Records without a watermark: catalog.db was lost. What changed since they were verified is read again.
  TRY_ASSIGN(const auto counts, ports_.ledger.Counts());
  for (const auto& [type, count] : counts) {
    if (type == group.type && count.oldest_verified)
      day = std::min(day, chrono::floor<chrono::days>(*count.oldest_verified));
  }
  return SetWatermark(ports_.catalog, group.type, day - chrono::days(1));
}

// TMDB's lists; once its list of primary translations is stored also the genres in each of these languages.
Result<std::vector<std::int64_t>> ExportHarvest::ConfigurationIds() {
  std::vector<std::int64_t> ids(ConfigurationPaths().size());
  std::iota(ids.begin(), ids.end(), 1);
  const auto languages = ports_.reader.Find({MediaType::kConfiguration, kPrimaryTranslations});
  if (!languages && languages.error().code != ErrorCode::kNotFound) return std::unexpected(languages.error());
  if (!languages || languages->data.empty()) return ids;
  const auto genres = GenreListIds(languages->data);
  if (!genres) {
    ports_.log.Warn("no genre lists in other languages", {{"reason", genres.error().message}});
    return ids;
  }
  ids.insert(ids.end(), genres->begin(), genres->end());
  return ids;
}

Result<void> ExportHarvest::QueueConfiguration() {
  ExportReport report;
  report.name = kConfigurationName;
  report.type = MediaType::kConfiguration;
  report.date = chrono::floor<chrono::days>(ports_.clock.Now());
  TRY_ASSIGN(const std::vector<std::int64_t> ids, ConfigurationIds());
  report.ids = std::int64_t(ids.size());
  const Time now = ports_.clock.Now();
  std::vector<QueueItem> items;
  for (const std::int64_t id : ids) {
    const MediaId list{MediaType::kConfiguration, id};
    TRY_ASSIGN(const IdState state, ports_.ledger.StateOf(list));
    report.known += state.standing != Standing::kUnknown;
    if (ListIsDue(state, now)) items.push_back({.id = list, .popularity = kConfigurationPopularity});
  }
  report.queued = std::int64_t(items.size());
  if (!options_.dry_run && !items.empty()) {
    TRY_ASSIGN(report.queued, ports_.sender.Send(items));
  }
  configuration_ = std::move(report);
  return {};
}

void ExportHarvest::RemoveParts() {
  const auto paths = ports_.files.List("exports");
  if (!paths) return;
  for (const std::string& path : *paths) {
    if (!path.ends_with(".part")) continue;
    if (auto removed = ports_.files.Remove(path); !removed) {
      ports_.log.Warn("left a partial download behind", {{"reason", removed.error().message}});
    }
  }
}

void ExportHarvest::Finish() {
  report_->requests = downloader_.requests();
  for (Group& group : groups_) {
    for (Wanted& wanted : group.files) {
      if (wanted.stage != Stage::kEnded) {
        report_->stopped = true;
        End(wanted, ExportVerdict::kStopped, "stopped before it was harvested");
      }
      report_->exports.push_back(std::move(wanted.report));
    }
  }
  if (configuration_) report_->exports.push_back(*std::move(configuration_));
}

}  // namespace tmdbc

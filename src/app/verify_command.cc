// SPDX-License-Identifier: MIT
// verify: that the settings are right was checked before it began; then the store, and with --key the key.
#include <fmt/format.h>

#include <optional>
#include <thread>

#include "app/command.h"
#include "app/data_dir.h"
#include "app/hints.h"
#include "app/opened_bucket.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/progress_file.h"
#include "app/source_guard.h"
#include "app/work_place.h"
#include "base/compression.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/version.h"
#include "cloud/dispatcher.h"
#include "collector/disposition.h"
#include "http/body.h"
#include "http/curl_transport.h"
#include "queue/sqlite_queue.h"
#include "storage/kept_aside.h"
#include "storage/rebuild.h"
#include "storage/verify.h"

namespace tmdbc {
namespace {

constexpr std::size_t kShownRecords = 20;  // of one damaged place, for a person; --json names all
constexpr std::chrono::seconds kKeyTimeout{10};
constexpr std::chrono::milliseconds kMoment{300};

// The kept exports: whole, with the right checksum?
Result<void> CheckExports(FileSystem& files, VerifyReport& report) {
  constexpr std::uint64_t kChunk = 1 << 20;
  TRY_ASSIGN(const auto paths, files.List("exports"));
  for (const std::string& path : paths) {
    if (!path.ends_with(".gz")) continue;
    GzipInflater inflater;
    Result<void> whole;
    const auto read = [&]() -> Result<void> {
      TRY_ASSIGN(const std::uint64_t size, files.Size(path));
      for (std::uint64_t at = 0; at < size && whole; at += kChunk) {
        TRY_ASSIGN(const std::string bytes, files.Read(path, at, kChunk));
        whole = inflater.Feed(bytes, [](std::string_view) {});
      }
      if (whole) whole = inflater.Finish();
      return {};
    }();
    // A harvest beside us has replaced it by a newer one.
    if (!read && read.error().code == ErrorCode::kNotFound) continue;
    // A sector that the disk does not give back is damage of this file, and of no other.
    if (!read && read.error().code == ErrorCode::kUnreadable) whole = read;
    if (whole) TRY(read);
    if (!whole) {
      report.damage.push_back(
          {path, 0, whole.error().message + "; the next harvest takes the day's export instead", {}});
    }
  }
  return {};
}

void AddAsides(VerifyReport& report) {
  for (const std::string& path : report.asides) report.notes.push_back(Explain(AsideNotice(path), Hint::kRebuild));
}

std::string PageNumbers(const std::vector<DamagedPage>& pages) {
  std::string numbers = pages.size() == 1 ? "page " : "pages ";
  for (std::size_t i = 0; i < std::min(pages.size(), kShownRecords); ++i)
    numbers += fmt::format("{}{}", i == 0 ? "" : ", ", pages[i].number);
  return pages.size() > kShownRecords ? numbers + ", ..." : numbers;
}

// Every page of catalog.db against its checksum. While a process is at work, and after one was killed, a log
// lies beside the file that holds newer pages: then SQLite says whether what is in use is sound. Pages that only
// lack their checksums, for another program wrote them, are no damage.
Result<void> CheckCatalog(FileSystem& files, Database& catalog, VerifyReport& report) {
  constexpr const char* kWhat = "index, queue and watermarks; `verify --rebuild` makes the index again";
  const auto log_bytes = files.Size("catalog.db-wal");
  if (!log_bytes && log_bytes.error().code != ErrorCode::kNotFound) return std::unexpected(log_bytes.error());
  if (!IsSound(catalog)) {
    report.damage.push_back({"catalog.db", 0, fmt::format("not sound: {}", kWhat), {}});
    return {};
  }
  if (log_bytes && *log_bytes > 0) return {};
  TRY_ASSIGN(std::vector<DamagedPage> pages, catalog.DamagedPages());
  if (pages.empty()) return {};
  TRY_ASSIGN(const std::string fault, catalog.FirstFault());
  std::vector<DamagedPage> foreign;
  for (const DamagedPage& page : pages) {
    if (page.one_bit) {
      report.damage.push_back(
          {"catalog.db",
           std::uint64_t(page.at),
           fmt::format("a bit of page {} has flipped on the disk: `verify --rebuild` flips it back",
                       page.number),
           {}});
    } else if (!fault.empty()) {
      report.damage.push_back({"catalog.db",
                               std::uint64_t(page.at),
                               fmt::format("page {} does not match its checksum: {}", page.number, kWhat),
                               {}});
    } else {
      foreign.push_back(page);
    }
  }
  if (foreign.empty()) return {};
  report.notes.push_back(fmt::format(
      "warning: {} of catalog.db: the checksum does not match, and SQLite finds nothing wrong with the file. So "
      "another program has written to it, such as SQLite's shell, which keeps no checksums: `verify --rebuild` makes "
      "them again and keeps all that is in it. If nobody did, the disk is failing: restore a backup",
      PageNumbers(foreign)));
  return {};
}

void AddMended(const std::vector<DamagedPage>& mended, std::vector<std::string>& notes) {
  if (mended.empty()) return;
  notes.push_back(fmt::format("{} of catalog.db {} right again: nothing in it is lost", PageNumbers(mended),
                              mended.size() == 1 ? "is" : "are"));
}

constexpr const char* kLostWithTheCatalog =
    "What was only in it is lost: the queue. The next harvest queues again what is missing or has changed";

// catalog.db, mended where that can be done without losing anything in it; empty when it cannot. Nobody else is at
// work.
Result<std::optional<Database>> OpenSound(const DataDir& dir, std::vector<std::string>& notes) {
  auto catalog = dir.OpenCatalog();
  if (!catalog && !IsDamage(catalog.error())) return std::unexpected(catalog.error());
  if (!catalog) return std::optional<Database>();
  TRY_ASSIGN(const auto mended, MendCatalog(*catalog));
  if (!mended) return std::optional<Database>();
  AddMended(*mended, notes);
  return std::optional<Database>(*std::move(catalog));
}

// Out of the way, with its log beside it, so that SQLite's own tools can still try to read it.
Result<std::string> MoveBrokenCatalog(FileSystem& files) {
  std::string broken = "catalog.db.broken";
  for (int nth = 2;; ++nth) {
    TRY_ASSIGN(const bool taken, files.Exists(broken));
    if (!taken) break;
    broken = fmt::format("catalog.db.broken{}", nth);
  }
  for (const char* end : {"-wal", "-shm", ""}) {
    TRY_ASSIGN(const bool there, files.Exists(std::string("catalog.db") + end));
    if (there) TRY(files.Rename(std::string("catalog.db") + end, broken + end));
  }
  return broken;
}

Result<VerifyReport> RebuildStore(const Settings& settings, bool deep, bool upgrade) {
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForWriting(settings.data_dir));
  PosixFileSystem files(dir.path());
  std::vector<std::string> about_catalog;
  TRY_ASSIGN(auto catalog, OpenSound(dir, about_catalog));
  if (!catalog) {
    TRY_ASSIGN(const std::string broken, MoveBrokenCatalog(files));
    about_catalog.push_back(fmt::format(
        "catalog.db was damaged and is {} now. {}", broken, kLostWithTheCatalog));
    TRY_ASSIGN(Database fresh, dir.OpenCatalog());
    catalog.emplace(std::move(fresh));
  }
  TRY_ASSIGN(VerifyReport report, Rebuild(files, *catalog, {.upgrade = upgrade, .sealed_up_to = SavedSequences(files)}));
  TRY_ASSIGN(const auto about_progress, RestoreProgress(files, *catalog, SystemClock()));
  about_catalog.insert(about_catalog.end(), about_progress.begin(), about_progress.end());
  if (deep && report.damage.empty()) {
    auto notes = std::move(report.notes);
    TRY_ASSIGN(report, Verify(files, *catalog, true));
    report.notes.insert(report.notes.begin(), notes.begin(), notes.end());
    AddAsides(report);
  }
  report.notes.insert(report.notes.begin(), about_catalog.begin(), about_catalog.end());
  TRY(CheckExports(files, report));
  return report;
}

// The mirror in a bucket as its catalog says it is. Without `deep` no segment is read: that would be all there is,
// across the network, and S3 keeps checksums of its own.
Result<VerifyReport> CheckBucket(const Settings& settings, bool deep) {
  TRY_ASSIGN(const auto bucket, OpenedBucket::Open(settings));
  const auto probed = bucket->Probe();
  // A key that may only read cannot try it.
  if (!probed && probed.error().code != ErrorCode::kUnavailable) return std::unexpected(probed.error());
  TRY_ASSIGN(const auto store, OpenedStore::ForReadingAll(settings));
  VerifyReport catalog_report;
  TRY(CheckCatalog(store->files, store->catalog, catalog_report));
  if (!catalog_report.damage.empty()) {
    catalog_report.damage.front().file = store->view()->head().catalog.key;
    return catalog_report;
  }
  auto report = VerifyView(*store->view(), deep);
  if (!report) return std::unexpected(OfBucket(store->name, report.error()));
  TRY(CheckExports(store->files, *report));
  if (!probed) report->notes.push_back("not tried whether this server honours conditions: " + probed.error().message);
  return *std::move(report);
}

// What was done in a bucket is there for everybody, and the mirror free again.
Result<void> GiveBack(WorkPlace& place, const Clock& clock) {
  if (place.keeper() == nullptr) return {};
  TRY_ASSIGN(const auto queue, SqliteIdQueue::Open(place.catalog(), clock, kOwnersQueue));
  return place.Close(*queue);
}

// The index of a mirror in a bucket made again from its records; this process owns the mirror meanwhile. Every
// segment is read across the network.
Result<VerifyReport> RebuildBucket(const Settings& settings, bool deep, bool upgrade) {
  const SystemClock clock;
  VerifyReport report;
  {
    TRY_ASSIGN(const auto place, WorkPlace::Open(settings, clock, {.mend = true}));
    const MirrorKeeper& keeper = *place->keeper();
    std::vector<std::string> notes;
    if (!keeper.fell_back().empty()) {
      notes.push_back(fmt::format("{}: the newest catalog that can be used was taken, and what was settled since is "
                                  "fetched again",
                                  keeper.fell_back()));
    }
    if (!keeper.lost().empty()) {
      notes = {fmt::format("no catalog can be used ({}). {}", keeper.lost(), kLostWithTheCatalog)};
    }
    AddMended(keeper.mended(), notes);
    const auto hold = [&]() -> Result<void> {
      if (place->Keep()) return {};
      return Fail(ErrorCode::kExists, "somebody else has taken the mirror meanwhile: nothing was changed");
    };
    auto rebuilt = Rebuild(
        place->files(), place->catalog(),
        {.upgrade = upgrade, .sealed_up_to = SavedSequences(place->files()), .before_segment = hold});
    if (!rebuilt) return std::unexpected(OfBucket(place->name(), rebuilt.error()));
    report = *std::move(rebuilt);
    TRY_ASSIGN(const auto about_progress, RestoreProgress(place->files(), place->catalog(), clock));
    notes.insert(notes.end(), about_progress.begin(), about_progress.end());
    report.notes.insert(report.notes.begin(), notes.begin(), notes.end());
    TRY(GiveBack(*place, clock));
  }
  if (!deep || !report.damage.empty()) return report;
  auto notes = std::move(report.notes);
  TRY_ASSIGN(report, CheckBucket(settings, true));
  report.notes.insert(report.notes.begin(), notes.begin(), notes.end());
  return report;
}

Result<void> AdoptSourceOf(const Settings& settings) {
  const SystemClock clock;
  TRY_ASSIGN(const auto place, WorkPlace::Open(settings, clock, {.must_exist = true, .mend = true}));
  if (const MirrorKeeper* const keeper = place->keeper()) {
    const std::string& why = keeper->lost().empty() ? keeper->fell_back() : keeper->lost();
    if (!why.empty())
      return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{}: the catalog cannot be used ({})", place->name(), why);
  }
  TRY(AdoptSource(place->catalog(), place->files(), settings.tmdb_api_base_url));
  return GiveBack(*place, clock);
}

Result<VerifyReport> CheckStore(const Settings& settings, bool rebuild, bool deep, bool upgrade) {
  if (!settings.s3_bucket_name.empty())
    return rebuild ? RebuildBucket(settings, deep, upgrade) : CheckBucket(settings, deep);
  if (rebuild) return RebuildStore(settings, deep, upgrade);
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  PosixFileSystem files(dir.path());
  VerifyReport report;
  TRY(CheckCatalog(files, catalog, report));
  if (report.damage.empty()) {
    auto notes = std::move(report.notes);
    // Time enough for a process at work to finish sealing a segment.
    TRY_ASSIGN(report, Verify(files, catalog, deep, [] { std::this_thread::sleep_for(kMoment); }));
    report.notes.insert(report.notes.begin(), notes.begin(), notes.end());
    AddAsides(report);
  } else {
    report.notes.emplace_back("the segments were not looked at: which there should be stands in catalog.db");
  }
  TRY(CheckExports(files, report));
  return report;
}

std::string DamageText(const Damage& damage) {
  std::string text = fmt::format("damaged   {} at {}: {}\n", damage.file, damage.offset, damage.what);
  for (std::size_t i = 0; i < std::min(damage.records.size(), kShownRecords); ++i) {
    text += fmt::format("          {}\n", ToString(damage.records[i]));
  }
  if (damage.records.size() > kShownRecords) {
    text += fmt::format("          and {} more (--json names them all)\n",
                        FormatCount(std::int64_t(damage.records.size() - kShownRecords)));
  }
  return text;
}

std::string StoreText(const VerifyReport& report, bool deep, bool bucket) {
  // Without --deep no record was read, and none is vouched for.
  const std::string read = deep ? fmt::format("{} in ", Counted(report.records, "record")) : "";
  const char* const good = deep     ? "all is well"
                           : bucket ? "every number and size is right (--deep reads every record)"
                                    : "every checksum and number is right (--deep looks into every record)";
  std::string text =
      fmt::format("store     {}{}, {:.1f} MB: {}\n", read, Counted(report.segments, "segment"),
                  double(report.bytes) / 1e6,
                  report.damage.empty() ? good : "damaged in " + Counted(std::ssize(report.damage), "place"));
  for (const auto& damage : report.damage) text += DamageText(damage);
  for (const std::string& note : report.notes) text += fmt::format("note      {}\n", note);
  return text;
}

void AddStore(JsonWriter& json, const VerifyReport& report) {
  json.BeginObject()
      .Field("segments", report.segments)
      .Field("frames", report.frames)
      .Field("records", report.records);
  json.Field("bytes", report.bytes).Key("damage").BeginArray();
  for (const auto& damage : report.damage) {
    json.BeginObject()
        .Field("file", damage.file)
        .Field("offset", damage.offset)
        .Field("what", damage.what)
        .Key("records")
        .BeginArray();
    for (const MediaId id : damage.records)
      json.BeginObject().Field("type", Name(id.type)).Field("id", id.id).EndObject();
    json.EndArray().EndObject();
  }
  json.EndArray().Key("notes").BeginArray();
  for (const std::string& note : report.notes) json.Text(note);
  json.EndArray().EndObject();
}

// Whether it is TMDB that takes the key: a login page answers 200 to any.
Observed ObserveConfiguration(const http::Outcome& outcome) {
  if (!outcome.response) return ObserveFailure(*outcome.failure, outcome.failure_text, outcome.failure_hint);
  const auto body = http::DecodeBody(*outcome.response);
  if (outcome.response->status != 200) return ObserveStatus(outcome.response->status, body.value_or(""));
  if (!body) return ObserveBadBody("", body.error());
  const auto json = ParsedJson::Parse(*body);
  if (!json) return ObserveBadBody(*body, json.error());
  if (!json->root()["images"].is_object())
    return {.kind = Observed::Kind::kBadBody, .foreign = true, .detail = "JSON of another kind", .error_class = {}};
  return {};
}

// One request that needs no more than a good key.
Result<void> CheckKey(const Settings& settings) {
  TRY(RequireKey(settings));
  const SystemClock clock;
  TRY_ASSIGN(const auto transport, http::CurlTransport::Create(clock));
  http::Request request = MakeRequest(ApiAccessOf(settings), Call{.path = "configuration", .appends = {}});
  request.timeout = kKeyTimeout;
  transport->Start(std::move(request), {});
  const MonoTime deadline = clock.Mono() + 2 * kKeyTimeout;
  while (clock.Mono() < deadline) {
    for (const http::Outcome& outcome : transport->Wait(deadline)) {
      const Observed observed = ObserveConfiguration(outcome);
      if (observed.kind == Observed::Kind::kBelieved) return {};
      if (Dispose(observed, {}) == Disposition::kDeny)
        return Fail(ErrorCode::kDenied,
                    "try the key at {}: TMDB refuses it ({}): compare TMDB_API_KEY with yours at "
                    "https://www.themoviedb.org/settings/api",
                    settings.tmdb_api_base_url, Describe(observed));
      return Fail(ErrorCode::kUnavailable, observed.foreign ? Hint::kCheckApiUrl : observed.hint,
                  "try the key at {}: {}{}", settings.tmdb_api_base_url, Describe(observed),
                  observed.foreign ? ", which is nothing that TMDB answers" : "");
    }
  }
  return Fail(ErrorCode::kUnavailable, "try the key at {}: no answer", settings.tmdb_api_base_url);
}

}  // namespace

Result<int> VerifyCommand(const Settings& settings, const Arguments& arguments) {
  if (arguments.Has("--upgrade") && !arguments.Has("--rebuild"))
    return Fail(ErrorCode::kInvalid, "--upgrade goes with --rebuild");
  if (arguments.Has("--adopt-source")) TRY(AdoptSourceOf(settings));
  const bool try_key = arguments.Has("--key");
  // Before the store, which may take minutes. Said whatever comes of the store: before the first run there is none.
  if (try_key) {
    TRY(CheckKey(settings));
    if (!arguments.Has("--json")) TRY(WriteOut("settings  good\nkey       TMDB takes it\n"));
  }
  const bool rebuild = arguments.Has("--rebuild"), deep = arguments.Has("--deep");
  TRY_ASSIGN(const VerifyReport report, CheckStore(settings, rebuild, deep, arguments.Has("--upgrade")));
  if (arguments.Has("--json")) {
    JsonWriter json;
    json.BeginObject()
        .Field("ok", report.damage.empty())
        .Field("settings", "ok")
        .Field("key", try_key ? "ok" : "not tried")
        .Key("store");
    AddStore(json, report);
    TRY(WriteOut(json.EndObject().text() + "\n"));
  } else {
    TRY(WriteOut(fmt::format("{}{}", try_key ? "" : "settings  good\nkey       not tried (--key tries it)\n",
                             StoreText(report, deep || rebuild, !settings.s3_bucket_name.empty()))));
  }
  return report.damage.empty() ? kExitDone : kExitPartly;
}

}  // namespace tmdbc

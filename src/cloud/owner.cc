// SPDX-License-Identifier: MIT
#include "cloud/owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/stop.h"
#include "cloud/bundle_intake.h"
#include "cloud/catalog_time.h"
#include "cloud/deadline_transport.h"
#include "cloud/owned_catalog.h"
#include "harvester/expiry.h"
#include "harvester/harvester.h"
#include "queue/sqlite_queue.h"
#include "storage/adopt.h"
#include "storage/bucket_files.h"
#include "storage/compaction.h"
#include "storage/popularity_table.h"
#include "storage/record_reader.h"
#include "storage/store_intake.h"
#include "tmdb/upstream_clock.h"

namespace tmdbc {
namespace {

// A person's word on deletions holds for the answers of so long.
constexpr Duration kAcceptedFor = std::chrono::hours(24);
// HarvestReport::exit_code(): TMDB refuses the key, or nobody could be reached.
constexpr int kNothingReached = 3;
// AWS lets a function live for so long.
constexpr Duration kLongestCall = std::chrono::minutes(15);

// Pages of a change feed count against the rate limit; an export does not.
bool AsksTheApi(const OwnerRequest& request) {
  return std::ranges::any_of(request.harvests, [](const HarvestRequest& harvest) {
    return harvest.ids.empty() && harvest.mode != HarvestMode::kExport;
  });
}

// A segment of a bucket is what was put there.
OwnerOptions Trusting(OwnerOptions options) {
  options.writer.trust_segments = true;
  return options;
}

}  // namespace

// K3 to K12 of docs/decisions/cloud.md.
class Owner::Cycle {
 public:
  Cycle(Owner& owner, const OwnerCall& call, OwnerReport& report)
      : owner_(owner),
        ports_(owner.ports_),
        report_(report),
        work_end_(call.deadline - kKeptForTheEnd),
        files_(ports_.objects, ports_.scratch) {}

  // Up to the publication: an error means that nothing has happened.
  Result<void> Run() {
    TRY(Open());
    TRY(TakeBundlesIn());
    TRY(Harvest());
    if (harvested_) TRY(Tidy());
    TRY(HandOut());
    TRY(Seal());
    TRY_ASSIGN(const HeadState next, Close());
    return owner_.home_.Publish(next);
  }
  // Behind it: what fails here the next cycle does.
  void Finish() {
    owner_.counted_ = caused_;
    Send();
    Clean();
  }

 private:
  // What stands on the catalog; goes before it.
  struct Store {
    explicit Store(BucketFileSystem& files, Database& catalog)
        : reader(files, catalog), ledger(catalog), popularity(catalog) {}
    RecordReader reader;
    RecordLedger ledger;
    PopularityTable popularity;
    std::unique_ptr<RecordWriter> writer;
    std::unique_ptr<SqliteIdQueue> queue;
    std::optional<Dispatcher> dispatcher;
  };

  Result<void> Open();
  Result<void> TakeBundlesIn();
  Result<void> TakeBundleIn(const std::string& key, const std::string& batch, Intake& intake);
  Result<void> Harvest();
  enum class Outcome : std::uint8_t { kDone, kGoesOn, kFailed };
  Result<Outcome> Answer(const std::string& key, const OwnerRequest& request);
  Result<Outcome> HarvestOne(HarvestRequest request, Harvester& harvester, const StopFlag& stop);
  Result<void> Expire(const StopFlag& stop);
  Result<bool> GiveUp(const std::string& key, const Error& error);
  Result<void> Tidy();
  Result<void> AcceptDeletions();
  Result<void> ReadAccepted();
  Result<void> HandOut();
  Result<void> Seal();
  Result<HeadState> Close();
  void Send();
  void Clean();

  Result<std::set<std::string>> Keys(const char* sql);
  Result<void> RunFor(const char* sql, const std::string& key);
  Result<void> Taken(const std::string& key) {
    return RunFor("INSERT OR IGNORE INTO taken_objects(key) VALUES (?1)", key);
  }
  bool OutOfTime() const { return ports_.clock.Now() >= work_end_; }

  Owner& owner_;
  const OwnerPorts& ports_;
  OwnerReport& report_;
  const Time work_end_;

  BucketFileSystem files_;
  std::optional<Database> catalog_;
  std::unique_ptr<Store> store_;
  std::vector<std::string> bundles_, requests_;  // keys, as they were listed
  bool hold_ = false;                            // a request waits for all that is out
  bool harvested_ = false;                       // to its end, in this call
  bool accepts_deletions_ = false;               // a person has agreed, lately
  ChannelCounts counts_;
  std::vector<IdBatch> to_send_;
  Spent caused_, by_collectors_;  // by this process so far; by those whose bundles were taken in
  std::vector<std::string> to_delete_;  // once the catalog that says so is published
};

Result<std::set<std::string>> Owner::Cycle::Keys(const char* sql) {
  TRY_ASSIGN(Statement all, catalog_->Prepare(sql));
  std::set<std::string> keys;
  for (;;) {
    TRY_ASSIGN(const bool row, all.Step());
    if (!row) return keys;
    keys.emplace(all.Text(0));
  }
}

Result<void> Owner::Cycle::RunFor(const char* sql, const std::string& key) {
  TRY_ASSIGN(Statement statement, catalog_->Prepare(sql));
  return statement.Bind(key).Run();
}

// --- K4: what the bucket holds ---

Result<void> Owner::Cycle::Open() {
  report_.epoch = owner_.home_.head().epoch;
  if (!owner_.home_.fell_back().empty()) {
    ports_.log.Error(
        "the catalog cannot be used: the one before it was taken, what was settled since is fetched again",
        {{"reason", owner_.home_.fell_back()}});
  }
  AdoptReport adopted;
  TRY_ASSIGN(Database opened, OpenOwnedCatalog(files_, ports_.scratch_folder, adopted));
  catalog_.emplace(std::move(opened));
  // The scratch folder is this function's alone: a lock a statement would protect it from nobody.
  TRY(catalog_->Execute("PRAGMA locking_mode=EXCLUSIVE"));
  TRY(ReadAccepted());
  store_ = std::make_unique<Store>(files_, *catalog_);
  report_.adopted_segments = adopted.segments;
  for (const Damage& damage : adopted.damage)
    ports_.log.Error("damaged", {{"file", damage.file}, {"offset", damage.offset}, {"reason", damage.what}});
  TRY_ASSIGN(store_->writer, RecordWriter::Open(files_, *catalog_, ports_.clock, owner_.options_.writer));
  TRY_ASSIGN(store_->queue, SqliteIdQueue::Open(*catalog_, ports_.clock, kOwnersQueue));
  TRY_ASSIGN(Dispatcher dispatcher, Dispatcher::Open(*catalog_, *store_->queue, store_->ledger, ports_.clock,
                                                     owner_.options_.dispatch));
  store_->dispatcher.emplace(std::move(dispatcher));

  TRY_ASSIGN(const auto inbox, ports_.objects.ListObjects(std::string(kInboxPrefix), ""));
  for (const ObjectInfo& object : inbox) {
    if (BatchOfKey(object.key)) bundles_.push_back(object.key);
    if (object.key.starts_with(kRequestPrefix)) requests_.push_back(object.key);
  }
  // What is gone from the inbox needs no row.
  return catalog_->Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto rows, Keys("SELECT key FROM taken_objects"));
    for (const ObjectInfo& object : inbox) rows.erase(object.key);
    for (const std::string& key : rows) TRY(RunFor("DELETE FROM taken_objects WHERE key=?1", key));
    return {};
  });
}

// What a person agrees to are answers that are yet to come: it holds for a day.
Result<void> Owner::Cycle::AcceptDeletions() {
  accepts_deletions_ = true;
  TRY_ASSIGN(Statement put, catalog_->Prepare("INSERT OR REPLACE INTO owner_times(name, time) VALUES ('accepted', ?1)"));
  return put.Bind(Micros(ports_.clock.Now())).Run();
}

Result<void> Owner::Cycle::ReadAccepted() {
  TRY_ASSIGN(Statement read, catalog_->Prepare("SELECT time FROM owner_times WHERE name='accepted'"));
  TRY_ASSIGN(const bool row, read.Step());
  // Not for ever either where a clock was ahead then.
  const std::int64_t since = row ? Micros(ports_.clock.Now()) - read.Int(0) : 0;
  accepts_deletions_ = row && std::abs(since) < Micros(Time(kAcceptedFor));
  return {};
}

// --- K5: bundles ---

Result<void> Owner::Cycle::TakeBundlesIn() {
  TRY_ASSIGN(const auto taken, Keys("SELECT key FROM taken_objects"));
  const UpstreamClock answered(ports_.clock, ports_.upstream);
  StoreIntake intake(answered, *store_->writer, store_->ledger,
                     {.accept_deletions = accepts_deletions_, .answers_come_late = true});
  for (const std::string& key : bundles_) {
    if (!taken.contains(key)) {
      if (OutOfTime()) return {};
      TRY(TakeBundleIn(key, *BatchOfKey(key), intake));
    }
    to_delete_.push_back(key);
  }
  return {};
}

Result<void> Owner::Cycle::TakeBundleIn(const std::string& key, const std::string& batch, Intake& intake) {
  const auto object = ports_.objects.Get(key);
  if (!object && object.error().code == ErrorCode::kNotFound) return {};  // deleted as one that was taken in
  TRY(object);
  auto taken = tmdbc::TakeBundleIn(object->bytes, batch, intake);
  if (!taken && taken.error().code == ErrorCode::kCorrupt && !store_->writer->CommitDeadline()) {
    ports_.log.Error("a bundle cannot be read: its ids go out again",
                     {{"bundle", key}, {"reason", taken.error().message}});
    ++report_.corrupt_bundles;
    TRY(store_->dispatcher->CameBackSpoiled(batch));
    return Taken(key);
  }
  TRY(taken);
  const auto settled = intake.Commit([&](const IntakeReport& report) -> Result<void> {
    taken->late += report.stale;
    TRY(store_->dispatcher->CameBack(batch, taken->outcome, taken->summary));
    if (taken->of_another_tmdb) TRY(store_->dispatcher->TmdbIsNotItself());
    return Taken(key);
  });
  TRY(settled);
  ++report_.bundles;
  report_.late_answers += taken->late;
  report_.requests += taken->summary.requests;
  report_.throttled += taken->summary.throttled;
  report_.denied |= taken->summary.denied;
  // It looked whether its bundle was there, and put it.
  by_collectors_ += {.puts = 1,
                     .gets = 1,
                     .invocations = 1,
                     .gb_ms = std::int64_t(taken->summary.seconds * 1000 * owner_.options_.collector_gb)};
  if (taken->summary.upstream_date) ports_.upstream.Reached(*taken->summary.upstream_date);
  return {};
}

// --- K6: requests ---

Result<void> Owner::Cycle::Harvest() {
  const auto counts = ports_.channel.Count();
  if (counts) {
    counts_ = *counts;
  } else {
    // At work, for all that is known: nothing is taken for lost.
    ports_.log.Warn("the messages cannot be counted", {{"reason", counts.error().message}});
    counts_ = {.waiting = 1};
  }
  TRY_ASSIGN(const auto taken, Keys("SELECT key FROM taken_objects"));
  for (const std::string& key : requests_) {
    if (taken.contains(key)) {
      to_delete_.push_back(key);
      continue;
    }
    const auto object = ports_.objects.Get(key);
    if (!object && object.error().code == ErrorCode::kNotFound) continue;
    TRY(object);
    const auto request = owner_.options_.read_request(object->bytes, key);
    Outcome outcome = Outcome::kDone;
    if (!request) {
      ports_.log.Error("an event asks for what cannot be done",
                       {{"event", key}, {"reason", request.error().message}});
    } else {
      TRY_ASSIGN(outcome, Answer(key, *request));
    }
    hold_ |= outcome == Outcome::kGoesOn;
    if (outcome != Outcome::kDone) continue;
    TRY(Taken(key));
    to_delete_.push_back(key);
  }
  return {};
}

Result<Owner::Cycle::Outcome> Owner::Cycle::Answer(const std::string& key, const OwnerRequest& request) {
  TRY(store_->dispatcher->TryAgain());
  if (OutOfTime()) return Outcome::kGoesOn;
  if (AsksTheApi(request)) {
    TRY_ASSIGN(const bool none, store_->dispatcher->NothingOut(counts_));
    if (!none) return Outcome::kGoesOn;  // two would share one rate
  }
  StopFlag stop;
  DeadlineTransport transport(ports_.transport, ports_.clock, work_end_, stop);
  Harvester harvester({.clock = ports_.clock,
                       .transport = transport,
                       .files = files_,
                       .catalog = *catalog_,
                       .reader = store_->reader,
                       .ledger = store_->ledger,
                       .writer = *store_->writer,
                       .popularity = store_->popularity,
                       .sender = *store_->queue,
                       .desk = *store_->queue,
                       .upstream = ports_.upstream,
                       .limiter = owner_.limiter_,
                       .random = ports_.random,
                       .log = ports_.log},
                      owner_.options_.sources);
  if (request.accept_deletions) TRY(AcceptDeletions());
  if (request.redrive) TRY(store_->queue->Redrive(std::nullopt, ports_.clock.Now()));
  for (const HarvestRequest& one : request.harvests) {
    const auto outcome = HarvestOne(one, harvester, stop);
    if (!outcome) {
      TRY_ASSIGN(const bool given_up, GiveUp(key, outcome.error()));
      return given_up ? Outcome::kDone : Outcome::kFailed;
    }
    if (*outcome == Outcome::kGoesOn) return Outcome::kGoesOn;
  }
  return Outcome::kDone;
}

Result<Owner::Cycle::Outcome> Owner::Cycle::HarvestOne(HarvestRequest request, Harvester& harvester,
                                                       const StopFlag& stop) {
  if (!request.ids.empty()) {
    TRY(harvester.HarvestIds(request.types.front(), request.ids));
    return Outcome::kDone;
  }
  if (request.types.empty()) request.types = owner_.options_.types;
  HarvestOptions options = owner_.options_.harvest_options(request);
  options.accept_deletions |= accepts_deletions_;
  TRY_ASSIGN(HarvestReport report, harvester.Harvest(options, stop));
  const bool goes_on = report.stopped, failed = report.exit_code() == kNothingReached;
  const bool denied = report.denied();
  harvested_ |= !goes_on && !failed;
  report_.harvests.push_back(std::move(report));
  if (failed) {
    return Fail(ErrorCode::kUnavailable, "{}", denied ? kKeyRefused : "neither TMDB nor the export host could be asked");
  }
  if (goes_on) return Outcome::kGoesOn;
  TRY(Expire(stop));
  return Outcome::kDone;
}

// What may be kept no longer, though TMDB was asked. It has just said what day it is.
Result<void> Owner::Cycle::Expire(const StopFlag& stop) {
  TRY_ASSIGN(const ExpiryReport expired, PurgeExpired({.clock = ports_.clock,
                                                       .files = files_,
                                                       .catalog = *catalog_,
                                                       .ledger = store_->ledger,
                                                       .writer = *store_->writer,
                                                       .queue = *store_->queue,
                                                       .upstream = ports_.upstream},
                                                      accepts_deletions_, stop));
  for (const auto& [type, of] : expired.types) {
    if (of.purged + of.held == 0) continue;
    ports_.log.Warn("records that TMDB has not confirmed for 180 days may not be kept",
                    {{"type", Name(type)}, {"purged", of.purged}, {"held", of.held}});
  }
  return {};
}

// Whether a request that failed is not tried again. An error that makes the catalog useless ends the cycle.
Result<bool> Owner::Cycle::GiveUp(const std::string& key, const Error& error) {
  if (IsDamage(error)) return std::unexpected(error);
  TRY(RunFor("INSERT INTO request_tries(key, tries) VALUES (?1, 1) ON CONFLICT(key) DO UPDATE SET tries=tries+1", key));
  TRY_ASSIGN(Statement read, catalog_->Prepare("SELECT tries FROM request_tries WHERE key=?1"));
  TRY(read.Bind(key).Step());
  const int most = error.code == ErrorCode::kUnavailable ? kOutageTries : kRequestTries;
  const bool given_up = error.code == ErrorCode::kInvalid || read.Int(0) >= most;
  read.Reset();
  if (given_up) TRY(RunFor("DELETE FROM request_tries WHERE key=?1", key));
  ports_.log.Error(given_up ? "a request is given up" : "a request is tried again",
                   {{"event", key}, {"reason", error.message}});
  return given_up;
}

// Once a harvest, so about once a day, small segments are merged.
Result<void> Owner::Cycle::Tidy() {
  TRY(store_->writer->Commit({}));
  for (const MediaType type : kRecordTypes) {
    if (OutOfTime()) return {};
    TRY_ASSIGN(const CompactReport merged,
               Compact(files_, *catalog_, *store_->writer, type,
                       {.least_segments = owner_.options_.least_to_merge, .much_larger = kMuchLarger},
                       [this] { return OutOfTime(); }));
    report_.merged_segments += merged.segments_before;
  }
  return {};
}

// --- K7 and K8: what goes out, what is sealed ---

Result<void> Owner::Cycle::HandOut() {
  TRY(store_->dispatcher->HandOut(report_.epoch, counts_, hold_));
  TRY_ASSIGN(to_send_, store_->dispatcher->Unsent(owner_.home_.head().sent));
  return {};
}

Result<void> Owner::Cycle::Seal() {
  TRY(store_->writer->Commit({}));
  TRY(store_->writer->Seal());
  TRY_ASSIGN(const auto due, DoomRemovedObjects(*catalog_, files_, ports_.clock.Now()));
  to_delete_.insert(to_delete_.end(), due.begin(), due.end());
  return {};
}

// --- K9: the catalog as one file ---

Result<HeadState> Owner::Cycle::Close() {
  HeadState next;
  TRY_ASSIGN(next.sequences, SequencesOf(*catalog_));
  TRY_ASSIGN(const auto counts, store_->queue->Counts());
  for (const auto& [type, count] : counts) {
    next.waiting += count.waiting + count.delayed;
    report_.dead += count.dead;
  }
  TRY_ASSIGN(report_.out, store_->dispatcher->CountOut());
  next.out_batches = report_.out.batches;
  next.out_ids = report_.out.ids;
  next.stopped = store_->dispatcher->stopped();
  report_.waiting = next.waiting;
  report_.stopped = next.stopped;
  report_.channel = counts_;
  if (!report_.harvests.empty()) {  // about once a day: it reads the whole index
    TRY_ASSIGN(const auto records, store_->ledger.Counts());
    for (const auto& [type, count] : records) {
      if (const auto oldest = count.oldest_verified) {
        report_.oldest_verified = std::min(report_.oldest_verified.value_or(*oldest), *oldest);
      }
    }
  }
  TRY_ASSIGN(const auto last, NotePublication(*catalog_, ports_.clock.Now()));
  const double span = last ? std::chrono::duration<double>(ports_.clock.Now() - *last).count() : 0;
  if (report_.requests > 0 && span > 0) report_.seen_rate = double(report_.requests) / span;
  if (ports_.spent) caused_ = ports_.spent();
  TRY_ASSIGN(report_.spent,
             AddSpent(*catalog_, caused_ - owner_.counted_ + by_collectors_, ports_.clock.Now()));
  store_.reset();
  TRY(CheckpointCatalog(*catalog_));
  catalog_.reset();
  return next;
}

// --- K11 and K12: the messages, and what nobody needs any more ---

void Owner::Cycle::Send() {
  if (to_send_.empty()) return;
  auto sent = ports_.channel.Send(to_send_);
  if (sent) report_.sent_batches = std::ssize(to_send_);
  if (sent) sent = owner_.home_.Sent();
  if (!sent)
    ports_.log.Warn("messages are sent again with the next cycle", {{"reason", sent.error().message}});
}

void Owner::Cycle::Clean() {
  const HeadState& head = owner_.home_.head();
  if (const auto old = OldCatalogs(ports_.objects, head))
    to_delete_.insert(to_delete_.end(), old->begin(), old->end());
  Result<void> done;
  if (!to_delete_.empty()) done = ports_.objects.Delete(to_delete_);
  if (!done)
    ports_.log.Warn("what nobody needs any more is deleted later", {{"reason", done.error().message}});
  const OwnerStatus seen{.dead = report_.dead,
                         .channel = report_.channel,
                         .spent = report_.spent,
                         .rate = owner_.options_.dispatch.rate,
                         .seen_rate = report_.seen_rate};
  const auto status = ports_.objects.Put(
      std::string(kStatusKey), FormatOwnerStatus(head, seen, ports_.clock.Now()), PutCondition::None());
  if (!status) ports_.log.Warn("status.json is written later", {{"reason", status.error().message}});
}

// --- the call ---

Owner::Owner(const OwnerPorts& ports, OwnerOptions options)
    : ports_(ports),
      options_(Trusting(std::move(options))),
      home_(ports_.objects, ports_.scratch, ports_.clock),
      limiter_(options_.dispatch.rate, ports_.clock) {}

// K1. What is old enough or much enough to be taken in, asked for, lost, or waits while nothing is out.
Result<bool> Owner::IsDue(const HeadState& head) {
  TRY_ASSIGN(const auto inbox, ports_.objects.ListObjects(std::string(kInboxPrefix), ""));
  std::size_t bundles = 0;
  std::uint64_t bytes = 0;
  for (const ObjectInfo& object : inbox) {
    if (object.key.starts_with(kRequestPrefix)) return true;
    if (!BatchOfKey(object.key)) continue;
    ++bundles;
    bytes += object.bytes;
  }
  if (bundles >= kDueBundles || bytes >= kDueBytes) return true;
  if (head.holder) return true;  // its owner died
  // They have come since the last call that owned the mirror.
  const Time last = head.until - kLeaseBeyondDeadline - kLongestCall;
  if (bundles > 0) return ports_.clock.Now() - last >= CycleFor(options_.dispatch.rate);
  if (head.out_batches == 0) return head.waiting > 0 && !head.stopped;
  TRY_ASSIGN(const ChannelCounts counts, ports_.channel.Count());
  return counts.waiting == 0 && counts.in_flight == 0;
}

// K0.
Result<void> Owner::PutRequest(const std::string& id, const std::string& body) {
  const auto put =
      ports_.objects.Put(fmt::format("{}{}.json", kRequestPrefix, id), body, PutCondition::Absent());
  // It was delivered before.
  if (!put && put.error().code != ErrorCode::kExists) return std::unexpected(put.error());
  return {};
}

Result<OwnerReport> Owner::Call(const OwnerCall& call) {
  OwnerReport report;
  if (call.event) TRY(PutRequest(call.event->id, call.event->body));
  TRY_ASSIGN(const auto head, home_.PeekHead());
  if (head) report.stopped = head->stopped;
  if (!head && !call.event && !options_.first_request.empty()) {
    TRY(PutRequest("first", options_.first_request));
  }
  if (head && IsHeld(*head, ports_.clock.Now())) {
    report.end = OwnerEnd::kHeld;
    return report;
  }
  if (!call.event) {
    TRY_ASSIGN(const bool due, IsDue(head.value_or(HeadState{})));
    if (!due) return report;
  }
  TRY_ASSIGN(const bool taken,
             home_.Take(call.holder, call.deadline + kLeaseBeyondDeadline - ports_.clock.Now()));
  if (!taken) {
    report.end = OwnerEnd::kHeld;
    return report;
  }
  Cycle cycle(*this, call, report);
  if (const auto done = cycle.Run(); !done) {
    (void)home_.Drop();
    if (done.error().code != ErrorCode::kExists) return std::unexpected(done.error());
    ports_.log.Warn("somebody else was here: the next call begins from what is in the bucket",
                    {{"reason", done.error().message}});
    report.end = OwnerEnd::kLost;
    return report;
  }
  report.end = OwnerEnd::kPublished;
  cycle.Finish();
  return report;
}

}  // namespace tmdbc

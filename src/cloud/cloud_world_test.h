// SPDX-License-Identifier: MIT
// CloudWorld: a mirror in a bucket, its owners and collectors on machines that die, a queue of messages between them,
// and a small TMDB whose films, shows and people are edited: exports and change feeds for the harvest, bodies for the
// collectors. Owners are the real ones. A collector here does what the real one does, without the network, and lives
// from Begin() to End(): what happens between them is up to the test.
// For tests: it stands on src/testing.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/compression.h"
#include "base/json.h"
#include "cloud/bundle.h"
#include "cloud/owner.h"
#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "testing/fake_clock.h"
#include "testing/fake_export_host.h"
#include "testing/memory_channel.h"
#include "testing/memory_folder.h"
#include "testing/memory_object_store.h"
#include "tmdb/export_line.h"

namespace tmdbc::testing {

// A folder where nothing waits for a disk, gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = MemoryFolder() / "cloud_test_XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What TMDB has. Content is a number that only grows; its body is a function of it.
class SmallTmdb {
 public:
  SmallTmdb(FakeClock& clock, FakeExportHost& host) : clock_(clock), host_(host) {}

  // A new content, or back again.
  void Edit(MediaId id) {
    Thing& thing = things_[id];
    thing.live = true;
    ++thing.content;
    thing.edited = clock_.Now();
    NoteChange(id);
  }
  void Remove(MediaId id) {
    Thing& thing = things_[id];
    thing.live = false;
    ++thing.content;
    thing.edited = thing.removed = clock_.Now();
    NoteChange(id);
  }
  struct Thing {
    bool live = false;
    std::int64_t content = 0;
    Time edited{}, removed{};  // last
  };
  const std::map<MediaId, Thing>& things() const { return things_; }
  bool live(MediaId id) const { return things_.contains(id) && things_.at(id).live; }
  std::vector<std::int64_t> Seasons(MediaId show) const {
    std::vector<std::int64_t> numbers;
    for (int number = 1; number <= things_.at(show).content % 3; ++number) numbers.push_back(number);
    return numbers;
  }
  std::string Body(MediaId id) const {
    const std::int64_t content = things_.at(id).content;
    std::string seasons;
    if (id.type == MediaType::kTv) {
      for (const std::int64_t number : Seasons(id))
        seasons += fmt::format(R"({}{{"id":{},"season_number":{}}})", seasons.empty() ? "" : ",",
                               SeasonId(id, number), number);
      seasons = fmt::format(R"(,"seasons":[{}])", seasons);
    }
    return fmt::format(R"({{"id":{},"name":"{} as of edit {}"{}}})", id.id, ToString(id), content, seasons);
  }
  std::string SeasonBody(MediaId show, std::int64_t number) const {
    return fmt::format(R"({{"id":{},"name":"Season {} as of edit {}","season_number":{}}})", SeasonId(show, number),
                       number, things_.at(show).content, number);
  }
  static std::int64_t SeasonId(MediaId show, std::int64_t number) { return show.id * 10 + number; }

  // Everything that there is, by id; a show's seasons beside it.
  std::map<MediaId, std::string> Live() const {
    std::map<MediaId, std::string> all;
    for (const auto& [id, thing] : things_) {
      if (!thing.live) continue;
      all[id] = Body(id);
      if (id.type != MediaType::kTv) continue;
      for (const std::int64_t number : Seasons(id))
        all[{MediaType::kSeason, SeasonId(id, number)}] = SeasonBody(id, number);
    }
    return all;
  }
  // The exports of the day, as at every 8 o'clock.
  void PublishExports() {
    const auto day = std::chrono::floor<std::chrono::days>(clock_.Now());
    if (day == exported_) return;
    exported_ = day;
    std::map<MediaType, std::string> lines{{MediaType::kMovie, ""}, {MediaType::kTv, ""}, {MediaType::kPerson, ""}};
    for (const auto& [id, thing] : things_) {
      if (!thing.live) continue;
      const char* const form = id.type == MediaType::kMovie
                                   ? R"({{"adult":false,"id":{},"original_title":"x","popularity":{},"video":false}})"
                               : id.type == MediaType::kTv
                                   ? R"({{"id":{},"original_name":"x","popularity":{}}})"
                                   : R"({{"adult":false,"id":{},"name":"x","popularity":{}}})";
      lines[id.type] += fmt::format(fmt::runtime(form), id.id, id.id % 10) + "\n";
    }
    for (const auto& [type, text] : lines) {
      if (!text.empty())
        host_.Publish(ExportUrl("", TraitsOf(type).exports.name, day).substr(1), Gzip(text));
    }
  }

 private:
  // In the change feed of the day, once.
  void NoteChange(MediaId id) {
    const auto day = std::chrono::floor<std::chrono::days>(clock_.Now());
    const std::string row = fmt::format(R"({{"id":{},"adult":{}}})", id.id, live(id) ? "false" : "null");
    auto& rows = host_.ChangesOf(id.type, day);
    const std::string start = fmt::format(R"({{"id":{},)", id.id);
    if (!told_.emplace(id, day).second)
      std::erase_if(rows, [&](const std::string& other) { return other.starts_with(start); });
    rows.push_back(row);
  }

  FakeClock& clock_;
  FakeExportHost& host_;
  std::map<MediaId, Thing> things_;
  std::set<std::pair<MediaId, std::chrono::sys_days>> told_;
  std::chrono::sys_days exported_{};
};

// TMDB and its export host as one call of an owner sees them: as they were when it began, so that calls that overlap do
// not take each other's answers.
class HostView final : public http::HttpTransport {
 public:
  explicit HostView(const FakeExportHost& host) : host_(host) { Refresh(); }
  void Refresh() { view_ = std::make_unique<FakeExportHost>(host_); }
  // Told of each answer.
  std::function<void(const FakeExportHost& view)> on_answer;

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return view_->Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    auto outcomes = view_->Wait(deadline);
    if (on_answer && !outcomes.empty()) on_answer(*view_);
    return outcomes;
  }
  int Room() const override { return view_->Room(); }
  int InFlight() const override { return view_->InFlight(); }
  void Cancel(http::RequestId id) override { view_->Cancel(id); }

 private:
  const FakeExportHost& host_;
  std::unique_ptr<FakeExportHost> view_;
};

class CloudWorld {
 public:
  explicit CloudWorld(std::uint64_t seed = 1, MemoryChannel::Options channel = {})
      : messages(clock, channel), random(seed) {
    host.piece_time = Duration(100);
  }

  // One environment of the owner's function: what it keeps from call to call it keeps until it dies.
  struct Machine {
    Machine(CloudWorld& world, std::uint64_t seed)
        : store(world.bucket), channel(world.messages), host(world.host), random(seed) {
      log.emplace(world.log_file(), LogLevel::kDebug, LogFormat::kText, world.clock);
    }
    MemoryObjectStore store;
    MemoryChannel channel;
    ScratchFolder folder;
    PosixFileSystem scratch{folder.path()};
    HostView host;
    UpstreamDate upstream;
    std::mt19937_64 random;
    std::optional<Log> log;
    std::optional<Owner> owner;
  };
  std::unique_ptr<Machine> NewMachine() {
    auto machine = std::make_unique<Machine>(*this, random());
    MakeOwner(*machine, machine->store, machine->channel);
    return machine;
  }
  // With what stands between the owner and its machine's ports.
  void MakeOwner(Machine& m, ObjectStore& objects, BatchChannel& channel) {
    m.owner.emplace(OwnerPorts{.objects = objects,
                               .channel = channel,
                               .scratch = m.scratch,
                               .scratch_folder = m.folder.path(),
                               .clock = clock,
                               .transport = m.host,
                               .upstream = m.upstream,
                               .random = m.random,
                               .log = *m.log},
                    Options());
  }
  OwnerOptions Options() const {
    OwnerOptions options;
    options.dispatch = dispatch;
    options.sources = {.export_base_url = std::string(FakeExportHost::kBaseUrl),
                       .api = {.base_url = std::string(FakeExportHost::kApiUrl),
                               .secret_query = "",
                               .bearer = "",
                               .user_agent = "tmdb-collector/test"}};
    options.least_to_merge = least_to_merge;
    options.types = {MediaType::kMovie, MediaType::kTv, MediaType::kPerson};
    options.first_request = first_request;
    options.read_request = [](std::string_view event, const std::string& key) -> Result<OwnerRequest> {
      OwnerRequest request;
      if (event == "redrive") {
        request.redrive = true;
      } else if (event == "auto") {
        request.harvests.push_back({});
      } else if (event == "accept") {
        request.harvests.push_back({});
        request.accept_deletions = true;
      } else if (event == "export") {
        request.harvests.push_back({.mode = HarvestMode::kExport});
      } else if (event.starts_with("movies ")) {
        HarvestRequest ids{.types = {MediaType::kMovie}};
        for (const char c : event.substr(7)) ids.ids.push_back(c - '0');
        request.harvests.push_back(ids);
      } else {
        return Fail(ErrorCode::kInvalid, "{}: {} is nothing that can be asked for", key, event);
      }
      return request;
    };
    options.harvest_options = [](const HarvestRequest& request) {
      HarvestOptions harvest;
      harvest.types = request.types;
      harvest.limit = request.limit;
      harvest.mode = request.mode;
      return harvest;
    };
    return options;
  }

  OwnerCall NewCall(std::optional<OwnerEvent> event = {}) {
    OwnerCall call;
    call.holder = fmt::format("call-{}", ++calls_);
    call.deadline = clock.Now() + std::chrono::minutes(15);
    call.event = std::move(event);
    return call;
  }
  Result<OwnerReport> Heartbeat(Machine& machine) {
    machine.host.Refresh();
    return machine.owner->Call(NewCall());
  }
  Result<OwnerReport> Ask(Machine& machine, std::string_view what) {
    machine.host.Refresh();
    return machine.owner->Call(NewCall(OwnerEvent{fmt::format("event-{}", ++events_), std::string(what)}));
  }

  // --- collectors ---

  struct Collector {
    MemoryChannel::Delivery delivery;
    IdBatch batch;
    std::string bundle;
  };
  bool tmdb_is_down = false, key_is_refused = false;
  // What is left over of a batch when a collector runs out of time.
  std::int64_t most_ids = 1'000'000;
  std::set<MediaId> poison;  // a collector that works on it dies
  std::set<MediaId> failing;

  // What TMDB has of `id`, into a bundle or an Intake.
  template <class Into>
  Result<void> HandIn(Into& into, MediaId id) {
    if (!tmdb.live(id)) return into.Gone(id, clock.Now());
    std::vector<Document> documents{MakeDocument(id, tmdb.Body(id))};
    SeasonList seasons;
    if (id.type == MediaType::kTv) {
      seasons.given = true;
      for (const std::int64_t number : tmdb.Seasons(id)) {
        seasons.numbers.push_back(number);
        seasons.ids.push_back(SmallTmdb::SeasonId(id, number));
        const MediaId season{MediaType::kSeason, SmallTmdb::SeasonId(id, number)};
        documents.push_back(MakeDocument(season, tmdb.SeasonBody(id, number)));
        documents.back().tv_id = id.id;
        documents.back().season_number = number;
      }
    }
    return into.Fetched(id, std::move(documents), seasons, clock.Now());
  }

  // Receives one message and does its work; empty: there is none, its bundle is there already, or it died.
  std::optional<Collector> Begin() {
    auto delivery = messages.Receive();
    if (!delivery) return std::nullopt;
    Collector collector{*delivery, ParseIdBatch(delivery->body).value(), ""};
    if (bucket.objects.contains(BundleKey(collector.batch.name))) {
      messages.Delete(delivery->receipt);
      return std::nullopt;
    }
    BundleWriter writer(collector.batch);
    BundleSummary summary;
    for (const IdBatch::Item& item : collector.batch.items) {
      if (poison.contains(item.id)) return std::nullopt;
      if (tmdb_is_down || key_is_refused || summary.requests >= most_ids) continue;
      clock.Advance(std::chrono::milliseconds(25));
      ++summary.requests;
      ++fetches[item.id];
      summary.answered = true;
      if (failing.contains(item.id)) {
        writer.Failed(item.id, "get: HTTP 503 after 5 tries");
      } else {
        const auto done = HandIn(writer, item.id);
        EXPECT_TRUE(done) << done.error().message;
      }
    }
    if (tmdb_is_down || key_is_refused) summary.requests = 5;
    summary.denied = key_is_refused;
    summary.seconds = double(summary.requests) / 40;
    collector.bundle = writer.Finish(summary);
    return collector;
  }
  void End(const Collector& collector) {
    MemoryObjectStore store(bucket);
    (void)store.Put(BundleKey(collector.batch.name), collector.bundle, PutCondition::Absent());
    messages.Delete(collector.delivery.receipt);
  }
  // All messages that there are; how many.
  int CollectAll() {
    int done = 0;
    while (const auto collector = Begin()) {
      End(*collector);
      ++done;
    }
    return done;
  }

  // --- what the bucket holds ---

  // Of each id the last line in the order of the feed.
  struct View {
    std::int64_t version = 0;
    Change change = Change::kInsert;
    Time at{};
    std::string data;
  };
  // Reads all segments as an outsider does, and says what must never be: a gap, a number whose body changed, a version
  // that does not follow the one before, times that go back, a state.json that promises what is not there.
  std::string Fault() {
    // What was looked at and has not changed since is as it was.
    std::map<std::string, std::string> seen;
    for (const auto& [key, object] : bucket.objects)
      if (key.starts_with("records/")) seen.emplace(key, object.etag);
    if (seen == seen_) return "";
    seen_.clear();
    views_.clear();
    for (const auto& [key, etag] : seen) {
      if (key.ends_with("state.json")) continue;
      const auto [at, fresh] = bodies_.emplace(key, etag);
      if (!fresh && at->second != etag) return fmt::format("{} has got a second body", key);
    }
    for (const MediaType type : kRecordTypes) {
      if (auto fault = FaultOf(type); !fault.empty()) return fmt::format("{}: {}", Name(type), fault);
    }
    seen_ = std::move(seen);
    return "";
  }
  // After Fault().
  const std::map<MediaId, View>& views() const { return views_; }
  // What somebody was told of, and is not stored though nobody has it to fetch any more: an id as it was then.
  std::string Lost(const std::map<MediaId, SmallTmdb::Thing>& told) {
    if (auto fault = Fault(); !fault.empty()) return fault;
    for (const auto& [id, thing] : told) {
      const auto view = views_.find(id);
      const bool stored = view != views_.end() && view->second.change != Change::kDelete;
      bool known = false;
      if (stored) {
        const std::string& data = view->second.data;
        const std::size_t at = data.find("as of edit ");
        known = at != data.npos && std::atoll(data.c_str() + at + 11) >= thing.content;
      } else {
        // It may have gone before it was fetched, and come back.
        known = !thing.live || tmdb.things().at(id).removed >= thing.edited ||
                (view != views_.end() && view->second.at >= ToMillis(thing.edited));
      }
      if (!known)
        return fmt::format("{} as of edit {} was told of and is not stored: {}", ToString(id), thing.content,
                           stored ? view->second.data : "gone, or never there");
      if (stored && id.type == MediaType::kTv && tmdb.live(id) && view->second.data == tmdb.Body(id)) {
        if (auto fault = SeasonsDiffer(id); !fault.empty()) return fault;
      }
      if (!stored && id.type == MediaType::kTv && !StoredSeasons(id).empty())
        return fmt::format("{} is gone, its seasons are not", ToString(id));
    }
    return "";
  }
  // What is live and is not what TMDB has, or the other way round; empty: the mirror equals the source.
  std::string Difference() {
    if (auto fault = Fault(); !fault.empty()) return fault;
    auto wanted = tmdb.Live();
    for (const auto& [id, view] : views_) {
      if (view.change == Change::kDelete || view.change == Change::kPurge) continue;
      const auto it = wanted.find(id);
      if (it == wanted.end()) return fmt::format("{} is stored and is gone at TMDB", ToString(id));
      if (it->second != view.data)
        return fmt::format("{} is stored as {}, TMDB has {}", ToString(id), view.data, it->second);
      wanted.erase(it);
    }
    return wanted.empty() ? "" : fmt::format("{} is not stored", ToString(wanted.begin()->first));
  }
  HeadState Head() {
    const auto head = bucket.objects.find(std::string(kHeadKey));
    return head == bucket.objects.end() ? HeadState{} : ParseHeadState(head->second.bytes).value();
  }
  std::vector<std::string> Keys(std::string_view prefix) {
    std::vector<std::string> keys;
    for (const auto& [key, object] : bucket.objects)
      if (key.starts_with(prefix)) keys.push_back(key);
    return keys;
  }

  std::FILE* log_file() {
    if (!log_file_) log_file_.reset(std::getenv("TMDBC_SEED") ? ::fdopen(::dup(2), "w") : std::fopen("/dev/null", "w"));
    return log_file_.get();
  }

  FakeClock clock{Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(9))};
  MemoryObjectStore::Bucket bucket;
  MemoryChannel::Queue messages;
  FakeExportHost host{clock};
  SmallTmdb tmdb{clock, host};
  DispatchOptions dispatch;
  std::string first_request;
  std::size_t least_to_merge = kLeastToMerge;
  std::mt19937_64 random;
  std::map<MediaId, std::int64_t> fetches;

 private:
  // By number, of those that are live.
  std::map<std::int64_t, std::string> StoredSeasons(MediaId show) const {
    std::map<std::int64_t, std::string> seasons;
    for (std::int64_t number = 1; number <= 2; ++number) {
      const auto view = views_.find({MediaType::kSeason, SmallTmdb::SeasonId(show, number)});
      if (view != views_.end() && view->second.change != Change::kDelete) seasons[number] = view->second.data;
    }
    return seasons;
  }
  std::string SeasonsDiffer(MediaId show) const {
    std::map<std::int64_t, std::string> wanted;
    for (const std::int64_t number : tmdb.Seasons(show)) wanted[number] = tmdb.SeasonBody(show, number);
    if (wanted == StoredSeasons(show)) return "";
    return fmt::format("the seasons of {} are not those of its body", ToString(show));
  }
  Document MakeDocument(MediaId id, std::string data) {
    Document document;
    document.id = id;
    document.fetched_at = clock.Now();
    document.hash = HashContent(data).value();
    document.data = std::move(data);
    return document;
  }
  struct Segment {
    std::uint32_t number = 0;
    std::optional<SegmentOrigin> origin;
    std::deque<std::string> texts;
    std::vector<RecordLine> lines;  // of the texts
    std::uint32_t place() const { return origin ? origin->last() : number; }
  };
  // A segment never changes: it is read once.
  const Segment& Read(const std::string& key, std::uint32_t number) {
    auto [at, fresh] = segments_.try_emplace(key);
    Segment& segment = at->second;
    if (!fresh) return segment;
    segment.number = number;
    MemoryObjectStore store(bucket);
    SegmentReader reader(store, key, bucket.objects.at(key).bytes.size());
    while (const auto frame = reader.Next().value()) {
      EXPECT_EQ(frame->damage, "") << key;
      if (frame->origin) segment.origin = frame->origin;
      for (std::size_t begin = 0; begin < frame->content.size();) {
        const std::size_t end = frame->content.find('\n', begin);
        segment.texts.push_back(frame->content.substr(begin, end - begin));
        segment.lines.push_back(ParseRecordLine(segment.texts.back()).value());
        begin = end + 1;
      }
    }
    return segment;
  }

  std::string FaultOf(MediaType type) {
    std::vector<const Segment*> found;
    std::set<std::uint32_t> covered, replaced;
    for (const std::string& key : Keys(fmt::format("records/{}/0", Name(type)))) {
      const auto name = ParseSegmentPath(key);
      if (!name) return fmt::format("{} is not a segment", key);
      const Segment& segment = Read(key, name->number);
      found.push_back(&segment);
      covered.insert(name->number);
      if (!segment.origin) continue;
      for (const auto& part : segment.origin->parts) {
        covered.insert(part.number);
        replaced.insert(part.number);
      }
      for (const std::uint32_t number : segment.origin->retired) {
        covered.insert(number);
        replaced.insert(number);
      }
    }
    if (!covered.empty() && covered.size() != *covered.rbegin()) return "there is a gap in the numbers";
    std::erase_if(found, [&](const Segment* segment) { return replaced.contains(segment->number); });
    std::ranges::sort(found, {}, [](const Segment* segment) { return segment->place(); });
    if (const auto state = bucket.objects.find(StatePath(type)); state != bucket.objects.end()) {
      std::int64_t promised = 0;
      if (ParsedJson::Parse(state->second.bytes).value().root()["sequence"].get(promised)) return "no state.json";
      if (covered.empty() || promised > *covered.rbegin()) return "state.json promises what is not there";
    }
    for (const Segment* segment : found) {
      for (const RecordLine& line : segment->lines) {
        if (!line.is_record()) continue;
        const auto [at, first] = views_.try_emplace(line.id);
        View& view = at->second;
        const bool stays = line.change == Change::kStats || line.change == Change::kPurge;
        if (line.version != view.version + (stays ? 0 : 1)) {
          return fmt::format("{} has version {} behind version {}, in segment {}", ToString(line.id), line.version,
                             view.version, segment->number);
        }
        if (!first && line.fetched_at < view.at) return fmt::format("the times of {} go back", ToString(line.id));
        if ((line.change == Change::kInsert) != (line.version == 1))
          return fmt::format("inserts of {}", ToString(line.id));
        view = {line.version, line.change, line.fetched_at, std::string(line.data)};
      }
    }
    return "";
  }

  int calls_ = 0, events_ = 0;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> log_file_;
  std::map<std::string, std::string> seen_;    // under records/, when no fault was found: keys and ETags
  std::map<std::string, std::string> bodies_;  // of segments: the ETag of the first one seen
  std::map<std::string, Segment> segments_;
  std::map<MediaId, View> views_;
};

}  // namespace tmdbc::testing

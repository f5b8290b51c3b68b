// SPDX-License-Identifier: MIT
// make_store: a mirror of any size as one would find it on a disk after weeks of work, made by the store's own
// RecordWriter: all types, records in the order in which a first crawl fetches them (the most popular first, so that
// their ids are in no order), then days of updates, statistics, answers without news, deletions and ids that are
// missing. Bodies have TMDB's shape but are small. The same arguments make the same store.
//
//   make_store OUT [--records=6000000] [--segments=50000] [--days=30]
//   make_store OUT --touch=1000
//
// OUT/data is the DATA_DIR; OUT/exports/movie_ids.json... are today's exports, OUT/changes/movie.txt... the ids of a
// day's change feed. The second form opens the store that is there as a collector does and says what the opening, an
// update of so many films, each commit with one of them, and the seal take.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "app/data_dir.h"
#include "harvester/watermarks.h"
#include "storage/record_writer.h"
#include "testing/fake_clock.h"
#include "tmdb/document.h"
#include "tmdb/export_line.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(std::string_view act, const Error& error) {
  fmt::print(stderr, "make_store: {}: {}\n", act, error.message);
  std::exit(1);
}
void Check(std::string_view act, const Result<void>& done) {
  if (!done) Die(act, done.error());
}
template <class T>
T Need(std::string_view act, Result<T> value) {
  if (!value) Die(act, value.error());
  return *std::move(value);
}

// What the whole of TMDB has, by type.
struct Share {
  MediaType type;
  double records;
};
constexpr Share kShares[] = {{MediaType::kMovie, 0.19},      {MediaType::kTv, 0.035},
                             {MediaType::kSeason, 0.06},     {MediaType::kPerson, 0.66},
                             {MediaType::kCollection, 0.01}, {MediaType::kCompany, 0.03},
                             {MediaType::kNetwork, 0.001},   {MediaType::kKeyword, 0.014}};
// Of the segments those that the first crawl fills; the rest are of the days after it.
constexpr double kFirstSegments = 0.85;
// Of all records: asked again in those days; and ids beside them that TMDB does not have.
constexpr double kAskedAgain = 0.12, kMissing = 0.01;
// Of the ids of an export that nobody has fetched yet; of all that a day's change feed names.
constexpr double kNewInExport = 0.01, kChangedInADay = 1.0 / 150;

// Syncs nothing: a power cut while a store is made costs no more than making it again.
class UnsyncedFiles final : public FileSystem {
 public:
  explicit UnsyncedFiles(std::string root) : files_(std::move(root)) {}
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    TRY_ASSIGN(auto file, files_.OpenAppend(path));
    return std::make_unique<Unsynced>(std::move(file));
  }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Result<void> Remove(const std::string& path) override { return files_.Remove(path); }
  Result<void> SyncFolder(const std::string&) override { return {}; }
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override {
    return files_.Read(path, offset, length);
  }
  Result<std::uint64_t> Size(const std::string& path) override { return files_.Size(path); }
  Result<bool> Exists(const std::string& path) override { return files_.Exists(path); }
  Result<std::vector<std::string>> List(const std::string& folder) override { return files_.List(folder); }

 private:
  class Unsynced final : public AppendFile {
   public:
    explicit Unsynced(std::unique_ptr<AppendFile> file) : file_(std::move(file)) {}
    Result<void> Append(std::string_view bytes) override { return file_->Append(bytes); }
    Result<void> Sync() override { return {}; }
    Result<void> Truncate(std::uint64_t size) override { return file_->Truncate(size); }
    std::uint64_t size() const override { return file_->size(); }

   private:
    const std::unique_ptr<AppendFile> file_;
  };

  PosixFileSystem files_;
};

// --- bodies ---

constexpr const char* kWords[] = {"the",    "a",      "night",  "detective", "finds", "city",
                                  "love",   "war",    "young",  "must",      "world", "where",
                                  "family", "story",  "life",   "secret",    "home",  "against",
                                  "田中",   "Nguyễn", "Иванов", "de la",     "house", "returns"};

// What is made of a record, and in which state: a new `edition` is an update, a new `rating` statistics.
struct Subject {
  MediaId id{};
  std::int64_t tv_id = 0, season_number = 0;
  float popularity = 0;
  int edition = 0, rating = 0;
};

using Random = std::minstd_rand;

void AppendWords(std::string& text, Random& random, std::size_t words) {
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) text += ' ';
    text += kWords[random() % std::size(kWords)];
  }
}

std::string NameOf(MediaId id) {
  Random random{std::uint32_t(id.id * 16 + std::int64_t(id.type))};
  std::string name;
  AppendWords(name, random, 1 + random() % 4);
  return name;
}

std::string BodyOf(const Subject& subject) {
  const std::int64_t id = subject.id.id;
  const std::string name = NameOf(subject.id);
  Random random{std::uint32_t(id * 64 + std::int64_t(subject.id.type) + subject.edition * 7919)};
  std::string body;
  body.reserve(900);
  const auto out = std::back_inserter(body);
  const double popularity = double(subject.popularity) + 0.25 * subject.rating;
  const auto overview = [&](std::size_t words) {
    body += R"(,"overview":")";
    AppendWords(body, random, words);
    body += '"';
  };
  switch (subject.id.type) {
    case MediaType::kMovie:
      fmt::format_to(
          out,
          R"({{"adult":false,"backdrop_path":"/{:016x}.jpg","budget":{},"genres":[{{"id":18,"name":"Drama"}}])",
          random(), random() % 1'000'000);
      fmt::format_to(out, R"(,"id":{},"imdb_id":"tt{:07}","original_language":"en","original_title":"{}")",
                     id, id, name);
      overview(10 + random() % 40);
      fmt::format_to(
          out,
          R"(,"popularity":{:.4f},"release_date":"{}-10-15","runtime":{},"status":"Released","title":"{}")",
          popularity, 1930 + random() % 97, 60 + random() % 90, name);
      fmt::format_to(out, R"(,"vote_average":{:.3f},"vote_count":{},"credits":{{"cast":[)",
                     double(random() % 10'000) / 1000, int(random() % 900) + subject.rating);
      for (std::size_t i = 0, cast = random() % 4; i < cast; ++i) {
        fmt::format_to(out, R"({}{{"id":{},"character":"{}","credit_id":"{:016x}","order":{}}})",
                       i == 0 ? "" : ",", random() % 5'000'000, kWords[random() % std::size(kWords)],
                       random(), i);
      }
      body += "],\"crew\":[]}}";
      break;
    case MediaType::kTv:
      fmt::format_to(
          out, R"({{"adult":false,"first_air_date":"{}-01-06","id":{},"in_production":false,"name":"{}")",
          1950 + random() % 77, id, name);
      overview(10 + random() % 30);
      fmt::format_to(
          out,
          R"(,"popularity":{:.4f},"status":"Ended","type":"Scripted","vote_average":7.1,"vote_count":{}}})",
          popularity, int(random() % 500) + subject.rating);
      break;
    case MediaType::kSeason:
      fmt::format_to(out, R"({{"air_date":"2011-04-17","episodes":[)");
      for (int i = 1; i <= 8; ++i) {
        fmt::format_to(
            out,
            R"({}{{"air_date":"2011-04-{:02}","episode_number":{},"id":{},"name":"Episode {}","runtime":{},)"
            R"("season_number":{},"show_id":{}}})",
            i == 1 ? "" : ",", 16 + i, i, id * 8 + i, i, 20 + random() % 40, subject.season_number,
            subject.tv_id);
      }
      fmt::format_to(out, R"(],"name":"Season {0}","id":{1},"season_number":{0},"vote_average":{2:.1f}}})",
                     subject.season_number, id, 6.5 + 0.1 * subject.rating);
      break;
    case MediaType::kPerson:
      fmt::format_to(out, R"({{"adult":false,"also_known_as":[],"biography":")");
      AppendWords(body, random, random() % 4 == 0 ? 40 : 0);
      fmt::format_to(
          out, R"(","birthday":null,"deathday":null,"gender":{},"homepage":null,"id":{},"imdb_id":"nm{:07}")",
          random() % 3, id, id);
      fmt::format_to(
          out, R"(,"known_for_department":"Acting","name":"{}","place_of_birth":null,"popularity":{:.4f})",
          name, popularity);
      fmt::format_to(
          out,
          R"(,"profile_path":null,"combined_credits":{{"cast":[{{"id":{},"credit_id":"{:016x}"}}],"crew":[]}}}})",
          random() % 1'500'000, random());
      break;
    case MediaType::kKeyword:
      fmt::format_to(out, R"({{"id":{},"name":"{}"}})", id, name);
      break;
    default:
      fmt::format_to(
          out,
          R"({{"headquarters":"","homepage":"","id":{},"logo_path":null,"name":"{}","origin_country":"US")",
          id, name);
      overview(random() % 12);
      fmt::format_to(out, R"(,"popularity":{:.4f}}})", popularity);
  }
  return body;
}

Document DocumentOf(const Subject& subject, Time now) {
  Document document;
  document.id = subject.id;
  document.tv_id = subject.tv_id;
  document.season_number = subject.season_number;
  document.data = BodyOf(subject);
  document.hash = Need("hash", HashContent(document.data));
  document.fetched_at = now;
  if (subject.id.type == MediaType::kSeason) document.episodes = Need("episodes", EpisodesOf(document.data));
  return document;
}

// --- the population ---

struct Population {
  MediaType type{};
  std::vector<std::uint32_t> ids;  // ascending, with gaps
  std::vector<float> popularities;
  std::vector<bool> gone;
  std::vector<std::uint32_t> missing;  // ids that TMDB answers 404 for
  const Population* shows = nullptr;   // of the seasons

  Subject At(std::size_t place) const {
    Subject subject{.id = {type, ids[place]}, .popularity = popularities[place]};
    if (shows != nullptr) {
      subject.tv_id = shows->ids[place % shows->ids.size()];
      subject.season_number = std::int64_t(1 + place / shows->ids.size());
    }
    return subject;
  }
};

std::vector<Population> Populate(std::int64_t records) {
  std::vector<Population> populations;
  populations.reserve(std::size(kShares));
  std::mt19937_64 random(1);
  std::exponential_distribution<double> popularity(1.5);
  for (const auto& [type, share] : kShares) {
    Population& population = populations.emplace_back();
    population.type = type;
    const auto count = std::max<std::size_t>(10, std::size_t(double(records) * share));
    std::uint32_t id = 2;
    for (std::size_t i = 0; i < count; ++i) {
      id += 1 + std::uint32_t(random() % 100 < 36);
      population.ids.push_back(id);
      population.popularities.push_back(float(double(std::int64_t(popularity(random) * 10'000)) / 10'000));
    }
    population.gone.resize(count);
    if (CanBeAsked(type) && type != MediaType::kKeyword) {
      for (std::size_t i = 0; i < std::size_t(double(count) * kMissing); ++i)
        population.missing.push_back(id + 100'000'000 + std::uint32_t(i));
    }
    if (type == MediaType::kSeason) population.shows = &populations[1];
  }
  return populations;
}

// --- writing ---

class StoreMaker {
 public:
  StoreMaker(const std::string& folder, Time began)
      : dir_(Need("open", DataDir::OpenForWriting(folder))),
        catalog_(Need("open", dir_.OpenCatalog())),
        files_(folder),
        clock_(began) {
    Check("open", catalog_.Execute(
                      "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=50000; PRAGMA cache_size=-400000"));
    // Commits and seals are called for, not due.
    const Duration never = std::chrono::hours(100'000);
    writer_ = Need(
        "open",
        RecordWriter::Open(files_, catalog_, clock_,
                           {.commit_interval = never, .first_commit_interval = never, .segment_age = never}));
  }

  Database& catalog() { return catalog_; }
  std::int64_t segments() const { return segments_; }

  // From here on each act takes so long, and so many fill a segment.
  void Pace(Duration act, std::int64_t acts_a_segment) {
    act_ = act;
    acts_a_segment_ = acts_a_segment;
  }
  void Put(const Subject& subject) {
    (void)Need("put", writer_->Put(DocumentOf(subject, clock_.Now())));
    Acted();
  }
  void PutGone(MediaId id) {
    (void)Need("put", writer_->PutGone(id, clock_.Now()));
    Acted();
  }
  void Seal() {
    if (acts_ == 0) return;
    acts_ = 0;
    ++segments_;
    Check("commit", writer_->Commit({}));
    Check("seal", writer_->Seal());
  }
  void Close() {
    Seal();
    writer_.reset();
    Check("close", catalog_.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    ::sync();
  }

 private:
  void Acted() {
    clock_.Advance(act_);
    if (writer_->CommitDue()) Check("commit", writer_->Commit({}));
    if (++acts_ >= acts_a_segment_) Seal();
  }

  DataDir dir_;
  Database catalog_;
  UnsyncedFiles files_;
  testing::FakeClock clock_;
  std::unique_ptr<RecordWriter> writer_;
  Duration act_{};
  std::int64_t acts_a_segment_ = 0, acts_ = 0, segments_ = 0;
};

void FirstCrawl(StoreMaker& maker, const Population& population) {
  std::vector<std::uint32_t> order(population.ids.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = std::uint32_t(i);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return population.popularities[a] > population.popularities[b];
  });
  for (const std::uint32_t place : order) maker.Put(population.At(place));
  maker.Seal();
}

// One day: records drawn at random are asked for again, and ids that TMDB does not have are found out.
void OneDay(StoreMaker& maker, Population& population, std::int64_t day, std::int64_t days,
            std::mt19937_64& random) {
  if (population.type == MediaType::kKeyword) return;
  const std::size_t count = population.ids.size();
  for (std::int64_t i = 0; i < std::int64_t(double(count) * kAskedAgain) / days; ++i) {
    const std::size_t place = random() % count;
    Subject subject = population.At(place);
    const std::uint64_t what = random() % 100;
    if (population.gone[place] || (what < 3 && population.type != MediaType::kSeason)) {
      population.gone[place] = true;
      maker.PutGone(subject.id);
      continue;
    }
    if (what < 30) subject.edition = 1 + int(day);
    if (what >= 30 && what < 55) subject.rating = 1 + int(day);
    maker.Put(subject);
  }
  const std::size_t missing = population.missing.size();
  for (std::size_t i = missing * std::size_t(day) / std::size_t(days);
       i < missing * std::size_t(day + 1) / std::size_t(days); ++i)
    maker.PutGone({population.type, population.missing[i]});
  maker.Seal();
}

void WriteExport(const fs::path& folder, const Population& population) {
  const ExportTraits& exports = TraitsOf(population.type).exports;
  if (exports.name.empty()) return;
  std::string text;
  const auto add = [&](std::uint32_t id, float popularity) {
    const std::string name = NameOf({population.type, id});
    const auto out = std::back_inserter(text);
    if (!exports.popularity) {
      fmt::format_to(out, "{{\"id\":{},\"name\":\"{}\"}}\n", id, name);
    } else {
      const char* title = population.type == MediaType::kMovie ? "original_title"
                          : population.type == MediaType::kTv  ? "original_name"
                                                               : "name";
      fmt::format_to(out, "{{\"adult\":false,\"id\":{},\"{}\":\"{}\",\"popularity\":{:.4f}}}\n", id, title,
                     name, popularity);
    }
  };
  std::ofstream file(folder / fmt::format("{}.json", exports.name), std::ios::binary);
  for (std::size_t i = 0; i < population.ids.size(); ++i) {
    if (!population.gone[i]) add(population.ids[i], population.popularities[i]);
    if (text.size() < 1 << 20) continue;
    file << text;
    text.clear();
  }
  const auto fresh = std::uint32_t(double(population.ids.size()) * kNewInExport);
  for (std::uint32_t i = 1; i <= fresh; ++i) add(population.ids.back() + i, 0.6F);
  file << text;
}

void WriteChanges(const fs::path& folder, const Population& population, std::mt19937_64& random) {
  if (!HasChangeFeed(population.type)) return;
  std::ofstream file(folder / fmt::format("{}.txt", Name(population.type)));
  const std::size_t count = population.ids.size();
  for (std::size_t i = 0; i < std::size_t(double(count) * kChangedInADay); ++i)
    file << population.ids[random() % count] << '\n';
}

void Make(const fs::path& out, std::int64_t records, std::int64_t segments, std::int64_t days) {
  for (const char* folder : {"data", "exports", "changes"}) fs::create_directories(out / folder);
  const Time now = SystemClock().Now();
  const Duration life = std::chrono::days(2 * days);
  std::vector<Population> populations = Populate(records);
  std::int64_t put = 0, asked = 0;
  for (const Population& population : populations) {
    put += std::int64_t(population.ids.size());
    if (population.type == MediaType::kKeyword) continue;
    asked +=
        std::int64_t(double(population.ids.size()) * kAskedAgain) + std::int64_t(population.missing.size());
  }
  StoreMaker maker((out / "data").string(), now - life);
  const auto first = std::int64_t(double(segments) * kFirstSegments);
  maker.Pace(life / 2 / put, std::max<std::int64_t>(1, put / first));
  for (const Population& population : populations) FirstCrawl(maker, population);
  fmt::print(stderr, "make_store: {} records in {} segments\n", put, maker.segments());

  std::mt19937_64 random(7);
  maker.Pace(life / 2 / (asked + 1), std::max<std::int64_t>(1, asked / (segments - first)));
  for (std::int64_t day = 0; day < days; ++day) {
    for (Population& population : populations) OneDay(maker, population, day, days, random);
  }
  const auto yesterday = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(1);
  Check("watermark", CreateWatermarks(maker.catalog()));
  for (const Population& population : populations) {
    if (HasChangeFeed(population.type))
      Check("watermark", SetWatermark(maker.catalog(), population.type, yesterday));
    WriteExport(out / "exports", population);
    WriteChanges(out / "changes", population, random);
  }
  maker.Close();
  fmt::print("{{\"records\":{},\"asked_again\":{},\"segments\":{}}}\n", put, asked, maker.segments());
}

double Milliseconds(MonoTime from, MonoTime to) {
  return double((to - from).count()) / 1000;
}

// As a collector works: every commit and seal is durable.
void Touch(const fs::path& out, std::int64_t films) {
  const SystemClock clock;
  const MonoTime began = clock.Mono();
  const DataDir dir = Need("open", DataDir::OpenForWriting((out / "data").string()));
  Database catalog = Need("open", dir.OpenCatalog());
  PosixFileSystem files(dir.path());
  auto writer =
      Need("open", RecordWriter::Open(files, catalog, clock, {.segment_age = std::chrono::hours(1000)}));
  const MonoTime opened = clock.Mono();

  // Every so many-th of the ids that Populate() gives, whatever their number was.
  std::vector<Subject> subjects;
  std::mt19937_64 random(std::uint64_t(clock.Now().time_since_epoch().count()));
  for (std::int64_t i = 0; i < films; ++i)
    subjects.push_back({.id = {MediaType::kMovie, std::int64_t(3 + random() % 10'000)},
                        .edition = int(random() % 1'000'000)});
  const auto put = [&](const Subject& subject) {
    (void)Need("put", writer->Put(DocumentOf(subject, clock.Now())));
  };
  const MonoTime put_from = clock.Mono();
  for (const Subject& subject : subjects) put(subject);
  Check("commit", writer->Commit({}));
  const MonoTime put_to = clock.Mono();
  constexpr int kCommits = 20;
  for (int i = 0; i < kCommits; ++i) {
    put({.id = {MediaType::kMovie, 3 + i}, .edition = int(random() % 1'000'000)});
    Check("commit", writer->Commit({}));
  }
  const MonoTime committed = clock.Mono();
  Check("seal", writer->Seal());
  fmt::print("{{\"open_ms\":{:.1f},\"put_us\":{:.1f},\"commit_ms\":{:.2f},\"seal_ms\":{:.1f}}}\n",
             Milliseconds(began, opened), Milliseconds(put_from, put_to) * 1000 / double(films),
             Milliseconds(put_to, committed) / kCommits, Milliseconds(committed, clock.Mono()));
}

int Main(int count, char** words) {
  std::int64_t records = 6'000'000, segments = 50'000, days = 30, touch = 0;
  std::string out;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    bool known = !word.starts_with("-");
    if (known) out = word;
    for (const auto& [flag, value] : {std::pair<std::string_view, std::int64_t*>("--records=", &records),
                                      {"--segments=", &segments},
                                      {"--days=", &days},
                                      {"--touch=", &touch}}) {
      if (!word.starts_with(flag)) continue;
      const std::string_view number = word.substr(flag.size());
      const auto read = std::from_chars(number.data(), number.data() + number.size(), *value);
      known = read.ec == std::errc() && read.ptr == number.data() + number.size() && *value > 0;
    }
    if (!known) {
      fmt::print(stderr,
                 "make_store: '{}': what is this? The head of bench/make_store.cc says what there is\n",
                 word);
      return 2;
    }
  }
  if (out.empty() || segments < 10) {
    fmt::print(stderr, "make_store: name the folder to be made, and 10 segments or more\n");
    return 2;
  }
  if (touch > 0) {
    Touch(out, touch);
  } else {
    Make(out, records, segments, days);
  }
  return 0;
}

}  // namespace
}  // namespace tmdbc

int main(int count, char** words) {
  return tmdbc::Main(count, words);
}

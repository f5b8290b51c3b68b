// SPDX-License-Identifier: MIT
// The world of the harvest's tests: export host and change feeds in memory, the real store and catalog on the
// disk, the queue in memory, time that passes when a test says so.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/compression.h"
#include "harvester/harvester.h"
#include "harvester/watermarks.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_export_host.h"
#include "queue/memory_queue.h"
#include "testing/failing_sender.h"
#include "tmdb/detail_fetch.h"
#include "tmdb/export_line.h"

namespace tmdbc {

inline constexpr auto kToday = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);

// A disk that is full after so many bytes; all else is the real one's.
class SmallDisk final : public FileSystem {
 public:
  explicit SmallDisk(FileSystem& disk) : disk_(disk) {}
  std::uint64_t room = std::uint64_t(1) << 40;
  std::function<void(const std::string& path)> on_read;

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    TRY_ASSIGN(auto file, disk_.OpenAppend(path));
    return std::make_unique<File>(*this, std::move(file));
  }
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override {
    if (on_read) on_read(path);
    return disk_.Read(path, offset, length);
  }
  Result<std::uint64_t> Size(const std::string& path) override { return disk_.Size(path); }
  Result<bool> Exists(const std::string& path) override { return disk_.Exists(path); }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    return disk_.Rename(from, to);
  }
  Result<void> Remove(const std::string& path) override { return disk_.Remove(path); }
  Result<void> SyncFolder(const std::string& folder) override { return disk_.SyncFolder(folder); }
  Result<std::vector<std::string>> List(const std::string& folder) override { return disk_.List(folder); }

 private:
  class File final : public AppendFile {
   public:
    File(SmallDisk& disk, std::unique_ptr<AppendFile> file) : disk_(disk), file_(std::move(file)) {}
    Result<void> Append(std::string_view bytes) override {
      if (bytes.size() > disk_.room) return Fail(ErrorCode::kNoSpace, "write: No space left on device");
      disk_.room -= bytes.size();
      return file_->Append(bytes);
    }
    Result<void> Sync() override { return file_->Sync(); }
    Result<void> Truncate(std::uint64_t size) override { return file_->Truncate(size); }
    std::uint64_t size() const override { return file_->size(); }

   private:
    SmallDisk& disk_;
    std::unique_ptr<AppendFile> file_;
  };

  FileSystem& disk_;
};

inline std::string Movie(std::int64_t id, double popularity, bool adult = false) {
  return fmt::format(
             R"({{"adult":{},"id":{},"original_title":"The {}th","popularity":{:.4f},"video":false}})", adult,
             id, id, popularity) +
         "\n";
}
inline std::string Show(std::int64_t id, double popularity) {
  return fmt::format(R"({{"id":{},"original_name":"Show {}","popularity":{:.4f}}})", id, id, popularity) +
         "\n";
}
inline std::string Person(std::int64_t id, double popularity) {
  return fmt::format(R"({{"adult":false,"id":{},"name":"Aki {}","popularity":{:.4f}}})", id, id, popularity) +
         "\n";
}
inline std::string Named(std::int64_t id, std::string_view name) {
  return fmt::format(R"({{"id":{},"name":"{}"}})", id, name) + "\n";
}

inline std::string Movies(std::int64_t from, std::int64_t to) {
  std::string text;
  for (std::int64_t id = from; id <= to; ++id) text += Movie(id, double(id % 100) / 8);
  return text;
}

// A row of a change feed.
inline std::string Row(std::int64_t id, std::string_view adult = "false") {
  return fmt::format(R"({{"id":{},"adult":{},"softcore":false}})", id, adult);
}
inline std::vector<std::string> Rows(std::int64_t from, std::int64_t to) {
  std::vector<std::string> rows;
  for (std::int64_t id = from; id <= to; ++id) rows.push_back(Row(id));
  return rows;
}

inline std::string FileName(std::string_view name, std::chrono::sys_days day = kToday) {
  const std::string url = ExportUrl("", name, day);
  return url.substr(1);
}

class HarvestWorld : public ::testing::Test {
 protected:
  HarvestWorld() : root_(MakeFolder()), real_disk_(root_), files_(real_disk_), queue_(clock_) {
    clock_.Advance(std::chrono::hours(9));  // today's exports are there
    log_.emplace(log_file_, LogLevel::kInfo, LogFormat::kText, clock_);
    auto catalog = Database::Open(root_ + "/catalog.db", Database::Mode::kReadWrite);
    EXPECT_TRUE(catalog) << catalog.error().message;
    catalog_.emplace(*std::move(catalog));
    auto store = testing::StorePieces::Open(real_disk_, *catalog_, clock_, {});
    EXPECT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }
  ~HarvestWorld() override {
    store_.reset();
    log_.reset();
    std::fclose(log_file_);
    std::filesystem::remove_all(root_);
  }

  static std::string MakeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "harvester_test_XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }

  void Publish(std::string_view name, std::string_view lines, std::chrono::sys_days day = kToday) {
    host_.Publish(FileName(name, day), Gzip(lines));
  }

  Harvester MakeHarvester() {
    upstream_ = UpstreamDate();  // a new process
    host_.on_answer = [&](const http::Response& response) { upstream_.Saw(response, clock_.Now()); };
    return Harvester({.clock = clock_,
                      .transport = host_,
                      .files = files_,
                      .catalog = *catalog_,
                      .reader = store_->reader,
                      .ledger = store_->ledger,
                      .writer = *store_->writer,
                      .popularity = store_->popularity,
                      .sender = sender_,
                      .desk = queue_,
                      .upstream = upstream_,
                      .limiter = limiter_,
                      .random = random_,
                      .log = *log_},
                     {.export_base_url = std::string(testing::FakeExportHost::kBaseUrl),
                      .api = {.base_url = std::string(testing::FakeExportHost::kApiUrl),
                              .secret_query = "",
                              .bearer = "",
                              .user_agent = "tmdb-collector/test"}});
  }
  Result<HarvestReport> TryRun(const HarvestOptions& options) {
    return MakeHarvester().Harvest(options, stop_);
  }
  // In the mode that the options say.
  HarvestReport Run(const HarvestOptions& options) {
    auto report = TryRun(options);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(HarvestReport{});
  }
  HarvestReport Auto(std::vector<MediaType> types) {
    return Run(HarvestOptions{.types = std::move(types), .limit = {}});
  }
  // The exports alone.
  Result<HarvestReport> TryHarvest(HarvestOptions options) {
    options.mode = HarvestMode::kExport;
    return TryRun(options);
  }
  HarvestReport Harvest(const HarvestOptions& options) {
    auto report = TryHarvest(options);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(HarvestReport{});
  }
  HarvestReport Harvest(std::vector<MediaType> types) {
    return Harvest(HarvestOptions{.types = std::move(types), .limit = {}});
  }

  // "movie:3 movie:1": what would be received next.
  std::string Queued(int max = 20) {
    std::string text;
    const auto items = queue_.Peek(std::nullopt, max);
    for (const QueueItem& item : items.value()) text += (text.empty() ? "" : " ") + ToString(item.id);
    return text;
  }

  void Put(MediaId id) {
    Document document;
    document.id = id;
    document.fetched_at = clock_.Now();
    document.data = fmt::format(R"({{"id":{}}})", id.id);
    document.hash = HashContent(document.data).value();
    ASSERT_TRUE(store_->writer->Put(std::move(document)));
  }
  void Store(MediaId id) {
    Put(id);
    Commit();
  }
  void Gone(MediaId id) {
    ASSERT_TRUE(store_->writer->PutGone(id, clock_.Now()));
    Commit();
  }
  // What a collector would do: of everything queued those in `gone` are answered 404, the others 200. Returns
  // how many there were.
  int Collect(const std::set<MediaId>& gone = {}) {
    int answered = 0;
    for (;;) {
      const auto messages = queue_.Receive(100, std::chrono::seconds(60)).value();
      if (messages.empty()) return answered;
      std::vector<Receipt> receipts;
      for (const Message& message : messages) {
        if (gone.contains(message.id)) {
          EXPECT_TRUE(store_->writer->PutGone(message.id, clock_.Now()));
        } else {
          Put(message.id);
        }
        receipts.push_back(message.receipt);
      }
      Commit();
      EXPECT_TRUE(queue_.Settle(receipts));
      answered += int(receipts.size());
    }
  }
  std::string Watermark(MediaType type) {
    const auto watermarks = ReadWatermarks(*catalog_).value();
    return watermarks.contains(type) ? FormatDate(watermarks.at(type)) : "none";
  }
  void Commit() {
    ASSERT_TRUE(store_->writer->Commit([]() -> Result<void> { return {}; }));
  }

  std::vector<std::string> Exports() { return files_.List("exports").value(); }
  std::string LogText() {
    std::string text(1 << 20, '\0');
    text.resize(std::size_t(std::max<ssize_t>(0, ::pread(::fileno(log_file_), text.data(), text.size(), 0))));
    return text;
  }

  const std::string root_;
  testing::FakeClock clock_;
  testing::FakeExportHost host_{clock_};
  RateLimiter limiter_{40, clock_};
  UpstreamDate upstream_;
  std::mt19937_64 random_{1};
  PosixFileSystem real_disk_;
  SmallDisk files_;
  std::FILE* log_file_ = std::tmpfile();
  std::optional<Log> log_;
  std::optional<Database> catalog_;
  std::unique_ptr<testing::StorePieces> store_;
  MemoryIdQueue queue_;
  testing::FailingSender sender_{queue_};
  StopFlag stop_;
};

}  // namespace tmdbc

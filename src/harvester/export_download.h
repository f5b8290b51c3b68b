// SPDX-License-Identifier: MIT
// Downloads exports, two at a time, each streamed to exports/NAME.part: day by day back until one is
// published, again and with growing pauses when something fails on the way. What is whole and synced on the
// disk is handed out; whether its content can be believed is for the caller to find out, who may send it back
// (Again). One thread; waits only in the transport.
// Sources: docs/tmdb-facts.md (publication at 8:00 UTC, HTTP 403 for what is not there).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/stop.h"
#include "http/http.h"
#include "tmdb/export_line.h"

namespace tmdbc {

inline constexpr int kDownloadsAtOnce = 2;
inline constexpr int kDownloadTries = 5;  // failures in a row before a file is given up
inline constexpr int kDaysBack = 7;
inline constexpr std::uint64_t kMaxExportBytes = 1 << 30;  // TMDB's largest is 77 MB
// Long enough for 77 MB at 45 KB/s. The transport gives up what stalls much earlier.
inline constexpr std::chrono::minutes kDownloadTimeout{30};
// An export host that has not answered anything by then is unreachable: the program ends within 15 s.
inline constexpr std::chrono::seconds kGiveUpUnanswered{12};

// The days whose export should be asked for, in that order: today's and a week back. Before 8:00 UTC today's
// is not complete yet, so yesterday's comes first. Never a day before `last`, the accepted one; `last` itself
// ends the list when it is reached.
std::vector<std::chrono::sys_days> CandidateDays(Time now, std::optional<std::chrono::sys_days> last);

// What an answer of the export host means.
enum class Answer : std::uint8_t {
  kWhole,         // the file is on the disk, as long as was promised
  kNotPublished,  // 403, whatever its body; 404 from hosts that are not TMDB's
  kTryAgain,      // something on the way: connection, 5xx, an HTML page
  kDamaged,       // a part came, or more than that but broken: try again
  kHopeless,      // trying again will not help
};
struct Judgement {
  Answer answer;
  std::string reason;  // for a person, unless kWhole
};
// What a body begins as, by its first bytes.
enum class BodyForm : std::uint8_t {
  kGzip,   // an export as TMDB publishes it; also a body without bytes
  kLines,  // the same, inflated on the way: its lines are kept as gzip
  kHtml,
  kOther,
};
BodyForm FormOf(std::string_view head);
// `received` bytes came, of that form.
Judgement Judge(const http::Outcome& outcome, std::uint64_t received, BodyForm form);

enum class FetchEnd : std::uint8_t { kFetched, kNotPublished, kDamaged, kUnreachable };

struct FetchResult {
  FetchEnd end = FetchEnd::kFetched;
  std::chrono::sys_days day{};  // the one that was fetched or was tried last
  std::string path;             // of the file, when fetched
  std::string reason;           // unless fetched
  Hint hint = Hint::kNone;      // what a person can do about it
  bool forbidden = false;       // kNotPublished: at least one day was answered with 403, as TMDB does
};

class ExportDownloader {
 public:
  using JobId = std::size_t;

  // All references outlive the downloader. `base_url` has no trailing slash.
  ExportDownloader(const Clock& clock, http::HttpTransport& transport, FileSystem& files, Log& log,
                   std::string base_url, std::string user_agent);
  // Cancels what is under way.
  ~ExportDownloader();
  ExportDownloader(const ExportDownloader&) = delete;
  ExportDownloader& operator=(const ExportDownloader&) = delete;

  // `days` in the order in which to ask for them; not empty.
  JobId Add(const ExportFile& file, std::vector<std::chrono::sys_days> days);

  // Works until a job has ended and names it; each comes once. Empty when none is left, or a stop was
  // requested: then nothing is under way any more. An error is the disk's.
  Result<std::optional<JobId>> Next(const StopFlag& stop);
  const FetchResult& result(JobId job) const { return jobs_[job].result; }

  // What was fetched is damaged: fetches it again. False when it was tried often enough; result() then says
  // so.
  bool Again(JobId job, std::string_view reason);

  std::int64_t requests() const { return requests_; }

 private:
  enum class State : std::uint8_t { kWaiting, kInFlight, kEnded, kHandedOut };
  struct Job {
    const ExportFile* file = nullptr;
    std::vector<std::chrono::sys_days> days;
    std::size_t day = 0;
    State state = State::kWaiting;
    MonoTime not_before{};
    int failures = 0;  // in a row
    http::RequestId request = 0;
    std::unique_ptr<AppendFile> part;
    std::optional<BodyForm> form;  // empty until enough has come to tell
    std::uint64_t received = 0;
    std::string gathered;  // until the form is known; of lines, until they are worth a gzip member
    bool forbidden = false;
    std::optional<Error> write_error;
    FetchResult result;
  };

  Result<void> StartReady();
  Result<void> Start(Job& job);
  bool Take(Job& job, std::string_view bytes);
  bool Write(Job& job, std::string_view bytes);
  bool WriteGathered(Job& job);
  Result<void> Settle(Job& job, const http::Outcome& outcome);
  void NextDay(Job& job, int status, const std::string& reason);
  bool Retry(Job& job, Answer answer, std::string reason, Hint hint);
  void End(Job& job, FetchEnd end, std::string reason, Hint hint = Hint::kNone);
  Result<void> Wait();
  void CancelAll();
  std::optional<JobId> TakeEnded();
  int InFlight() const;
  bool Finished() const;

  const Clock& clock_;
  http::HttpTransport& transport_;
  FileSystem& files_;
  Log& log_;
  const std::string base_url_;
  const std::string user_agent_;
  std::mt19937_64 random_;
  std::deque<Job> jobs_;  // the addresses stay: sinks hold them
  std::optional<MonoTime> first_start_;
  bool answered_ = false;  // the host has sent something
  bool cancelling_ = false;
  std::int64_t requests_ = 0;
};

}  // namespace tmdbc

// SPDX-License-Identifier: MIT
// FakeExportHost: files.tmdb.org in memory, and the change feeds of TMDB's API, behind the transport port, on
// a fake clock. An export that is not published is 403 with S3's XML; the feed of an unknown
// day is empty. Faults happen to a file's (a page's) next downloads, in the order in which they were
// planned. It counts what it is asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/http.h"
#include "testing/fake_clock.h"
#include "tmdb/media_id.h"

namespace tmdbc::testing {

class FakeExportHost final : public http::HttpTransport {
 public:
  enum class Fault : std::uint8_t {
    kConnect,          // connection refused, at once
    kUntrusted,        // its certificate is refused
    kTimeout,          // nothing comes, the transport gives up after 10 s
    kSilent,           // nothing comes and the transport does not give up
    kReset,            // half of the file, then the connection breaks
    kShort,            // Content-Length of the whole file, half of it, a clean end
    kShortUnnoticed,   // half of the file without Content-Length, a clean end
    kEmpty,            // 200 without a byte
    kFlippedBit,       // as long as it should be, one bit wrong in the middle
    kHtml,             // 200 with an HTML page
    kServerError,      // 503 with an HTML page
    kTooManyRequests,  // 429
    kGone,             // 410
    kForbidden,        // 403 with an empty body
    kDenied,           // 401 with TMDB's code 7
    kBadRequest,       // 422 with TMDB's code 20
  };

  static constexpr std::string_view kBaseUrl = "http://exports.test/p/exports";
  static constexpr std::string_view kApiUrl = "http://tmdb.test/3";

  explicit FakeExportHost(FakeClock& clock) : clock_(clock) {}

  // `file` is the last part of the URL: "movie_ids_11_22_2026.json.gz".
  void Publish(const std::string& file, std::string gzip) { files_[file] = std::move(gzip); }
  void Withdraw(const std::string& file) { files_.erase(file); }
  // The rows that the feed of that day has, as JSON objects: {"id":5,"adult":false}.
  void PublishChanges(MediaType type, std::chrono::sys_days day, std::vector<std::string> rows) {
    changes_[{type, day}] = std::move(rows);
  }
  std::vector<std::string>& ChangesOf(MediaType type, std::chrono::sys_days day) {
    return changes_[{type, day}];
  }
  // What Plan(), requests() and on_request call a page of a feed.
  static std::string PageName(MediaType type, std::chrono::sys_days day, int page);
  std::size_t rows_per_page = 100;
  // The last page that it gives, whatever it says of the totals.
  int last_page = 500;
  // What it says of the totals of a feed, when not the truth.
  std::optional<std::int64_t> total_pages, total_results;
  // How far its own clock, which its Date tells, is from the one that the program sees.
  Duration clock_offset{};
  // Called with each answer as it is handed out, as a transport that dates them does.
  std::function<void(const http::Response& response)> on_answer;
  // Called with the last part of each URL before it is answered: the world may change meanwhile.
  std::function<void(const std::string& file)> on_request;

  // The next download of `file` meets `fault`.
  void Plan(const std::string& file, Fault fault, int times = 1) {
    faults_[file].insert(faults_[file].end(), std::size_t(times), fault);
  }
  // Every request meets it from now on; empty: none does.
  void PlanAll(std::optional<Fault> fault) { always_ = fault; }

  // What answers absent files, instead of 403.
  int absent_status = 403;
  // A piece of 16 KiB takes this long.
  Duration piece_time = std::chrono::milliseconds(1);
  // Called before each piece of a body is delivered.
  std::function<void()> on_piece;

  int requests(const std::string& file) const { return asked_.contains(file) ? asked_.at(file) : 0; }
  int requests() const;
  int change_requests() const { return change_requests_; }
  int most_at_once() const { return most_at_once_; }
  const std::vector<http::Request>& seen() const { return seen_; }

  http::RequestId Start(http::Request request, std::function<void()> on_send) override;
  std::vector<http::Outcome> Wait(MonoTime deadline) override;
  int Room() const override { return 20 - InFlight(); }
  int InFlight() const override { return int(transfers_.size()); }
  void Cancel(http::RequestId id) override;

 private:
  // One download: what is still to come, and how it will end.
  struct Transfer {
    http::RequestId id = 0;
    http::Request request;
    std::string body;
    std::size_t delivered = 0;
    http::Response response;
    std::optional<http::TransportFailure> failure;
    MonoTime next{};  // when the next piece, or the end, comes
    MonoTime started{};
    bool cancelled = false;
  };

  std::string ChangesPage(const std::string& query) const;
  void Arrange(Transfer& transfer, const std::string& file, std::optional<Fault> fault) const;
  std::optional<http::Outcome> Step(Transfer& transfer);
  http::Outcome Finish(const Transfer& transfer) const;

  FakeClock& clock_;
  std::map<std::string, std::string> files_;
  std::map<std::pair<MediaType, std::chrono::sys_days>, std::vector<std::string>> changes_;
  int change_requests_ = 0;
  std::map<std::string, std::deque<Fault>> faults_;
  std::optional<Fault> always_;
  std::map<std::string, int> asked_;
  std::vector<http::Request> seen_;
  std::deque<Transfer> transfers_;
  http::RequestId last_id_ = 0;
  int most_at_once_ = 0;
};

}  // namespace tmdbc::testing

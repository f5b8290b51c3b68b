// SPDX-License-Identifier: MIT
// FakeExportHost: files.tmdb.org in memory, behind the transport port, on a fake clock. What is not published
// is 403 with S3's XML; faults happen to a file's next downloads, in the order in which they were planned. It
// counts what it is asked.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

class FakeExportHost final : public http::HttpTransport {
 public:
  enum class Fault : std::uint8_t {
    kConnect,          // connection refused, at once
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
  };

  static constexpr std::string_view kBaseUrl = "http://exports.test/p/exports";

  explicit FakeExportHost(FakeClock& clock) : clock_(clock) {}

  // `file` is the last part of the URL: "movie_ids_11_22_2026.json.gz".
  void Publish(const std::string& file, std::string gzip) { files_[file] = std::move(gzip); }
  void Withdraw(const std::string& file) { files_.erase(file); }
  // The next download of `file` meets `fault`.
  void Plan(const std::string& file, Fault fault, int times = 1) {
    faults_[file].insert(faults_[file].end(), std::size_t(times), fault);
  }
  // Every request meets it from now on.
  void PlanAll(Fault fault) { always_ = fault; }

  // What answers absent files, instead of 403.
  int absent_status = 403;
  // A piece of 16 KiB takes this long.
  Duration piece_time = std::chrono::milliseconds(1);
  // Called before each piece of a body is delivered.
  std::function<void()> on_piece;

  int requests(const std::string& file) const { return asked_.contains(file) ? asked_.at(file) : 0; }
  int requests() const;
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

  void Arrange(Transfer& transfer, const std::string& file, std::optional<Fault> fault) const;
  std::optional<http::Outcome> Step(Transfer& transfer);
  http::Outcome Finish(const Transfer& transfer) const;

  FakeClock& clock_;
  std::map<std::string, std::string> files_;
  std::map<std::string, std::deque<Fault>> faults_;
  std::optional<Fault> always_;
  std::map<std::string, int> asked_;
  std::vector<http::Request> seen_;
  std::deque<Transfer> transfers_;
  http::RequestId last_id_ = 0;
  int most_at_once_ = 0;
};

}  // namespace tmdbc::testing

// SPDX-License-Identifier: MIT
#include "harvester/change_reader.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "http/body.h"

namespace tmdbc {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A wait looks at the stop flag this often.
constexpr Duration kTick = milliseconds(200);
constexpr Backoff kRetryBackoff{.cap = seconds(30)};
// A page has 100 rows of some 50 bytes.
constexpr std::uint64_t kMaxPageBody = 8 << 20;

}  // namespace

ChangeReader::ChangeReader(const HarvestPorts& ports, const HarvestSources& sources,
                           Duration give_up_unanswered)
    : ports_(ports),
      api_(sources.api),
      concurrency_(std::size_t(std::max(sources.concurrency, 1))),
      give_up_unanswered_(give_up_unanswered),
      requester_(ports.clock, ports.transport, ports.limiter, ports.random) {}

// All pages came in both (a pass that lacks one ends the window), and they gave the same.
bool ChangeReader::Agree(const Pass& a, const Pass& b) {
  return !a.shifted && !b.shifted && a.total_pages == b.total_pages && a.total_results == b.total_results &&
         a.rows == b.rows && a.ids == b.ids;
}

Result<WindowResult> ChangeReader::Read(MediaType type, std::chrono::sys_days day, bool closed,
                                        const StopFlag& stop, const Take& take) {
  type_ = type;
  day_ = day;
  result_ = {};
  ended_ = false;
  const int most_passes = closed ? kWindowPasses : 1;
  std::optional<Pass> before;
  for (int passes = 1; !ended_; ++passes) {
    Pass pass;
    const auto read = ReadOnce(pass, stop, take);
    CancelAll();
    if (!read) return std::unexpected(read.error());
    if (ended_) break;
    const bool whole = !pass.shifted && pass.rows >= pass.total_results;
    if (pass.overfull) {
      End(WindowEnd::kOverfull, fmt::format("{} has {} pages of {} changes, and TMDB gives only the first {}",
                                            FormatDate(day), pass.total_pages, Name(type), pass.last_page));
    } else if (whole) {
      ended_ = true;
    } else if (before && Agree(*before, pass)) {
      // TMDB's total is wrong, not its pages.
      result_.reason =
          fmt::format("TMDB counts {} {} changes of {} and gives {} in every reading: taken for whole",
                      pass.total_results, Name(type), FormatDate(day), pass.rows);
      ended_ = true;
    } else if (passes == most_passes) {
      End(WindowEnd::kIncomplete,
          fmt::format("the {} changes of {} were not complete in {} readings: {} of {} rows came last{}",
                      Name(type), FormatDate(day), passes, pass.rows, pass.total_results,
                      pass.shifted ? ", and the pages shifted" : ""));
    }
    before = pass;
  }
  return result_;
}

Result<void> ChangeReader::ReadOnce(Pass& pass, const StopFlag& stop, const Take& take) {
  waiting_.assign(1, Page{.number = 1, .failures = 0, .due = ports_.clock.Mono()});
  while (!ended_) {
    if (stop.requested()) {
      End(WindowEnd::kStopped, "");
      break;
    }
    if (!StartWhatMayGo()) break;
    for (http::Outcome& outcome : requester_.Wait(std::min(NextStart(), ports_.clock.Mono() + kTick)))
      TRY(Settle(std::move(outcome), pass, take));
    GiveUpWhenUnreachable();
  }
  return {};
}

// False when there is nothing left to do.
bool ChangeReader::StartWhatMayGo() {
  while (NextStart() <= ports_.clock.Mono()) {
    const auto next = std::ranges::min_element(waiting_, {}, &Page::due);
    const Page page = *next;
    waiting_.erase(next);
    if (!first_start_) first_start_ = ports_.clock.Mono();
    http::Request request = MakeChangesRequest(api_, type_, day_, page.number);
    request.max_body = kMaxPageBody;
    flights_.emplace(requester_.Start(std::move(request)), page);
  }
  return !waiting_.empty() || !flights_.empty();
}

MonoTime ChangeReader::NextStart() const {
  // While TMDB says 429 one request at a time is enough to learn when it is over.
  const std::size_t most = storm_ ? 1 : concurrency_;
  if (waiting_.empty() || flights_.size() >= most) return MonoTime::max();
  return std::max(std::ranges::min_element(waiting_, {}, &Page::due)->due, requester_.NextSlot());
}

Result<void> ChangeReader::Settle(http::Outcome outcome, Pass& pass, const Take& take) {
  const auto place = flights_.find(outcome.id);
  if (place == flights_.end()) return {};
  const Page asked = place->second;
  flights_.erase(place);
  if (ended_) return {};
  if (outcome.failure) {
    if (*outcome.failure == http::TransportFailure::kUntrusted) {  // however often it is asked
      End(WindowEnd::kUnreachable, fmt::format("{}: {}", api_.base_url, outcome.failure_text), outcome.failure_hint);
    } else {
      Failed(asked, std::move(outcome.failure_text), false, outcome.failure_hint);
    }
    return {};
  }
  answered_ = true;
  const http::Response& response = *outcome.response;
  const auto body = http::DecodeBody(response);
  if (response.status != 200) {
    const PageTrouble trouble = JudgeChangesStatus(response.status, body ? *body : std::string());
    if (trouble == PageTrouble::kThrottled) {
      Throttled(asked, response);
      return {};
    }
    const std::string what = fmt::format("HTTP {}", response.status);
    if (trouble == PageTrouble::kDenied) {
      End(WindowEnd::kDenied, fmt::format("TMDB refuses the API key ({})", what));
    } else if (trouble == PageTrouble::kNoSuchPage && asked.number > 1) {
      pass.overfull = true;
      pass.last_page = std::min(pass.last_page, asked.number - 1);
      std::erase_if(waiting_, [&](const Page& page) { return page.number > pass.last_page; });
    } else {
      Failed(asked, what, trouble != PageTrouble::kTryAgain);
    }
    return {};
  }
  if (!body) {
    Failed(asked, body.error().message, false);
    return {};
  }
  const auto page = ParseChangePage(*body, asked.number);
  if (!page) {
    Failed(asked, page.error().message, false);
    return {};
  }
  return Came(*page, asked.number, pass, take);
}

Result<void> ChangeReader::Came(const ChangePage& page, int number, Pass& pass, const Take& take) {
  trouble_since_.reset();
  storm_ = false;
  requester_.Useful();
  ++result_.pages;
  result_.rows += page.rows_in_all;
  pass.rows += page.rows_in_all;
  for (const ChangeRow& row : page.rows)
    pass.ids += std::uint64_t(row.id) * 0x9e37'79b9'7f4a'7c15U;  // odd, large
  if (pass.first_came && (page.total_pages != pass.total_pages || page.total_results != pass.total_results)) {
    pass.shifted = true;
  }
  pass.first_came = true;
  pass.total_pages = std::max(pass.total_pages, page.total_pages);
  pass.total_results = std::max(pass.total_results, page.total_results);
  const bool more = pass.total_pages > kMaxChangePages;
  const int last = more ? kMaxChangePages : int(pass.total_pages);
  // Where a page was refused is the end, whatever the totals say.
  if (!pass.overfull) {
    while (pass.last_page < last)
      waiting_.push_back({.number = ++pass.last_page, .failures = 0, .due = ports_.clock.Mono()});
  }
  pass.overfull |= more;
  if (page.rows.empty()) return {};
  if (ports_.log.enabled(LogLevel::kTrace))
    ports_.log.Write(LogLevel::kTrace, "read", {{"page", Named(number)}});
  return take(page);
}

void ChangeReader::Throttled(Page page, const http::Response& response) {
  storm_ = true;
  if (const auto pause = requester_.Throttled(response))
    ports_.log.Warn("TMDB says 429: pausing", {{"milliseconds", *pause / milliseconds(1)}});
  if (!trouble_since_) trouble_since_ = ports_.clock.Mono();
  last_trouble_ = "HTTP 429";
  last_hint_ = Hint::kNone;
  waiting_.push_front(page);
}

void ChangeReader::Failed(Page page, std::string what, bool hopeless, Hint hint) {
  const MonoTime now = ports_.clock.Mono();
  if (!trouble_since_) trouble_since_ = now;
  last_trouble_ = what;
  last_hint_ = hint;
  ++page.failures;
  if (hopeless || page.failures >= kPageTries) {
    const std::string tries = page.failures > 1 ? fmt::format(" after {} tries", page.failures) : "";
    return End(WindowEnd::kPageLost, fmt::format("get {}: {}{}", Named(page.number), what, tries), hint);
  }
  page.due = now + kRetryBackoff.Delay(page.failures, ports_.random);
  ports_.log.Debug("will be tried again", {{"page", Named(page.number)}, {"error", what}});
  waiting_.push_back(page);
}

void ChangeReader::GiveUpWhenUnreachable() {
  const MonoTime now = ports_.clock.Mono();
  if (!answered_ && first_start_ && now - *first_start_ >= give_up_unanswered_) {
    End(WindowEnd::kUnreachable, fmt::format("{} never answered: {}", api_.base_url, last_trouble_), last_hint_);
  } else if (trouble_since_ && now - *trouble_since_ >= kGiveUpPages) {
    End(WindowEnd::kUnreachable,
        fmt::format("{} has answered nothing useful for {} minutes, the last was: {}", api_.base_url,
                    kGiveUpPages.count(), last_trouble_),
        last_hint_);
  }
}

// Until nothing of ours is in the transport: its callbacks point to the requester.
void ChangeReader::CancelAll() {
  requester_.CancelAll();
  flights_.clear();
  waiting_.clear();
}

void ChangeReader::End(WindowEnd end, std::string reason, Hint hint) {
  if (ended_) return;
  ended_ = true;
  result_.end = end;
  result_.reason = std::move(reason);
  result_.hint = hint;
}

std::string ChangeReader::Named(int page) const {
  return fmt::format("the {} changes of {}, page {}", Name(type_), FormatDate(day_), page);
}

}  // namespace tmdbc

// SPDX-License-Identifier: MIT
// ChangeReader: reads the change feed of one type and one day, all of its pages: the first, then the others
// concurrently as far as the rate, the transport and `concurrency` allow. Pages shift while they are read, so a closed
// day whose totals changed meanwhile, or that gave fewer rows than were promised, is read again. Two readings that
// agree on every row are believed, whatever the total says. What to do with the ids, and when a window counts as read,
// is the caller's. One thread; waits only in the transport. Sources: docs/tmdb-facts.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/stop.h"
#include "harvester/harvest_ports.h"
#include "http/paced_requester.h"
#include "tmdb/change_page.h"

namespace tmdbc {

inline constexpr int kWindowPasses = 3;  // of one window at most
inline constexpr int kPageTries = 8;     // failures of one page before it is given up; 429s do not count
// Nothing useful for so long, 429s included, is an outage.
inline constexpr std::chrono::minutes kGiveUpPages{10};

enum class WindowEnd : std::uint8_t {
  kComplete,
  kOverfull,     // TMDB has more pages than it gives
  kIncomplete,   // in each pass rows were missing, or the totals changed
  kPageLost,     // some page could not be had; the API may well answer others
  kUnreachable,  // the API never answered, or nothing useful for long
  kDenied,       // TMDB refuses the key
  kStopped,      // the stop flag
};

struct WindowResult {
  WindowEnd end = WindowEnd::kComplete;
  std::string reason;      // for a person, unless complete or stopped; of a complete window a warning, if any
  Hint hint = Hint::kNone;  // what to do about it
  std::int64_t pages = 0;  // that came, repeats included
  std::int64_t rows = 0;   // the same
};

class ChangeReader {
 public:
  // Gets each page as it comes, in any order; pages of a window that is read again come again. An error ends
  // the reading.
  using Take = std::function<Result<void>(const ChangePage& page)>;

  // When the API has not answered anything by `give_up_unanswered` after the first request, it is
  // unreachable.
  ChangeReader(const HarvestPorts& ports, const HarvestSources& sources, Duration give_up_unanswered);
  // Nothing is under way between calls of Read().
  ChangeReader(const ChangeReader&) = delete;
  ChangeReader& operator=(const ChangeReader&) = delete;

  // `closed`: nothing about that day changes any more. An open one is read once, because it will be read again
  // anyway. An error is that of `take`.
  Result<WindowResult> Read(MediaType type, std::chrono::sys_days day, bool closed, const StopFlag& stop,
                            const Take& take);

  std::int64_t requests() const { return requester_.sent(); }

 private:
  struct Page {
    int number = 1;
    int failures = 0;
    MonoTime due{};
  };
  // One reading of all pages.
  struct Pass {
    int last_page = 1;
    bool first_came = false;
    std::int64_t total_pages = 0, total_results = 0;
    std::int64_t rows = 0;
    std::uint64_t ids = 0;  // a sum that tells one set of ids from another
    bool shifted = false;
    bool overfull = false;
  };

  static bool Agree(const Pass& a, const Pass& b);
  Result<void> ReadOnce(Pass& pass, const StopFlag& stop, const Take& take);
  bool StartWhatMayGo();
  // The earliest time at which a page may go; MonoTime::max() when an outcome has to come first.
  MonoTime NextStart() const;
  Result<void> Settle(http::Outcome outcome, Pass& pass, const Take& take);
  Result<void> Came(const ChangePage& page, int number, Pass& pass, const Take& take);
  void Throttled(Page page, const http::Response& response);
  void Failed(Page page, std::string what, bool hopeless, Hint hint = Hint::kNone);
  void GiveUpWhenUnreachable();
  void CancelAll();
  void End(WindowEnd end, std::string reason, Hint hint = Hint::kNone);
  std::string Named(int page) const;

  const HarvestPorts& ports_;
  const ApiAccess api_;
  const std::size_t concurrency_;
  const Duration give_up_unanswered_;
  http::PacedRequester requester_;

  // Of the window that is being read.
  MediaType type_{};
  std::chrono::sys_days day_{};
  std::deque<Page> waiting_;
  std::map<http::RequestId, Page> flights_;
  WindowResult result_;
  bool ended_ = false;

  bool answered_ = false;
  std::optional<MonoTime> first_start_;
  std::optional<MonoTime> trouble_since_;
  std::string last_trouble_ = "no answer";
  Hint last_hint_ = Hint::kNone;
  bool storm_ = false;  // a 429 came since the last page
};

}  // namespace tmdbc

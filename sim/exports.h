// SPDX-License-Identifier: MIT
// Exports: the daily id files as files.tmdb.org serves them (docs/tmdb-facts.md): whole, by HEAD, by Range,
// and 403 with S3's XML for what is not published. The file of a type is built on first use and kept; where
// the world evolves, a day's file is of 07:19:28 UTC of that day, when TMDB makes it.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "evolving_world.h"
#include "http/server.h"
#include "world.h"

namespace tmdbc::sim {

struct ExportName {
  Kind kind;
  bool adult;
  std::chrono::sys_days date;
};
// Of "movie_ids_11_22_2026.json.gz".
std::optional<ExportName> ParseExportName(std::string_view file);

// What is wrong with all the files of one day.
enum class ExportFault : std::uint8_t {
  kMissing,    // never published
  kLate,       // ten hours later than they should be
  kTruncated,  // the last two fifths of the bytes are missing, and the length says nothing of it
  kHalved,     // a good file with every other line only
  kEmpty,      // a good file without a line
  kInflated,   // the lines themselves: something on the way has taken the gzip off
  kPadded,     // a good file, and 1,000 zero bytes behind it
  kMarked,     // a byte order mark before the first line
  kHtml,       // a page of a proxy, with status 200
};
std::optional<ExportFault> ExportFaultOf(std::string_view name);

struct ExportOptions {
  // The files of so many days back from today are not there yet.
  int withheld_days = 0;
  // TMDB publishes the files of a day at 08:00 UTC; here they come so much later (or earlier).
  std::chrono::minutes publish_delay{0};
  std::map<std::chrono::sys_days, ExportFault> faults = {};
};

class Exports {
 public:
  // `evolving`: `world` itself when it is one that evolves, else null.
  Exports(World& world, EvolvingWorld* evolving, ExportOptions options, const Clock& clock)
      : world_(world), evolving_(evolving), options_(std::move(options)), clock_(clock) {}

  // Answers /p/exports/{file}.
  http::Answer Handle(const http::ServerRequest& request, std::string_view file);
  // Builds all files of today now, so that no request has to wait for it.
  void Prepare();
  bool Published(std::chrono::sys_days date) const;
  // From now on, of past days too.
  void SetFaults(std::map<std::chrono::sys_days, ExportFault> faults) { options_.faults = std::move(faults); }

 private:
  struct File {
    std::shared_ptr<const std::string> bytes;
    std::string etag;
  };
  // What a file depends on: two days' files are one when nothing happened between them.
  struct FileKey {
    Kind kind;
    bool adult;
    std::uint64_t revision;
    std::optional<ExportFault> fault;
    auto operator<=>(const FileKey&) const = default;
  };
  std::optional<ExportFault> FaultOn(std::chrono::sys_days date) const;
  const File& FileOf(const ExportName& name);
  File Make(const FileKey& key);

  World& world_;
  EvolvingWorld* const evolving_;
  ExportOptions options_;
  const Clock& clock_;
  std::map<FileKey, File> files_;
  std::vector<FileKey> order_;  // of their making: the oldest are forgotten
};

}  // namespace tmdbc::sim

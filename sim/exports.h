// SPDX-License-Identifier: MIT
// Exports: the daily id files as files.tmdb.org serves them (TMDB.md section 3): whole, by HEAD, by Range,
// and 403 with S3's XML for what is not published. The file of a type is built on first use and kept; the
// world behind it does not change.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
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

struct ExportOptions {
  // The files of so many days back from today are not there yet.
  int withheld_days = 0;
  // TMDB's day's files are there at 08:00 UTC; this much later (or earlier).
  std::chrono::minutes publish_delay{0};
};

class Exports {
 public:
  Exports(World& world, ExportOptions options, const Clock& clock)
      : world_(world), options_(options), clock_(clock) {}

  // Answers /p/exports/{file}.
  http::Answer Handle(const http::ServerRequest& request, std::string_view file);
  // Builds all files now, so that no request has to wait for it.
  void Prepare();
  bool Published(std::chrono::sys_days date) const;

 private:
  struct File {
    std::shared_ptr<const std::string> bytes;
    std::string etag;
  };
  const File& FileOf(Kind kind, bool adult);

  World& world_;
  const ExportOptions options_;
  const Clock& clock_;
  std::map<std::pair<Kind, bool>, File> files_;
};

}  // namespace tmdbc::sim

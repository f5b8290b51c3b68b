// SPDX-License-Identifier: MIT
// DashboardHandler: the page at / and its data under /dashboard/, as an HTTP handler. It only shows. What it shows of
// the whole mirror are the watcher's last pictures; a record is read when it is asked for. Any thread, one request at a
// time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "dashboard/mirror_view.h"
#include "dashboard/record_pages.h"
#include "dashboard/watcher.h"
#include "http/server.h"

namespace tmdbc::dashboard {

struct DashboardOptions {
  // By which the machine is known, beside "localhost" and addresses in figures.
  std::vector<std::string> host_names = {};
  // An object that the page gets as it is: what it says of the program around it (docs/dashboard.md).
  std::string facts = "{}";
  // Records whose title is nearly `text`, the best first; empty: there is no such index, and a record is found by its
  // type and id alone. kUnavailable: not yet.
  std::function<Result<std::vector<MediaId>>(std::string_view text)> suggest = {};
};

class DashboardHandler {
 public:
  // `watcher` outlives it.
  DashboardHandler(OpenView open, Watcher& watcher, DashboardOptions options = {});

  http::Answer operator()(const http::ServerRequest& request);

 private:
  struct File {
    SharedText plain, gzip;
    std::string etag;
    std::string type;
  };
  http::Answer Page(const http::ServerRequest& request, const File& file) const;
  // The text of a file that is not served by itself.
  std::string TakeFile(std::string_view path);
  // The page, with its styles and what it first shows in it: two requests less before anything is painted.
  http::Answer First(const http::ServerRequest& request);
  http::Answer Data(const http::ServerRequest& request);
  http::Answer OfRecord(std::string_view what, std::string_view target);
  Result<std::string> Suggestions(RecordPages& pages, std::string_view text);

  const OpenView open_;
  const DashboardOptions options_;
  std::map<std::string, File, std::less<>> files_;  // by path: the scripts
  std::string page_;                                // but for what it first shows
  std::string style_source_;                        // by which a browser knows the page's own styles
  Watcher& watcher_;
  std::mutex mutex_;                  // of view_
  std::unique_ptr<MirrorView> view_;  // of records
};

// The value of a member of the query of a target, decoded; empty when it is absent.
std::string QueryValue(std::string_view target, std::string_view name);

}  // namespace tmdbc::dashboard

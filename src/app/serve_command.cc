// SPDX-License-Identifier: MIT
// serve: TMDB's read API out of the mirror and the dashboard, beside the process that works on it or without one.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "app/catalog_mark.h"
#include "app/command.h"
#include "app/dashboard_view.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/stop_signals.h"
#include "app/title_keeper.h"
#include "dashboard/dashboard_handler.h"
#include "dashboard/watcher.h"
#include "http/listen_address.h"
#include "http/server.h"
#include "read_api/read_api.h"
#include "read_api/stored_records.h"
#include "serve/api_handler.h"
#include "serve/image_handler.h"

namespace tmdbc {
namespace {

constexpr auto kStep = std::chrono::milliseconds(100);

bool IsForTheApi(std::string_view target) {
  return target.starts_with("/3") && (target.size() == 2 || target[2] == '/' || target[2] == '?');
}

}  // namespace

Result<int> ServeCommand(const Settings& settings, const Arguments& arguments) {
  const StopSignals signals;
  const auto at = ParseListenAddress(arguments.Get("--listen").value_or("127.0.0.1:8080"));
  if (!at) return WithinFlag("--listen", at.error());
  TRY_ASSIGN(const auto store, OpenedStore::ForReading(settings));
  PopularityTable expected(store->catalog);
  read_api::StoredRecords records(store->reader, &expected);
  const TitleKeeper keeper(settings, [](const std::string& what) { fmt::print(stderr, "{}\n", what); });
  read_api::ReadApi api(records, store->clock, &keeper.titles(), settings.serve_image_base_url);
  CatalogMark mark(store->catalog, keeper.titles());
  serve::ApiHandler handler(api, records, mark, store->clock, 64 << 20);
  const auto look = [&] { return OpenDashboardView(settings); };
  dashboard::Watcher watcher(look, store->clock);
  dashboard::DashboardHandler dashboard(look, watcher, {.facts = DashboardFacts(settings)});
  watcher.Start();
  PosixFileSystem files(settings.data_dir);
  serve::ImageHandler pictures(files);
  const auto answer = [&](const http::ServerRequest& request) {
    if (request.target.starts_with(serve::ImageHandler::kPath)) return pictures.Handle(request);
    // All that is neither TMDB's API nor its pictures is the page at / and what belongs to it.
    if (!IsForTheApi(request.target)) return dashboard(request);
    serve::ApiNote note;
    return handler.Handle(request, note);
  };
  TRY_ASSIGN(const auto server,
             http::Server::Listen({.address = at->address, .port = at->port}, store->clock, answer));
  TRY(WriteOut(fmt::format("serving {} at http://{}:{}/3\n", store->name, at->address, server->port())));
  // The handler reads the store, so both stay in this thread; the other waits for a signal.
  std::jthread until_stopped([&](const std::stop_token& done) {
    while (!signals.flag().requested() && !done.stop_requested()) std::this_thread::sleep_for(kStep);
    server->Stop();
  });
  server->Run();
  return kExitDone;
}

}  // namespace tmdbc

// SPDX-License-Identifier: MIT
#include "app/served_beside.h"

#include <utility>

namespace tmdbc {

Result<std::unique_ptr<ServedBeside>> ServedBeside::Start(const Settings& settings, Pipeline& pipeline) {
  DemandDesk* const demands = settings.serve_upstream ? &pipeline.FetchOnDemand() : nullptr;
  TRY_ASSIGN(auto server, ReadServer::Open(settings, pipeline.log(), demands));
  return std::unique_ptr<ServedBeside>(new ServedBeside(pipeline, std::move(server)));
}

ServedBeside::ServedBeside(Pipeline& pipeline, std::unique_ptr<ReadServer> server)
    : pipeline_(pipeline), server_(std::move(server)) {
  server_->Start();
  if (auto* metrics = pipeline_.metrics_server())
    metrics->Add([served = server_.get()] { return served->MetricsText(); });
  pipeline_.log().Info("serving", {{"url", server_->url() + "/3"}});
}

ServedBeside::~ServedBeside() {
  if (auto* metrics = pipeline_.metrics_server()) metrics->Add({});
  server_->Finish();
}

}  // namespace tmdbc

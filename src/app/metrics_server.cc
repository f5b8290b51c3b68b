// SPDX-License-Identifier: MIT
#include "app/metrics_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <mutex>
#include <utility>

namespace tmdbc {
namespace {

http::Answer TextAnswer(int status, std::string body, const char* type = "text/plain; charset=utf-8") {
  return {.status = status,
          .headers = {{"Content-Type", type}, {"Cache-Control", "no-store"}},
          .body = std::make_shared<const std::string>(std::move(body))};
}

bool OnlyReads(const http::ServerRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

http::Answer RefuseToWrite() {
  http::Answer answer = TextAnswer(405, "only GET and HEAD\n");
  answer.headers.emplace_back("Allow", "GET, HEAD");
  return answer;
}

std::string_view PathOf(const http::ServerRequest& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

http::Answer Numbers(std::string text) {
  return TextAnswer(200, std::move(text), "text/plain; version=0.0.4; charset=utf-8");
}

// Signals are for the loop's thread, which waits for them.
std::thread StartWithoutSignals(http::Server& server) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([&server] { server.Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

struct MetricsServer::More {
  std::string Text() {
    const std::lock_guard lock(mutex);
    return text ? text() : "";
  }

  std::mutex mutex;  // of `text`, also while it is called
  std::function<std::string()> text;
};

http::Answer AnswerMetricsRequest(const http::ServerRequest& request, const MirrorMetrics& metrics,
                                  const std::function<std::string()>& more) {
  if (!OnlyReads(request)) return RefuseToWrite();
  const std::string_view path = PathOf(request);
  if (path == "/metrics") return Numbers(metrics.Text() + (more ? more() : ""));
  if (path == "/healthz") {
    if (metrics.alive()) return TextAnswer(200, "ok\n");
    return TextAnswer(
        503, fmt::format("the loop has not gone on for {} s\n", MirrorMetrics::kAliveWithin.count()));
  }
  if (path == "/readyz") {
    if (metrics.ready()) return TextAnswer(200, "ready\n");
    return TextAnswer(503, "TMDB has not accepted the key yet\n");
  }
  return TextAnswer(404, "there are /metrics, /healthz and /readyz\n");
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const ListenAddress& at, const Clock& clock,
                                                            const MirrorMetrics& metrics) {
  const auto more = std::make_shared<More>();
  const auto answer = [&metrics, more](const http::ServerRequest& request) {
    return AnswerMetricsRequest(request, metrics, [&] { return more->Text(); });
  };
  return Listen(at, clock, answer, more);
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const ListenAddress& at, const Clock& clock,
                                                            std::function<std::string()> text) {
  const auto answer = [text = std::move(text)](const http::ServerRequest& request) {
    if (!OnlyReads(request)) return RefuseToWrite();
    const std::string_view path = PathOf(request);
    if (path == "/metrics") return Numbers(text());
    if (path == "/healthz" || path == "/readyz") return TextAnswer(200, "ok\n");
    return TextAnswer(404, "there are /metrics, /healthz and /readyz\n");
  };
  return Listen(at, clock, answer, std::make_shared<More>());
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::Listen(const ListenAddress& at, const Clock& clock,
                                                             http::Server::Handler handler,
                                                             std::shared_ptr<More> more) {
  http::ServerOptions options;
  options.address = at.address;
  options.port = at.port;
  // Prometheus asks every minute or oftener, on a connection that it keeps; a probe needs a moment. A
  // client that holds connections open keeps neither out.
  options.connections_per_address = 20;
  options.replace_oldest = true;
  options.request_limit = std::chrono::seconds(10);
  options.idle_limit = std::chrono::minutes(5);
  auto server = http::Server::Listen(options, clock, std::move(handler));
  // Unlike a wrong address, a port in use may be free when the service manager tries again.
  if (!server && server.error().code == ErrorCode::kExists)
    return Fail(ErrorCode::kUnavailable,
                "METRICS_LISTEN: {}: set METRICS_LISTEN to another one, or end the program that has it",
                server.error().message);
  if (!server) return Within("METRICS_LISTEN", server.error());
  return std::unique_ptr<MetricsServer>(new MetricsServer(*std::move(server), at.address, std::move(more)));
}

MetricsServer::MetricsServer(std::unique_ptr<http::Server> server, std::string address, std::shared_ptr<More> more)
    : server_(std::move(server)),
      address_(std::move(address)),
      more_(std::move(more)),
      thread_(StartWithoutSignals(*server_)) {}

void MetricsServer::Add(std::function<std::string()> more) {
  const std::lock_guard lock(more_->mutex);
  more_->text = std::move(more);
}

MetricsServer::~MetricsServer() {
  server_->Stop();
  thread_.join();
}

std::string MetricsServer::url() const {
  const bool v6 = address_.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}/metrics", v6 ? "[" : "", address_, v6 ? "]" : "", server_->port());
}

}  // namespace tmdbc

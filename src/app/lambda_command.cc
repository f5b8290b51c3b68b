// SPDX-License-Identifier: MIT
// lambda: this program as a function of AWS Lambda (docs/aws.md). Which of the two it is says _HANDLER: "collector" or
// "harvester". All settings are environment variables; the key is a parameter of SSM, read when the first event comes.
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include "app/command.h"
#include "app/dating_transport.h"
#include "app/hints.h"
#include "app/lambda_functions.h"
#include "app/lambda_probe.h"
#include "app/output.h"
#include "app/owner_request.h"
#include "app/pipeline.h"
#include "aws/lambda_runtime.h"
#include "aws/session.h"
#include "base/version.h"
#include "http/curl_transport.h"
#include "tmdb/upstream_clock.h"

namespace tmdbc {
namespace {

// /tmp is Lambda's only folder that may be written to.
std::string ScratchFolder() {
  const std::string folder = aws::Variable(std::getenv, "TMPDIR");
  return (folder.empty() ? "/tmp" : folder) + "/tmdb-data-collector";
}

const char* Getenv(const char* name) {
  return std::getenv(name);
}

// The setting of the deployment in environment variable `name`.
Result<std::string> Needed(const char* name) {
  std::string value = aws::Variable(Getenv, name);
  if (value.empty()) return Fail(ErrorCode::kInvalid, "{} is not set: the deployment sets it (serverless.yml)", name);
  return value;
}

// As collector.config.js has it: slow ones pay for waiting, so they take less.
double CollectorMegabytes(double rate) {
  return rate > 10 ? 256 : 128;
}

// What both functions are made of, for as long as the process lives.
class LambdaProcess {
 public:
  static Result<std::unique_ptr<LambdaProcess>> Open(std::string handler) {
    if (handler != "collector" && handler != "harvester") {
      return Fail(ErrorCode::kInvalid, "_HANDLER is '{}': use collector or harvester", handler);
    }
    TRY_ASSIGN(Settings settings, LoadSettings({.env_path = "", .environment = Getenv}));
    if (settings.s3_bucket_name.empty()) TRY(Needed("S3_BUCKET_NAME"));
    std::unique_ptr<LambdaProcess> process(new LambdaProcess(std::move(handler), std::move(settings)));
    TRY_ASSIGN(process->aws_, aws::AwsSession::Open(Getenv, process->machine_, process->settings_.s3_endpoint));
    TRY_ASSIGN(process->objects_, process->aws_->Bucket(process->settings_.s3_bucket_name));
    TRY_ASSIGN(auto transport, http::CurlTransport::Create(process->machine_));
    process->transport_ =
        std::make_unique<DatingTransport>(std::move(transport), process->machine_, process->upstream_);
    for (const std::string& warning : process->settings_.warnings) process->log_->Warn(warning);
    return process;
  }

  Result<std::string> Handle(const aws::Invocation& invocation) {
    ++invocations_;
    const MonoTime began = machine_.Mono();
    auto answer = Work(invocation);
    worked_ += machine_.Mono() - began;
    return answer;
  }
  Log& log() { return *log_; }

 private:
  Result<std::string> Work(const aws::Invocation& invocation) {
    return handler_ == "collector" ? Collect(invocation) : Own(invocation);
  }
  // What this environment has caused, its time up to the call before this one.
  Spent Caused() const {
    Spent spent = SpentOn(aws_->client().sent());
    spent.invocations = invocations_;
    const double gb = std::atof(aws::Variable(Getenv, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE").c_str()) / 1024;
    spent.gb_ms = std::int64_t(gb * double(std::chrono::duration_cast<std::chrono::milliseconds>(worked_).count()));
    return spent;
  }

  LambdaProcess(std::string handler, Settings settings)
      : handler_(std::move(handler)),
        settings_(std::move(settings)),
        log_(MakeLog(settings_, machine_)),
        surroundings_{.machine = machine_,
                      .stage = aws::Variable(Getenv, "STAGE"),
                      .log = *log_,
                      .write = [](std::string_view line) { (void)WriteOut(line); }} {}

  Result<void> ReadKey() {
    TRY_ASSIGN(const std::string name, Needed("TMDB_API_KEY_PARAMETER"));
    TRY_ASSIGN(const std::string key, aws_->Parameter(name));
    const Setting& setting = *FindSetting("TMDB_API_KEY");
    if (!setting.apply(key, settings_)) {
      return Fail(ErrorCode::kInvalid, "the parameter {} holds no key: use {}", name, setting.allowed);
    }
    log_->Mask(settings_.tmdb_api_key);
    key_is_parameter_ = true;
    return {};
  }
  Result<void> NeedKey() { return settings_.tmdb_api_key.empty() ? ReadKey() : Result<void>(); }
  // It may have been replaced since: then what was made with it is made again. While it cannot be read it stays.
  void RenewKey() {
    if (!key_is_parameter_) return;
    const std::string before = settings_.tmdb_api_key;
    if (const auto read = ReadKey(); !read) log_->Warn("the key stays as it is", {{"reason", read.error().message}});
    if (settings_.tmdb_api_key == before) return;
    collector_.reset();
    harvester_.reset();
    owner_.reset();
  }

  Result<std::string> Collect(const aws::Invocation& invocation) {
    if (!collector_) {
      TRY(NeedKey());
      function_.emplace(CollectorFunction::Ports{.clock = answered_,
                                                 .objects = *objects_,
                                                 .transport = *transport_,
                                                 .upstream = upstream_,
                                                 .log = *log_,
                                                 .random = random_},
                        CollectorFunctionOptions{.access = ApiAccessOf(settings_),
                                                 .namespaces = settings_.namespaces,
                                                 .season_extras = settings_.season_extras});
      collector_.emplace(surroundings_, *function_, stop_);
    }
    auto answer = collector_->Handle(invocation);
    if (collector_->denied()) RenewKey();
    return answer;
  }

  Result<std::string> Own(const aws::Invocation& invocation) {
    const auto event = KindOfEvent(invocation.event);
    if (event && event->kind != OwnerEventKind::Kind::kHeartbeat) RenewKey();
    if (!harvester_) {
      TRY(NeedKey());
      TRY_ASSIGN(const std::string ids, Needed("IDS_QUEUE_URL"));
      TRY_ASSIGN(const std::string dead, Needed("DEAD_LETTERS_QUEUE_URL"));
      TRY_ASSIGN(channel_, aws_->Channel(ids, dead));
      std::error_code failed;
      const std::string folder = ScratchFolder();
      std::filesystem::create_directories(folder, failed);
      if (failed) return Fail(ErrorCode::kIo, "make {}: {}", folder, failed.message());
      scratch_.emplace(folder, [this](const std::string& warning) { log_->Warn(warning); });
      OwnerOptions options;
      options.dispatch = {.rate = settings_.rate_limit_requests, .concurrency = settings_.collector_concurrency};
      options.sources = {.export_base_url = settings_.tmdb_export_base_url, .api = ApiAccessOf(settings_)};
      options.types = settings_.media_types;
      options.collector_gb = CollectorMegabytes(settings_.rate_limit_requests) / 1024;
      options.first_request = R"({"source":"aws.events","detail-type":"Scheduled Event","detail":{}})";
      options.read_request = ReadOwnerRequest;
      options.harvest_options = [this](const HarvestRequest& request) { return HarvestOptionsFor(settings_, request); };
      owner_.emplace(OwnerPorts{.objects = *objects_,
                                .channel = *channel_,
                                .scratch = *scratch_,
                                .scratch_folder = folder,
                                .clock = machine_,
                                .transport = *transport_,
                                .upstream = upstream_,
                                .random = random_,
                                .log = *log_,
                                .spent = [this] { return Caused(); }},
                     std::move(options));
      harvester_.emplace(surroundings_, *owner_, random_, [this](Time deadline) -> Result<std::string> {
        return ProbeFromInside({.clock = machine_,
                                .objects = *objects_,
                                .conditions = [this] { return objects_->Probe(); },
                                .channel = *channel_,
                                .transport = *transport_,
                                .upstream = upstream_,
                                .random = random_,
                                .api = ApiAccessOf(settings_),
                                .export_base_url = settings_.tmdb_export_base_url},
                               deadline);
      });
    }
    auto answer = harvester_->Handle(invocation);
    if (harvester_->denied()) RenewKey();
    return answer;
  }

  const std::string handler_;
  Settings settings_;
  const SystemClock machine_;
  std::mt19937_64 random_{std::random_device{}()};
  const std::unique_ptr<Log> log_;
  const LambdaSurroundings surroundings_;
  const StopFlag stop_;  // nobody asks a function to stop: its time ends
  UpstreamDate upstream_;
  const UpstreamClock answered_{machine_, upstream_};
  std::unique_ptr<aws::AwsSession> aws_;
  std::unique_ptr<aws::S3ObjectStore> objects_;
  std::unique_ptr<http::HttpTransport> transport_;  // to TMDB
  bool key_is_parameter_ = false;
  std::int64_t invocations_ = 0;
  Duration worked_{};  // in earlier calls

  // Made when the first event comes.
  std::optional<CollectorFunction> function_;
  std::optional<CollectorLambda> collector_;
  std::unique_ptr<aws::SqsChannel> channel_;
  std::optional<PosixFileSystem> scratch_;
  std::optional<Owner> owner_;
  std::optional<HarvesterLambda> harvester_;
};

}  // namespace

Result<int> LambdaCommand(const Settings&, const Arguments&) {
  const std::string address = aws::Variable(Getenv, "AWS_LAMBDA_RUNTIME_API");
  if (address.empty()) {
    return Fail(ErrorCode::kInvalid, "lambda is what AWS Lambda starts: AWS_LAMBDA_RUNTIME_API is not set here");
  }
  TRY_ASSIGN(aws::LambdaRuntime runtime, aws::LambdaRuntime::At(address));
  const std::string handler = aws::Variable(Getenv, "_HANDLER");
  const std::string name = handler == "harvester" ? "Harvester" : "Collector";
  auto process = LambdaProcess::Open(handler);
  if (!process) {
    const std::string why = Explain(process.error());
    // The caller may be gone; the error stands in the log all the same.
    (void)runtime.FailInit({.type = aws::FunctionErrorType(name, process.error().code), .message = why});
    return std::unexpected(process.error());
  }
  (*process)->log().Info("started", {{"handler", handler}, {"version", kVersion}});
  return std::unexpected(aws::ServeLambda(runtime, name, (*process)->log(), [&](const aws::Invocation& invocation) {
    return (*process)->Handle(invocation);
  }));
}

}  // namespace tmdbc

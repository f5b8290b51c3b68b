// SPDX-License-Identifier: MIT
#include "harvester/export_download.h"

#include <algorithm>
#include <charconv>

#include "base/backoff.h"
#include "base/compression.h"

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

constexpr chrono::hours kPublished{8};
// Four pauses of 1, 2, 4 and 8 s, a quarter more or less. Only two downloads run at a time, so there is no
// crowd to spread (as full jitter does), and a host that is being restarted is given most of the 15 s.
constexpr Backoff kBackoff{.base = chrono::seconds(1), .cap = chrono::seconds(8)};
// How long a stop request may stay unseen.
constexpr chrono::milliseconds kCheckEvery{250};

constexpr std::size_t kHeadBytes = 64;         // enough to tell what a body is
constexpr std::size_t kMemberBytes = 1 << 20;  // of lines, gathered to one gzip member

std::string PartPath(const ExportFile& file) {
  return fmt::format("exports/{}.part", file.name);
}

std::optional<std::uint64_t> ContentLength(const http::Response& response) {
  const std::string_view text = response.header("Content-Length");
  std::uint64_t length = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return length;
}

Judgement NoExport(BodyForm form) {
  return {Answer::kTryAgain,
          form == BodyForm::kHtml ? "what came is an HTML page, no export" : "what came is not a gzip file"};
}

bool IsExport(BodyForm form) {
  return form == BodyForm::kGzip || form == BodyForm::kLines;
}

Judgement JudgeBody(const http::Response& response, std::uint64_t received, BodyForm form) {
  const auto promised = ContentLength(response);
  if (!IsExport(form)) return NoExport(form);
  // Gzip has a checksum at its end. Lines have none: where the connection's end is the body's, a cut would not show.
  if (form == BodyForm::kLines && !promised && response.header("Transfer-Encoding").empty()) {
    return {Answer::kDamaged, "it came inflated, and nothing says whether it is whole"};
  }
  if (promised && *promised != received) {
    return {Answer::kDamaged, fmt::format("{} of {} bytes came", received, *promised)};
  }
  if (received == 0) return {Answer::kDamaged, "an empty file came"};
  return {Answer::kWhole, {}};
}

Judgement JudgeFailure(const http::Outcome& outcome, std::uint64_t received, BodyForm form) {
  switch (*outcome.failure) {
    case http::TransportFailure::kTooLarge:
      return {Answer::kHopeless, fmt::format("it is larger than {} bytes", kMaxExportBytes)};
    case http::TransportFailure::kAborted:
      if (!IsExport(form)) return NoExport(form);
      return {Answer::kTryAgain, "cancelled"};
    case http::TransportFailure::kReset:
      return {received > 0 ? Answer::kDamaged : Answer::kTryAgain, outcome.failure_text};
    case http::TransportFailure::kUntrusted:
      return {Answer::kHopeless, outcome.failure_text};
    case http::TransportFailure::kConnect:
    case http::TransportFailure::kTimeout:
      break;
  }
  return {Answer::kTryAgain, outcome.failure_text};
}

// What a person may look at when it stays so. What answers, and is no host of exports, may be another one.
Hint HintOf(const http::Outcome& outcome, Answer answer, BodyForm form) {
  const int status = outcome.response ? outcome.response->status : 0;
  const bool foreign = status != 0 && status < 500 && status != 429 && answer == Answer::kTryAgain;
  return foreign || !IsExport(form) ? Hint::kCheckExportUrl : outcome.failure_hint;
}

}  // namespace

std::vector<chrono::sys_days> CandidateDays(Time now, std::optional<chrono::sys_days> last) {
  const auto today = chrono::floor<chrono::days>(now);
  // The clock went back since: what is in force is newer than today.
  if (last && *last > today) return {*last};
  std::vector<chrono::sys_days> days;
  for (int back = 0; back <= kDaysBack; ++back) days.push_back(today - chrono::days(back));
  if (now - today < kPublished) std::swap(days[0], days[1]);
  if (!last) return days;
  std::erase_if(days, [&](chrono::sys_days day) { return day < *last; });
  const auto reached = std::find(days.begin(), days.end(), *last);
  if (reached != days.end()) days.erase(reached + 1, days.end());
  return days;
}

BodyForm FormOf(std::string_view head) {
  if (head.empty() || head.starts_with("\x1f\x8b")) return BodyForm::kGzip;  // RFC 1952 section 2.3.1
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (head.starts_with('{')) return BodyForm::kLines;
  return head.starts_with('<') ? BodyForm::kHtml : BodyForm::kOther;
}

Judgement Judge(const http::Outcome& outcome, std::uint64_t received, BodyForm form) {
  if (!outcome.response) return JudgeFailure(outcome, received, form);
  const int status = outcome.response->status;
  std::string reason = fmt::format("HTTP {}", status);
  if (status == 200) return JudgeBody(*outcome.response, received, form);
  if (status == 403 || status == 404) return {Answer::kNotPublished, std::move(reason)};
  // Redirects and refusals too: fronts give them for a moment and mean nothing by it.
  return {Answer::kTryAgain, std::move(reason)};
}

ExportDownloader::ExportDownloader(const Clock& clock, http::HttpTransport& transport, FileSystem& files,
                                   Log& log, std::string base_url, std::string user_agent)
    : clock_(clock),
      transport_(transport),
      files_(files),
      log_(log),
      base_url_(std::move(base_url)),
      user_agent_(std::move(user_agent)),
      random_(std::uint64_t(clock.Now().time_since_epoch().count())) {}

ExportDownloader::~ExportDownloader() {
  CancelAll();
}

ExportDownloader::JobId ExportDownloader::Add(const ExportFile& file, std::vector<chrono::sys_days> days) {
  Job& job = jobs_.emplace_back();
  job.file = &file;
  job.days = std::move(days);
  return jobs_.size() - 1;
}

Result<std::optional<ExportDownloader::JobId>> ExportDownloader::Next(const StopFlag& stop) {
  while (true) {
    if (stop.requested()) {
      CancelAll();
      return std::nullopt;
    }
    if (const auto ended = TakeEnded()) return ended;
    if (Finished()) return std::nullopt;
    if (!answered_ && first_start_ && clock_.Mono() >= *first_start_ + kGiveUpUnanswered) {
      CancelAll();
      for (Job& job : jobs_) {
        const std::string reason = job.result.reason.empty() ? "no answer" : job.result.reason;
        if (job.state == State::kWaiting) End(job, FetchEnd::kUnreachable, reason, job.result.hint);
      }
      continue;
    }
    TRY(StartReady());
    TRY(Wait());
  }
}

Result<void> ExportDownloader::StartReady() {
  for (Job& job : jobs_) {
    if (InFlight() >= kDownloadsAtOnce || transport_.Room() <= 0) break;
    if (job.state == State::kWaiting && job.not_before <= clock_.Mono()) TRY(Start(job));
  }
  return {};
}

Result<void> ExportDownloader::Start(Job& job) {
  TRY_ASSIGN(job.part, files_.OpenAppend(PartPath(*job.file)));
  TRY(job.part->Truncate(0));
  job.form.reset();
  job.received = 0;
  job.gathered.clear();
  if (!first_start_) first_start_ = clock_.Mono();
  http::Request request;
  request.url = ExportUrl(base_url_, job.file->name, job.days[job.day]);
  request.headers = {{"User-Agent", user_agent_}};
  request.timeout = kDownloadTimeout;
  request.max_body = kMaxExportBytes;
  request.sink = [this, &job](std::string_view bytes) { return Take(job, bytes); };
  job.state = State::kInFlight;
  ++requests_;
  job.request = transport_.Start(std::move(request), {});
  return {};
}

bool ExportDownloader::Take(Job& job, std::string_view bytes) {
  answered_ = true;
  job.received += bytes.size();
  if (job.form == BodyForm::kGzip) return Write(job, bytes);
  job.gathered += bytes;
  if (!job.form) {
    if (job.gathered.size() < kHeadBytes) return true;
    job.form = FormOf(job.gathered);
  }
  if (!IsExport(*job.form)) return false;
  if (job.form == BodyForm::kLines && job.gathered.size() < kMemberBytes) return true;
  return WriteGathered(job);
}

bool ExportDownloader::WriteGathered(Job& job) {
  if (job.gathered.empty()) return true;
  const std::string bytes = std::exchange(job.gathered, {});
  return Write(job, job.form == BodyForm::kLines ? Gzip(bytes) : bytes);
}

bool ExportDownloader::Write(Job& job, std::string_view bytes) {
  auto written = job.part->Append(bytes);
  if (!written) job.write_error = std::move(written).error();
  return !job.write_error;
}

Result<void> ExportDownloader::Wait() {
  MonoTime until = clock_.Mono() + kCheckEvery;
  for (const Job& job : jobs_) {
    if (job.state == State::kWaiting && job.not_before > clock_.Mono())
      until = std::min(until, job.not_before);
  }
  // Every outcome is settled, whatever became of the one before: none comes twice.
  Result<void> first;
  for (const http::Outcome& outcome : transport_.Wait(until)) {
    const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& j) {
      return j.state == State::kInFlight && j.request == outcome.id;
    });
    if (job == jobs_.end()) continue;
    if (auto settled = Settle(*job, outcome); !settled && first) first = std::move(settled);
  }
  return first;
}

Result<void> ExportDownloader::Settle(Job& job, const http::Outcome& outcome) {
  job.state = State::kWaiting;
  if (outcome.response) answered_ = true;
  if (!job.form) job.form = FormOf(job.gathered);
  if (!cancelling_ && outcome.response && IsExport(*job.form)) WriteGathered(job);
  const std::unique_ptr<AppendFile> part = std::move(job.part);
  if (cancelling_) return {};
  if (job.write_error) return std::unexpected(*std::exchange(job.write_error, std::nullopt));
  Judgement judgement = Judge(outcome, job.received, *job.form);
  const Hint hint = HintOf(outcome, judgement.answer, *job.form);
  switch (judgement.answer) {
    case Answer::kWhole:
      TRY(part->Sync());
      End(job, FetchEnd::kFetched, {});
      job.result.path = PartPath(*job.file);
      break;
    case Answer::kNotPublished:
      NextDay(job, outcome.response->status, judgement.reason);
      break;
    case Answer::kTryAgain:
    case Answer::kDamaged:
      Retry(job, judgement.answer, std::move(judgement.reason), hint);
      break;
    case Answer::kHopeless:
      End(job, FetchEnd::kUnreachable, std::move(judgement.reason), hint);
      break;
  }
  return {};
}

void ExportDownloader::NextDay(Job& job, int status, const std::string& reason) {
  log_.Info("export is not published",
            {{"name", job.file->name}, {"date", FormatDate(job.days[job.day])}, {"answer", reason}});
  job.failures = 0;
  job.not_before = {};
  job.forbidden = job.forbidden || status == 403;
  if (job.day + 1 < job.days.size()) {
    ++job.day;
  } else {
    End(job, FetchEnd::kNotPublished, reason);
  }
}

bool ExportDownloader::Again(JobId id, std::string_view reason) {
  return Retry(jobs_[id], Answer::kDamaged, std::string(reason), Hint::kNone);
}

bool ExportDownloader::Retry(Job& job, Answer answer, std::string reason, Hint hint) {
  ++job.failures;
  if (job.failures >= kDownloadTries) {
    const auto end = answer == Answer::kDamaged ? FetchEnd::kDamaged : FetchEnd::kUnreachable;
    End(job, end, fmt::format("{} (after {} tries)", reason, job.failures), hint);
    return false;
  }
  std::uniform_real_distribution<double> jitter(0.75, 1.25);
  const auto delay = chrono::duration_cast<Duration>(kBackoff.Bound(job.failures) * jitter(random_));
  log_.Warn("export download failed, trying again",
            {{"name", job.file->name},
             {"date", FormatDate(job.days[job.day])},
             {"reason", reason},
             {"try", job.failures + 1},
             {"in_seconds", chrono::duration<double>(delay).count()}});
  job.state = State::kWaiting;
  job.not_before = clock_.Mono() + delay;
  job.result.reason = std::move(reason);
  job.result.hint = hint;
  return true;
}

void ExportDownloader::End(Job& job, FetchEnd end, std::string reason, Hint hint) {
  job.state = State::kEnded;
  job.result = {.end = end,
                .day = job.days[job.day],
                .path = {},
                .reason = std::move(reason),
                .hint = hint,
                .forbidden = job.forbidden};
}

void ExportDownloader::CancelAll() {
  cancelling_ = true;
  for (const Job& job : jobs_) {
    if (job.state == State::kInFlight) transport_.Cancel(job.request);
  }
  // Until their outcomes are here, the sinks may still be called.
  while (InFlight() > 0) (void)Wait();
  cancelling_ = false;
}

std::optional<ExportDownloader::JobId> ExportDownloader::TakeEnded() {
  for (JobId id = 0; id < jobs_.size(); ++id) {
    if (jobs_[id].state != State::kEnded) continue;
    jobs_[id].state = State::kHandedOut;
    return id;
  }
  return std::nullopt;
}

int ExportDownloader::InFlight() const {
  return int(std::count_if(jobs_.begin(), jobs_.end(),
                           [](const Job& job) { return job.state == State::kInFlight; }));
}

bool ExportDownloader::Finished() const {
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const Job& job) { return job.state == State::kHandedOut; });
}

}  // namespace tmdbc

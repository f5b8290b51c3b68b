// SPDX-License-Identifier: MIT
#include "cloud/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/version.h"
#include "storage/line_cursor.h"
#include "storage/record.h"
#include "storage/record_line.h"
#include "tmdb/parsed_body.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;
using EntryKind = BundleEntry::Kind;

constexpr std::string_view kBundleSuffix = ".jsonl.zst";
// Of lines, before compression; or one longer line.
constexpr std::size_t kBundleFrameBytes = 1 << 20;

// A line that tells of an answer, but for its data.
struct AnswerLine {
  MediaId id{};
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  Time fetched_at{};
  std::optional<Time> whole_at;  // of an id's first line
  int status = 200;
  std::optional<std::string> etag;
  std::optional<SeasonList> seasons;  // of a show
  std::vector<std::string> lacking = {};

  bool is_season() const { return id.type == MediaType::kSeason; }
};

// --- what is written ---

// Everything before the value of "data".
void AppendAnswerHead(const AnswerLine& line, std::string& out) {
  auto end = std::back_inserter(out);
  fmt::format_to(end, R"({{"type":"{}","id":{})", Name(line.id.type), line.id.id);
  if (line.is_season()) fmt::format_to(end, R"(,"tv_id":{},"season_number":{})", line.tv_id, line.season_number);
  fmt::format_to(end, R"(,"fetched_at":"{}")", FormatTime(line.fetched_at));
  if (line.whole_at) fmt::format_to(end, R"(,"whole_at":"{}")", FormatTime(*line.whole_at));
  fmt::format_to(end, R"(,"status":{},"etag":)", line.status);
  AppendEtag(line.etag, out);
  if (line.seasons) {
    fmt::format_to(end, R"(,"seasons":{{"given":{},"numbers":[{}],"ids":[{}],"readable":{}}})", line.seasons->given,
                   fmt::join(line.seasons->numbers, ","), fmt::join(line.seasons->ids, ","), line.seasons->readable);
  }
  if (!line.lacking.empty()) fmt::format_to(end, R"(,"lacking":["{}"])", fmt::join(line.lacking, R"(",")"));
  out += R"(,"data":)";
}

std::string FailedLine(MediaId id, std::string_view reason) {
  JsonWriter out;
  out.BeginObject().Field("type", Name(id.type)).Field("id", id.id).Field("failed", reason).EndObject();
  return out.text() + "\n";
}

std::string LeftLine(MediaId id) {
  return fmt::format("{{\"type\":\"{}\",\"id\":{},\"left\":true}}\n", Name(id.type), id.id);
}

std::string SummaryLine(const BundleSummary& summary) {
  JsonWriter out;
  out.BeginObject()
      .Field("batch", summary.batch)
      .Field("requests", summary.requests)
      .Field("throttled", summary.throttled)
      .Field("retries", summary.retries)
      .Key("seconds")
      .Real(summary.seconds, 3)
      .Field("denied", summary.denied)
      .Field("answered", summary.answered)
      .Key("upstream_date");
  summary.upstream_date ? out.Text(FormatDate(*summary.upstream_date)) : out.Null();
  out.Field("program", summary.program).EndObject();
  return out.text() + "\n";
}

bool IsAscending(const std::vector<std::int64_t>& numbers) {
  return std::ranges::adjacent_find(numbers, std::greater_equal()) == numbers.end();
}

bool IsRecordId(MediaId id) {
  return id.id >= 1 && id.id <= kMaxRecordId;
}

// What both ends hold against an answer. Hashes the data, and looks for the episodes of a season.
Result<void> CheckAnswer(const AnswerLine& line, std::string_view data, Document& document) {
  const auto wrong = [](const char* what) { return Fail(ErrorCode::kCorrupt, "{}", what); };
  if (!IsRecordId(line.id)) return wrong("no id that a record can have");
  if (!line.is_season() && !CanBeAsked(line.id.type)) return wrong("nobody can ask for its type");
  if (line.seasons && (!IsAscending(line.seasons->numbers) || !IsAscending(line.seasons->ids))) {
    return wrong("its list of seasons is not in order");
  }
  const auto parsed = ParsedJson::Parse(data);
  if (!parsed) return wrong(parsed.error().message.c_str());
  document.hash = HashParsed(parsed->root());
  document.episodes.clear();
  if (line.is_season()) document.episodes = EpisodesOf(parsed->root());
  return {};
}

// --- what is read ---

std::vector<std::int64_t> TakeIntegers(LineCursor& at) {
  std::vector<std::int64_t> numbers;
  at.Expect("[");
  if (at.Skip("]")) return numbers;
  do numbers.push_back(at.Integer());
  while (at.ok() && at.Skip(","));
  at.Expect("]");
  return numbers;
}

bool TakeBool(LineCursor& at) {
  if (at.Skip("true")) return true;
  at.Expect("false");
  return false;
}

std::optional<Time> TakeTime(LineCursor& at) {
  at.Expect("\"");
  const auto time = ParseTime(at.Word());
  return at.ok() && time ? std::optional(*time) : std::nullopt;
}

// One line after the other, in their order; gives each entry once its last line is known.
class BundleLines {
 public:
  // What is known of the whole bundle once it was read.
  struct Known {
    std::map<MediaId, std::string> failed;  // reasons
    std::optional<BundleSummary> summary;
  };

  // `before` (may be null) is what the first reading found.
  BundleLines(const Known* before, const std::function<Result<void>(BundleEntry)>& visit)
      : before_(before), visit_(visit) {}

  Result<void> Take(std::string_view line) {
    if (known_.summary) return Wrong("a line behind the last one");
    if (line.starts_with(R"({"batch":)")) return TakeSummary(line);
    LineCursor at(line);
    at.Expect(R"({"type":")");
    const auto type = ParseMediaType(at.Word());
    if (!at.ok() || !type) return Wrong("no known type");
    at.Expect(R"(,"id":)");
    const MediaId id{*type, at.Integer()};
    if (!at.ok() || !IsRecordId(id)) return Wrong("no id");
    if (at.rest().starts_with(R"(,"left":)")) return TakeLeft(id, line);
    if (at.rest().starts_with(R"(,"failed":)")) return TakeFailed(id, line);
    return TakeAnswer(id, at, line);
  }

  Result<void> Flush() {
    if (!entry_) return {};
    BundleEntry entry = *std::exchange(entry_, std::nullopt);
    entry_bytes_ = 0;
    if (checks()) return {};
    if (entry.kind == EntryKind::kFetched) {
      if (const auto lacking = before_->failed.find(entry.id); lacking != before_->failed.end()) {
        entry.reason = lacking->second;
      }
    }
    return visit_(std::move(entry));
  }

  // The first reading: nothing is given to the visitor, so each error is the bundle's.
  bool checks() const { return before_ == nullptr; }
  Known& known() { return known_; }

 private:
  static std::unexpected<Error> Wrong(std::string_view what) { return Fail(ErrorCode::kCorrupt, "{}", what); }

  Result<void> Begin(EntryKind kind, MediaId id) {
    TRY(Flush());
    if (!CanBeAsked(id.type)) return Wrong("nobody can ask for its type");
    if (!kinds_.emplace(id, kind).second) return Wrong("an id that stands twice");
    entry_ = BundleEntry{.kind = kind, .id = id, .at = {}, .documents = {}, .seasons = {}, .reason = {}};
    return {};
  }

  Result<void> TakeLeft(MediaId id, std::string_view line) {
    if (LeftLine(id) != fmt::format("{}\n", line)) return Wrong("not in the form of the format");
    return Begin(EntryKind::kLeft, id);
  }

  Result<void> TakeFailed(MediaId id, std::string_view line) {
    TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(line));
    std::string_view reason;
    if (parsed.root()["failed"].get(reason) != simdjson::SUCCESS || reason.empty() ||
        FailedLine(id, reason) != fmt::format("{}\n", line)) {
      return Wrong("not in the form of the format");
    }
    if (!known_.failed.emplace(id, reason).second) return Wrong("an id that stands twice");
    // Of what was fetched in part, the entry has the reason.
    if (const auto told = kinds_.find(id); told != kinds_.end() && told->second == EntryKind::kFetched) return Flush();
    TRY(Begin(EntryKind::kFailed, id));
    entry_->reason = reason;
    return {};
  }

  Result<void> TakeSummary(std::string_view text) {
    TRY(Flush());
    TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(text));
    const dom::element root = parsed.root();
    BundleSummary summary;
    std::string_view batch, program, date;
    const bool whole = root["batch"].get(batch) == simdjson::SUCCESS &&
                       root["requests"].get(summary.requests) == simdjson::SUCCESS &&
                       root["throttled"].get(summary.throttled) == simdjson::SUCCESS &&
                       root["retries"].get(summary.retries) == simdjson::SUCCESS &&
                       root["seconds"].get(summary.seconds) == simdjson::SUCCESS &&
                       root["denied"].get(summary.denied) == simdjson::SUCCESS &&
                       root["answered"].get(summary.answered) == simdjson::SUCCESS &&
                       root["program"].get(program) == simdjson::SUCCESS;
    if (root["upstream_date"].get(date) == simdjson::SUCCESS) {
      TRY_ASSIGN(summary.upstream_date, ParseDate(date));
    }
    summary.batch = batch;
    summary.program = program;
    if (!whole || summary.requests < 0 || summary.throttled < 0 || summary.retries < 0 || !(summary.seconds >= 0) ||
        SummaryLine(summary) != fmt::format("{}\n", text)) {
      return Wrong("not in the form of the format");
    }
    known_.summary = std::move(summary);
    return {};
  }

  Result<void> TakeAnswer(MediaId id, LineCursor at, std::string_view text) {
    TRY_ASSIGN(AnswerLine line, TakeHead(id, at));
    at.Expect(R"(,"data":)");
    if (!at.ok()) return Wrong("not in the form of the format");
    // Writing it again is how we know that it was in the one form that we write.
    std::string head;
    AppendAnswerHead(line, head);
    std::string_view data = at.rest();
    if (!text.starts_with(head) || head.size() + data.size() != text.size() || !data.ends_with('}')) {
      return Wrong("not in the form of the format");
    }
    data.remove_suffix(1);
    if (line.status == 404) {
      if (data != "null" || line.is_season() || line.etag || line.whole_at || line.seasons ||
          !line.lacking.empty()) {
        return Wrong("a 404 that brings something");
      }
      TRY(Begin(EntryKind::kGone, id));
      entry_->at = line.fetched_at;
      return {};
    }
    if (line.status != 200) return Wrong("a status that is not an answer");
    Document document;
    TRY(CheckAnswer(line, data, document));
    if (line.is_season()) {
      if (!entry_ || entry_->kind != EntryKind::kFetched || entry_->id != MediaId{MediaType::kTv, line.tv_id}) {
        return Wrong("a season that does not stand behind its show");
      }
    } else {
      TRY(Begin(EntryKind::kFetched, id));
      entry_->at = *line.whole_at;
      entry_->seasons = std::move(line.seasons).value_or(SeasonList{});
    }
    entry_bytes_ += text.size() + 1;
    if (entry_bytes_ > kMostEntryBytes) return Wrong("an id of too many bytes");
    document.id = id;
    document.tv_id = line.tv_id;
    document.season_number = line.season_number;
    document.fetched_at = line.fetched_at;
    document.etag = std::move(line.etag);
    document.lacking = std::move(line.lacking);
    if (!checks()) document.data = data;
    entry_->documents.push_back(std::move(document));
    return {};
  }

  static Result<AnswerLine> TakeHead(MediaId id, LineCursor& at) {
    AnswerLine line;
    line.id = id;
    if (line.is_season()) {
      at.Expect(R"(,"tv_id":)");
      line.tv_id = at.Integer();
      at.Expect(R"(,"season_number":)");
      line.season_number = at.Integer();
    }
    at.Expect(R"(,"fetched_at":)");
    const auto fetched_at = TakeTime(at);
    if (!fetched_at) return Wrong("no time");
    line.fetched_at = *fetched_at;
    if (at.Skip(R"(,"whole_at":)")) {
      line.whole_at = TakeTime(at);
      if (!line.whole_at) return Wrong("no time");
    }
    at.Expect(R"(,"status":)");
    line.status = static_cast<int>(at.Integer());
    at.Expect(R"(,"etag":)");
    line.etag = at.Etag();
    if (at.Skip(R"(,"seasons":{"given":)")) {
      SeasonList& seasons = line.seasons.emplace();
      seasons.given = TakeBool(at);
      at.Expect(R"(,"numbers":)");
      seasons.numbers = TakeIntegers(at);
      at.Expect(R"(,"ids":)");
      seasons.ids = TakeIntegers(at);
      at.Expect(R"(,"readable":)");
      seasons.readable = TakeBool(at);
      at.Expect("}");
    }
    if (at.Skip(R"(,"lacking":[)")) {
      do {
        at.Expect("\"");
        line.lacking.emplace_back(at.Word());
      } while (at.ok() && at.Skip(","));
      at.Expect("]");
    }
    if (!at.ok()) return Wrong("not in the form of the format");
    if (line.status == 200 && (line.whole_at.has_value() == line.is_season() ||
                               line.seasons.has_value() != TraitsOf(id.type).has_seasons)) {
      return Wrong("members that its type has not");
    }
    return line;
  }

  const Known* const before_;
  const std::function<Result<void>(BundleEntry)>& visit_;
  Known known_;
  std::map<MediaId, EntryKind> kinds_;
  std::optional<BundleEntry> entry_;
  std::uint64_t entry_bytes_ = 0;
};

// The whole bundle, line by line.
Result<void> WalkBundle(std::string_view bundle, BundleLines& lines) {
  ZstdDecoder decoder;
  std::uint64_t content_bytes = 0;
  std::int64_t number = 0;
  while (!bundle.empty()) {
    TRY_ASSIGN(const std::size_t length, ZstdFrameLength(bundle));
    const auto frame = decoder.Unframe(bundle.substr(0, length), kBundleFrameBytes + kMaxLineBytes);
    if (!frame) return std::unexpected(frame.error());
    bundle.remove_prefix(length);
    content_bytes += frame->size();
    if (content_bytes > kMostBundleContent) {
      return Fail(ErrorCode::kCorrupt, "it holds more than {} bytes", kMostBundleContent);
    }
    std::string_view content = *frame;
    if (content.empty()) return Fail(ErrorCode::kCorrupt, "an empty frame");
    while (!content.empty()) {
      ++number;
      const std::size_t end = content.find('\n');
      if (end == std::string_view::npos) return Fail(ErrorCode::kCorrupt, "line {} has no end", number);
      const auto taken = lines.Take(content.substr(0, end));
      if (!taken && lines.checks()) {
        return Fail(ErrorCode::kCorrupt, "line {}: {}", number, taken.error().message);
      }
      if (!taken) return taken;
      content.remove_prefix(end + 1);
    }
  }
  TRY(lines.Flush());
  if (!lines.known().summary) return Fail(ErrorCode::kCorrupt, "its last line is missing");
  return {};
}

}  // namespace

std::string BundleKey(std::string_view batch) {
  return fmt::format("{}{}{}", kBundlePrefix, batch, kBundleSuffix);
}

std::optional<std::string> BatchOfKey(std::string_view key) {
  if (!key.starts_with(kBundlePrefix) || !key.ends_with(kBundleSuffix)) return std::nullopt;
  key.remove_prefix(kBundlePrefix.size());
  key = key.substr(0, key.size() - std::min(key.size(), kBundleSuffix.size()));
  return IsBatchName(key) ? std::optional<std::string>(key) : std::nullopt;
}

BundleWriter::BundleWriter(const IdBatch& batch) : batch_(batch) {
  for (const IdBatch::Item& item : batch.items) {
    if (TraitsOf(item.id.type).has_seasons) seasons_[item.id.id] = item.seasons;
  }
}

Result<std::vector<std::int64_t>> BundleWriter::SeasonNumbers(std::int64_t tv_id) {
  const auto found = seasons_.find(tv_id);
  return found == seasons_.end() ? std::vector<std::int64_t>{} : found->second;
}

bool BundleWriter::full() const {
  return bundle_.size() >= kFullBundle || content_ >= kFullBundleContent;
}

Result<void> BundleWriter::Fetched(MediaId id, std::vector<Document> documents, const SeasonList& seasons, Time at) {
  const auto invalid = [&](std::string_view what) {
    return Fail(ErrorCode::kInvalid, "bundle {}: {}", ToString(id), what);
  };
  if (full() || told_.contains(id)) return {};
  if (documents.empty() || documents.front().id != id) return invalid("no document of its own");
  std::string lines;
  for (Document& document : documents) {
    const bool first = &document == &documents.front();
    AnswerLine line{.id = document.id,
                    .tv_id = document.tv_id,
                    .season_number = document.season_number,
                    .fetched_at = document.fetched_at,
                    .whole_at = first ? std::optional(at) : std::nullopt,
                    .status = 200,
                    .etag = std::move(document.etag),
                    .seasons = std::nullopt,
                    .lacking = document.lacking};
    if (first && TraitsOf(id.type).has_seasons) line.seasons = seasons;
    if (first == line.is_season() || (!first && MediaId{MediaType::kTv, line.tv_id} != id)) {
      return invalid(fmt::format("a document of {}", ToString(document.id)));
    }
    auto data = OneLine(std::move(document.data));
    if (!data) return invalid(data.error().message);
    // Here and not at the reader's: what is refused there is all of the bundle.
    Document again;
    if (const auto sound = CheckAnswer(line, *data, again); !sound) return invalid(sound.error().message);
    if (again.hash != document.hash) return invalid("data that is not of its hash");
    const std::size_t before = lines.size();
    AppendAnswerHead(line, lines);
    lines += *data;
    lines += "}\n";
    if (lines.size() - before > kMaxLineBytes) return invalid("a record that is too long");
  }
  if (lines.size() > kMostEntryBytes) return invalid(fmt::format("{} bytes are too many", lines.size()));
  told_.insert(id);
  ++fetched_;
  Append(lines);
  return {};
}

Result<void> BundleWriter::Gone(MediaId id, Time at) {
  if (full() || !told_.insert(id).second) return {};
  std::string line;
  AppendAnswerHead({.id = id, .fetched_at = at, .whole_at = {}, .status = 404, .etag = {}, .seasons = {}}, line);
  line += "null}\n";
  Append(line);
  ++gone_;
  ++report_.gone[id.type];
  return {};
}

Result<void> BundleWriter::Commit(const Settle& settle) {
  TRY(settle(report_));
  report_ = {};
  return {};
}

void BundleWriter::Failed(MediaId id, std::string_view reason) {
  if (!failed_.insert(id).second) return;
  told_.insert(id);
  Append(FailedLine(id, reason.empty() ? "no reason was given" : reason.substr(0, kMostReasonBytes)));
}

BundleWriter::Counts BundleWriter::counts() const {
  return {.ids = std::ssize(told_), .fetched = fetched_, .gone = gone_, .failed = std::ssize(failed_)};
}

void BundleWriter::Append(std::string_view lines) {
  // Frames end between lines.
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n') + 1;
    if (!lines_.empty() && lines_.size() + end > kBundleFrameBytes) {
      encoder_.AppendFrame(std::exchange(lines_, {}), bundle_);
    }
    lines_ += lines.substr(0, end);
    content_ += end;
    lines.remove_prefix(end);
  }
}

std::string BundleWriter::Finish(BundleSummary summary) {
  for (const IdBatch::Item& item : batch_.items) {
    if (told_.insert(item.id).second) Append(LeftLine(item.id));
  }
  summary.batch = batch_.name;
  summary.program = kVersion;
  Append(SummaryLine(summary));
  encoder_.AppendFrame(std::exchange(lines_, {}), bundle_);
  return std::exchange(bundle_, {});
}

Result<BundleSummary> ReadBundle(std::string_view bundle, std::string_view batch,
                                 const std::function<Result<void>(BundleEntry entry)>& visit) {
  const auto corrupt = [&](std::string_view what) { return Fail(ErrorCode::kCorrupt, "bundle {}: {}", batch, what); };
  if (bundle.size() > kMostBundleBytes) return corrupt(fmt::format("{} bytes are too many", bundle.size()));
  BundleLines check(nullptr, visit);
  if (const auto sound = WalkBundle(bundle, check); !sound) return corrupt(sound.error().message);
  if (check.known().summary->batch != batch) {
    return corrupt(fmt::format("it is that of batch {}", check.known().summary->batch));
  }
  BundleLines give(&check.known(), visit);
  TRY(WalkBundle(bundle, give));
  return *std::move(check.known().summary);
}

}  // namespace tmdbc

// SPDX-License-Identifier: MIT
// Fuzzes the making of rows. The first byte is the kind of record, or of list; the rest is its body. A body that is
// JSON gives rows of the shape that the spec says, one of the root where there is one, and nothing is NULL that never
// is; the same body gives the same rows; what is told of it is bounded and valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/safe_text.h"
#include "tables/extraction.h"
#include "tmdb/configuration_lists.h"

namespace {

using namespace tmdbc;
using namespace tmdbc::tables;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

class Checking final : public RowSink {
 public:
  Result<void> Row(std::size_t table, std::span<const Cell> cells) override {
    const std::vector<Column>& columns = Tables()[table].columns;
    Require(cells.size() == columns.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      Require(!columns[i].required || !cells[i].null);
      if (!cells[i].null) Say(cells[i].text, cells[i].number);
    }
    roots += Tables()[table].kind == TableKind::kRoot;
    return {};
  }
  Result<void> Reject(std::string_view path, std::string_view value, std::string_view reason) override {
    Require(++rejects <= kMaxRejects + 1);
    Require(value.size() <= kMaxRejectValue && !reason.empty());
    Require(IsUtf8(path) && IsUtf8(value));
    Say(value, 1);
    return {};
  }
  Result<void> Unknown(std::string_view path) override {
    Require(++unknown <= kMaxUnknown && IsUtf8(path));  // empty: of a member without a name
    Say(path, 2);
    return {};
  }

  std::size_t roots = 0, rejects = 0, unknown = 0;
  std::size_t said = 0;  // a hash of all

 private:
  void Say(std::string_view text, std::int64_t number) {
    Require(IsUtf8(text));
    said = said * 31 + std::hash<std::string_view>()(text) + std::size_t(number);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t kind = data[0] % (kRecordTypes.size() + ConfigurationPaths().size());
  const bool record = kind < kRecordTypes.size();
  const ExtractionPlan& plan = record
                                   ? ExtractionPlan::Of(kRecordTypes[kind])
                                   : ExtractionPlan::OfList(ConfigurationPaths()[kind - kRecordTypes.size()]);
  const RecordFacts facts{
      .id = 7, .version = 1, .fetched_at = {}, .tv_id = 8, .season_number = 9, .media_type = "movie"};
  Checking first, second;
  Extractor extractor(plan, first);
  const auto done = extractor.Extract(facts, body);
  if (!done) {
    Require(done.error().code == ErrorCode::kCorrupt && first.said == 0);
    return 0;
  }
  Require(first.roots == (record && kRecordTypes[kind] != MediaType::kConfiguration ? 1u : 0u));
  Require(Extractor(plan, second).Extract(facts, body).has_value());
  Require(first.said == second.said && first.rejects == second.rejects);
  // What an extractor has seen before leaves nothing behind.
  const std::size_t said = first.said;
  first = Checking();
  Require(extractor.Extract(facts, body).has_value());
  Require(first.said == said);
  return 0;
}

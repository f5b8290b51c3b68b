// SPDX-License-Identifier: MIT
#include "cloud/id_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <set>

#include "base/json.h"
#include "base/words.h"
#include "storage/record.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kBatchSchema = 1;
constexpr std::int64_t kLastEpoch = 999'999'999;
constexpr std::int64_t kLastNumber = 9'999;
constexpr std::size_t kEpochDigits = 9;
constexpr std::size_t kBatchNameBytes = 14;

template <class... Args>
std::unexpected<Error> NoBatch(fmt::format_string<Args...> format, Args&&... args) {
  return Fail(ErrorCode::kInvalid, "message of ids: {}", fmt::format(format, std::forward<Args>(args)...));
}

void AppendItem(const IdBatch::Item& item, std::string& out) {
  auto end = std::back_inserter(out);
  fmt::format_to(end, R"(["{}",{})", Name(item.id.type), item.id.id);
  if (TraitsOf(item.id.type).has_seasons) fmt::format_to(end, ",[{}]", fmt::join(item.seasons, ","));
  out += ']';
}

Result<IdBatch::Item> ParseItem(dom::element value) {
  const auto wrong = [&] { return NoBatch("{} is not an id", ShowValue(simdjson::minify(value))); };
  dom::array parts;
  std::string_view name;
  IdBatch::Item item{};
  if (value.get(parts) != simdjson::SUCCESS || parts.size() < 2 || parts.at(0).get(name) != simdjson::SUCCESS ||
      parts.at(1).get(item.id.id) != simdjson::SUCCESS) {
    return wrong();
  }
  const auto type = ParseMediaType(name);
  if (!type || !CanBeAsked(*type) || item.id.id < 1 || item.id.id > kMaxRecordId) return wrong();
  item.id.type = *type;
  if (parts.size() != (TraitsOf(*type).has_seasons ? 3 : 2)) return wrong();
  if (parts.size() == 2) return item;
  dom::array seasons;
  if (parts.at(2).get(seasons) != simdjson::SUCCESS) return wrong();
  for (const dom::element season : seasons) {
    std::int64_t number = 0;
    if (season.get(number) != simdjson::SUCCESS || number <= (item.seasons.empty() ? -1 : item.seasons.back())) {
      return wrong();
    }
    item.seasons.push_back(number);
  }
  return item;
}

}  // namespace

std::string BatchName(std::int64_t epoch, std::int64_t number) {
  assert(epoch >= 1 && epoch <= kLastEpoch && number >= 1 && number <= kLastNumber);
  return fmt::format("{:09}-{:04}", epoch, number);
}

bool IsBatchName(std::string_view name) {
  const auto digits = [](std::string_view part) {
    return part.find_first_not_of("0123456789") == std::string_view::npos &&
           part.find_first_not_of('0') != std::string_view::npos;
  };
  return name.size() == kBatchNameBytes && name[kEpochDigits] == '-' && digits(name.substr(0, kEpochDigits)) &&
         digits(name.substr(kEpochDigits + 1));
}

std::size_t ItemBytes(const IdBatch::Item& item) {
  std::string text;
  AppendItem(item, text);
  return text.size() + 1;
}

std::string FormatIdBatch(const IdBatch& batch) {
  std::string out =
      fmt::format(R"({{"schema":{},"batch":"{}","rate":{},"ids":[)", kBatchSchema, batch.name, batch.rate);
  for (const IdBatch::Item& item : batch.items) {
    if (&item != &batch.items.front()) out += ',';
    AppendItem(item, out);
  }
  out += "]}";
  return out;
}

Result<IdBatch> ParseIdBatch(std::string_view json) {
  if (json.size() > kMostBatchBytes) return NoBatch("{} bytes, {} are allowed", json.size(), kMostBatchBytes);
  const auto parsed = ParsedJson::Parse(json);
  if (!parsed) return NoBatch("{}", parsed.error().message);
  const dom::element root = parsed->root();
  if (!root.is_object()) return NoBatch("not an object");
  std::int64_t schema = 0;
  if (root["schema"].get(schema) != simdjson::SUCCESS) return NoBatch("no schema");
  if (schema != kBatchSchema) return NoBatch("schema {}, this program knows {}", schema, kBatchSchema);
  IdBatch batch;
  std::string_view name;
  if (root["batch"].get(name) != simdjson::SUCCESS || !IsBatchName(name)) return NoBatch("no name of a batch");
  batch.name = name;
  if (root["rate"].get(batch.rate) != simdjson::SUCCESS || !(batch.rate >= 0.1 && batch.rate <= 1000)) {
    return NoBatch("no rate from 0.1 to 1000");
  }
  dom::array ids;
  if (root["ids"].get(ids) != simdjson::SUCCESS) return NoBatch("no ids");
  std::set<MediaId> seen;
  for (const dom::element value : ids) {
    TRY_ASSIGN(IdBatch::Item item, ParseItem(value));
    if (!seen.insert(item.id).second) return NoBatch("{} twice", ToString(item.id));
    batch.items.push_back(std::move(item));
  }
  if (batch.items.size() > kMostBatchIds) return NoBatch("{} ids, {} are allowed", batch.items.size(), kMostBatchIds);
  // Writing it again is how we know that it was in the one form that we write.
  if (FormatIdBatch(batch) != json) return NoBatch("its members are not in the form of the format");
  return batch;
}

}  // namespace tmdbc

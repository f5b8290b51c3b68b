// SPDX-License-Identifier: MIT
#include "cloud/head_state.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/json.h"
#include "base/json_writer.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kSchema = 1;

std::unexpected<Error> Wrong(std::string_view what) {
  return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{}: {}", kHeadKey, what);
}

// Reads the members of an object and remembers the first thing that is wrong.
class Members {
 public:
  explicit Members(dom::object object) : object_(object) {}

  std::int64_t Count(std::string_view name) {
    std::int64_t value = 0;
    if (object_[name].get(value) || value < 0) Miss(name, "a whole number from 0 on");
    return value;
  }
  std::string Text(std::string_view name) {
    std::string_view value;
    if (object_[name].get(value)) Miss(name, "a text");
    return std::string(value);
  }
  std::optional<std::string> TextOrNull(std::string_view name) {
    dom::element value;
    if (!object_[name].get(value) && value.is_null()) return std::nullopt;
    return Text(name);
  }
  Time At(std::string_view name) {
    const auto time = ParseTime(Text(name));
    if (!time) Miss(name, "a time");
    return time.value_or(Time{});
  }
  std::uint32_t Crc(std::string_view name) {
    const std::string text = Text(name);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size() || text.size() != 8) Miss(name, "8 hex digits");
    return value;
  }
  std::optional<dom::object> Object(std::string_view name) {
    dom::object value;
    if (!object_[name].get(value)) return value;
    Miss(name, "an object");
    return std::nullopt;
  }
  void Miss(std::string_view name, std::string_view wanted) {
    if (wrong_.empty()) wrong_ = fmt::format("{} is not {}", name, wanted);
  }
  const std::string& wrong() const { return wrong_; }

 private:
  dom::object object_;
  std::string wrong_;
};

// The key of a catalog, or nothing.
void CheckCatalogKey(Members& members, std::string_view name, const std::string& key) {
  if (!key.empty() && !EpochOfCatalog(key)) members.Miss(name, "the key of a catalog");
}

}  // namespace

bool IsHeld(const HeadState& head, Time now) {
  return head.holder && head.until > now && head.until - now <= kLongestLease;
}

std::string CatalogKey(std::int64_t epoch) {
  return fmt::format("{}{:09}.db", kCatalogPrefix, epoch);
}

std::optional<std::int64_t> EpochOfCatalog(std::string_view key) {
  constexpr std::string_view kEnd = ".db";
  std::int64_t epoch = 0;
  if (key.starts_with(kCatalogPrefix) && key.ends_with(kEnd)) {
    std::from_chars(key.data() + kCatalogPrefix.size(), key.data() + key.size() - kEnd.size(), epoch);
  }
  return epoch > 0 && CatalogKey(epoch) == key ? std::optional(epoch) : std::nullopt;
}

std::string FormatHeadState(const HeadState& head) {
  JsonWriter json;
  const auto text_or_null = [&](std::string_view name, const std::optional<std::string>& text) {
    json.Key(name);
    text ? json.Text(*text) : json.Null();
  };
  json.BeginObject().Field("schema", kSchema).Field("epoch", head.epoch);
  text_or_null("holder", head.holder);
  json.Field("until", FormatTime(head.until));
  json.Field("catalog", head.catalog.key).Field("bytes", head.catalog.bytes);
  json.Field("crc32", fmt::format("{:08x}", head.catalog.crc32)).Field("previous", head.previous);
  json.Key("sequences").BeginObject();
  for (const auto& [type, number] : head.sequences) json.Field(Name(type), number);
  json.EndObject().Field("waiting", head.waiting);
  json.Key("out").BeginObject().Field("batches", head.out_batches).Field("ids", head.out_ids).EndObject();
  json.Field("sent", head.sent);
  text_or_null("stopped", head.stopped);
  return json.EndObject().text() + "\n";
}

Result<HeadState> ParseHeadState(std::string_view json) {
  auto parsed = ParsedJson::Parse(json);
  if (!parsed) return Wrong(parsed.error().message);
  dom::object object;
  if (parsed->root().get(object)) return Wrong("not an object");
  Members members(object);
  const std::int64_t schema = members.Count("schema");
  if (schema > kSchema) {
    return Fail(ErrorCode::kInvalid, Hint::kNewStore, "{}: its schema is {}, this program knows {}", kHeadKey, schema,
                kSchema);
  }
  if (schema != kSchema) members.Miss("schema", "1");
  HeadState head;
  head.epoch = members.Count("epoch");
  head.holder = members.TextOrNull("holder");
  head.until = members.At("until");
  head.catalog = {members.Text("catalog"), std::uint64_t(members.Count("bytes")), members.Crc("crc32")};
  head.previous = members.Text("previous");
  CheckCatalogKey(members, "catalog", head.catalog.key);
  CheckCatalogKey(members, "previous", head.previous);
  const auto sequences = members.Object("sequences"), sent_out = members.Object("out");
  if (!sequences || !sent_out) return Wrong(members.wrong());
  for (const auto [name, value] : *sequences) {
    const auto type = ParseMediaType(name);
    std::int64_t number = 0;
    if (!type || !HasRecords(*type) || value.get(number) || number < 0) {
      members.Miss("sequences", "an object of numbers by type");
    } else {
      head.sequences[*type] = number;
    }
  }
  head.waiting = members.Count("waiting");
  Members out(*sent_out);
  head.out_batches = out.Count("batches");
  head.out_ids = out.Count("ids");
  head.sent = members.Count("sent");
  head.stopped = members.TextOrNull("stopped");
  const std::string& wrong = members.wrong().empty() ? out.wrong() : members.wrong();
  if (!wrong.empty()) return Wrong(wrong);
  return head;
}

}  // namespace tmdbc

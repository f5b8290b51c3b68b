// SPDX-License-Identifier: MIT
#include "storage/segment_origin.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <numeric>

namespace tmdbc {
namespace {

// Reads the text from left to right; what is not as FormatOrigin() writes it is found by writing it again.
class OriginCursor {
 public:
  explicit OriginCursor(std::string_view text) : rest_(text) {}

  bool Skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  template <class T>
  bool Take(T& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    rest_.remove_prefix(std::size_t(end - rest_.data()));
    return error == std::errc();
  }

 private:
  std::string_view rest_;
};

bool Ascend(const SegmentOrigin& origin) {
  const auto strictly = [](const auto& numbers, auto of) {
    return std::ranges::adjacent_find(numbers, std::ranges::greater_equal(), of) == numbers.end();
  };
  return !origin.parts.empty() && origin.parts.front().number > 0 &&
         strictly(origin.parts, &SegmentOrigin::Part::number) && strictly(origin.retired, std::identity()) &&
         std::ranges::all_of(origin.parts, [](const auto& part) { return part.lines >= 0; });
}

}  // namespace

std::int64_t SegmentOrigin::lines() const {
  return std::accumulate(parts.begin(), parts.end(), std::int64_t{0},
                         [](std::int64_t sum, const Part& part) { return sum + part.lines; });
}

bool SegmentOrigin::Covers(std::uint32_t number) const {
  return std::ranges::binary_search(parts, number, {}, &Part::number) ||
         std::ranges::binary_search(retired, number);
}

std::string FormatOrigin(const SegmentOrigin& origin) {
  std::string text = R"({"segments":[)";
  auto end = std::back_inserter(text);
  const char* comma = "";
  for (const auto& part : origin.parts) {
    fmt::format_to(end, "{}[{},{}]", comma, part.number, part.lines);
    comma = ",";
  }
  fmt::format_to(end, R"(],"retired":[{}])", fmt::join(origin.retired, ","));
  const std::uint32_t crc = libdeflate_crc32(0, text.data(), text.size());
  fmt::format_to(end, R"(,"crc32":"{:08x}"}})", crc);
  return text;
}

Result<SegmentOrigin> ParseOrigin(std::string_view text) {
  SegmentOrigin origin;
  OriginCursor at(text);
  bool fits = at.Skip(R"({"segments":[)");
  while (fits && at.Skip("[")) {
    SegmentOrigin::Part& part = origin.parts.emplace_back();
    fits = at.Take(part.number) && at.Skip(",") && at.Take(part.lines) && at.Skip("]");
    at.Skip(",");
  }
  fits = fits && at.Skip(R"(],"retired":[)");
  for (std::uint32_t number = 0; fits && at.Take(number);) {
    origin.retired.push_back(number);
    at.Skip(",");
  }
  if (fits && Ascend(origin) && FormatOrigin(origin) == text) return origin;
  return Fail(ErrorCode::kCorrupt,
              "the origin of a compacted segment is not in the form of the format: {:.80}", text);
}

std::string OriginFrame(const SegmentOrigin& origin) {
  const std::string text = FormatOrigin(origin);
  std::string frame(kOriginMagic);
  for (int shift = 0; shift < 32; shift += 8) frame += static_cast<char>(text.size() >> shift & 0xff);
  return frame + text;
}

std::size_t OriginFrameLength(std::string_view bytes) {
  if (bytes.size() < kOriginHead || !bytes.starts_with(kOriginMagic)) return 0;
  std::size_t length = 0;
  for (std::size_t i = 4; i < kOriginHead; ++i) {
    length |= std::size_t(static_cast<unsigned char>(bytes[i])) << (8 * (i - 4));
  }
  return length <= kMaxOriginBytes ? kOriginHead + length : 0;
}

}  // namespace tmdbc

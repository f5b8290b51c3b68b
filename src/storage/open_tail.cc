// SPDX-License-Identifier: MIT
#include "storage/open_tail.h"

#include "storage/segment_path.h"
#include "storage/segment_reader.h"

namespace tmdbc {

Result<OpenTail::Position> OpenTail::Read(MediaType type, std::int64_t sealed, Position known, const Visit& visit) {
  TRY_ASSIGN(const auto last, index_.LastSegment(type));
  if (!last || last->sealed_at) return known;
  // Asked after it: what was sealed before that segment was opened is seen.
  TRY_ASSIGN(const auto newest, index_.LastSealed(type));
  if ((newest ? newest->place() : 0) != sealed) return known;
  if (last->number != known.segment) known = {last->number, 0};
  if (last->bytes <= known.bytes) return known;
  SegmentReader reader(files_, OpenPath(type, last->number), last->bytes, known.bytes);
  while (true) {
    auto frame = reader.Next();
    // It was sealed just now, under another name.
    if (!frame && frame.error().code == ErrorCode::kNotFound) return known;
    if (!frame) return std::unexpected(frame.error());
    if (!*frame) break;
    const std::string& content = (*frame)->content;
    for (std::size_t at = 0; at < content.size();) {
      const auto line = LineAt(content, at);
      if (!line) break;
      TRY(visit(*line));
      at += line->size() + 1;
    }
  }
  return Position{last->number, last->bytes};
}

Result<std::uint32_t> OpenTail::MarkOf(MediaType type, std::int64_t sequence) {
  TRY_ASSIGN(const auto rows, index_.SealedInOrder(type, sequence - 1));
  if (rows.empty() || rows.front().place() != sequence || rows.front().origin) return 0;
  return rows.front().crc;
}

}  // namespace tmdbc

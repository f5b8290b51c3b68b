// SPDX-License-Identifier: MIT
#include "storage/open_tail.h"

#include "storage/segment_path.h"
#include "storage/segment_reader.h"

namespace tmdbc {

Result<OpenTail::Reached> OpenTail::Read(MediaType type, std::int64_t sealed, Position known, const Visit& visit) {
  TRY_ASSIGN(const auto last, index_.LastSegment(type));
  // Asked after it: what was sealed before that segment was opened is seen.
  TRY_ASSIGN(const auto newest, index_.LastSealed(type));
  if ((newest ? newest->place() : 0) != sealed) return Reached{known, false};
  if (!last || last->sealed_at) return Reached{known};
  if (last->number != known.segment) known = {last->number, 0};
  if (last->bytes <= known.bytes) return Reached{known};
  bool all = true;
  SegmentReader reader(files_, OpenPath(type, last->number), last->bytes, known.bytes);
  while (true) {
    auto frame = reader.Next();
    // It was sealed just now, under another name.
    if (!frame && frame.error().code == ErrorCode::kNotFound) return Reached{known, false};
    if (!frame) return std::unexpected(frame.error());
    if (!*frame) break;
    all = all && (*frame)->damage.empty();
    const std::string& content = (*frame)->content;
    for (std::size_t at = 0; at < content.size();) {
      const auto line = LineAt(content, at);
      all = all && line;
      if (!line) break;
      TRY(visit(*line));
      at += line->size() + 1;
    }
  }
  return Reached{{last->number, last->bytes}, all};
}

Result<std::uint32_t> OpenTail::MarkOf(MediaType type, std::int64_t sequence) {
  TRY_ASSIGN(const auto rows, index_.SealedInOrder(type, sequence - 1));
  if (rows.empty() || rows.front().place() != sequence || rows.front().origin) return 0;
  return rows.front().crc;
}

}  // namespace tmdbc

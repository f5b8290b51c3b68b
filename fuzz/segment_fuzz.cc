// SPDX-License-Identifier: MIT
// Fuzzes the reading of segments: whatever the bytes of a file are, walking its frames ends, covers each byte
// once, and gives only lines that, when they are records at all, are written again as the same bytes. The
// input is a segment, plain or compacted; taken as one line it is a record.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/record_line.h"
#include "storage/segment_origin.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"

namespace {

using namespace tmdbc;

void Require(bool holds) {
  if (!holds) std::abort();
}

// The only file there is.
class OneFile final : public FileSystem {
 public:
  explicit OneFile(std::string_view bytes) : bytes_(bytes) {}
  Result<std::string> Read(const std::string&, std::uint64_t offset, std::uint64_t length) override {
    return std::string(bytes_.substr(std::min<std::uint64_t>(offset, bytes_.size()), length));
  }
  Result<std::uint64_t> Size(const std::string&) override { return bytes_.size(); }
  Result<bool> Exists(const std::string&) override { return true; }
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string&) override { return No(); }
  Result<void> Rename(const std::string&, const std::string&) override { return No(); }
  Result<void> Remove(const std::string&) override { return No(); }
  Result<void> SyncFolder(const std::string&) override { return No(); }
  Result<std::vector<std::string>> List(const std::string&) override { return No(); }

 private:
  static std::unexpected<Error> No() { return Fail(ErrorCode::kIo, "only for reading"); }
  const std::string_view bytes_;
};

void CheckLine(std::string_view text) {
  const auto line = ParseRecordLine(text);
  if (!line) {
    Require(!line.error().message.empty());
    return;
  }
  std::string again;
  AppendRecordLine(*line, again);
  Require(again.size() == text.size() + 1 && again.starts_with(text) && again.back() == '\n');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  OneFile files(input);
  SegmentReader reader(files, "records/movie/000/000/001.jsonl.zst", size);
  std::uint64_t at = 0;
  while (true) {
    const auto frame = reader.Next();
    Require(frame.has_value());
    if (!*frame) break;
    Require((*frame)->at == at && (*frame)->length > 0);
    Require(!(*frame)->origin || (at == 0 && (*frame)->content.empty() && (*frame)->origin->lines() >= 0));
    at += (*frame)->length;
    for (std::size_t line_at = 0; line_at < (*frame)->content.size();) {
      const auto line = LineAt((*frame)->content, line_at);
      if (!line) break;
      CheckLine(*line);
      line_at += line->size() + 1;
    }
  }
  Require(at == size);
  CheckLine(input);
  if (const auto state = ParseState(input)) Require(FormatState(*state) == input);
  if (const auto origin = ParseOrigin(input)) Require(FormatOrigin(*origin) == input);
  return 0;
}

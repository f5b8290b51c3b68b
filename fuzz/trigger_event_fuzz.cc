// SPDX-License-Identifier: MIT
// Whatever stands in a file of events: one sentence, or events that ask for something a harvest can do.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "app/trigger_event.h"

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void CheckError(const tmdbc::Error& error) {
  Require(error.code == tmdbc::ErrorCode::kInvalid, "an error is the user's");
  Require(error.message.starts_with("e.json"), "an error names the file");
  Require(error.message.find('\n') == std::string::npos, "an error is one line");
}

void CheckEvent(const tmdbc::TriggerEvent& event) {
  for (const std::int64_t id : event.ids) Require(id >= 1 && id < std::int64_t{1} << 32, "ids");
  Require(event.ids.empty() || event.types.size() == 1, "ids are of one type");
  Require(!event.since || !event.until || *event.since <= *event.until, "a range of days");
  Require(!event.limit || *event.limit >= 0, "a limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto events = tmdbc::ParseTriggerEvents(text, "e.json");
  if (!events) {
    CheckError(events.error());
    return 0;
  }
  Require(!events->empty() && events->size() <= 1000, "a number of events");
  for (const auto& event : *events) event ? CheckEvent(*event) : CheckError(event.error());
  return 0;
}

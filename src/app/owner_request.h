// SPDX-License-Identifier: MIT
// What an event asks of the owner of a mirror in a bucket: what `trigger` takes (trigger_event.h), or, with the detail
// {"mode":"redrive"}, that dead letters wait again. With "accept_deletions":true in the detail of a delivered event a
// person agrees to the deletions that are held, for a day. A heartbeat (detail type "Heartbeat") asks for nothing, a
// probe (detail type "Probe") for an answer: they are no requests. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cloud/owner.h"
#include "settings/settings.h"

namespace tmdbc {

// Which of the three an event is, and by what id it is known if it comes twice.
struct OwnerEventKind {
  enum class Kind : std::uint8_t { kHeartbeat, kProbe, kRequest } kind = Kind::kRequest;
  std::string id;  // EventBridge's; empty when there is none
};
// kInvalid when it is not a JSON object.
Result<OwnerEventKind> KindOfEvent(std::string_view event);

// kInvalid with a sentence that names `key` and the member. Every event of it must be one that can be done.
Result<OwnerRequest> ReadOwnerRequest(std::string_view event, const std::string& key);

// A harvest with what the settings say, and what the request says of types, mode, days and limit.
HarvestOptions HarvestOptionsFor(const Settings& settings, const HarvestRequest& request);

}  // namespace tmdbc

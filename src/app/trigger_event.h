// SPDX-License-Identifier: MIT
// The events that start a collection, in the form of Amazon EventBridge: an array of PutEvents entries, an
// object {"Entries":[...]} of them, or one event as it is delivered
// (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html). Ours are
//
//   source "tmdb-data-collector", detail type "Collection Requested",
//   detail {"mode":"auto|export|changes|ids","types":["movie"],"ids":[550],"since":"2026-11-01",
//           "until":"2026-11-22","limit":1000,"stage":"dev"}
//
// with every member of the detail optional ("stage" is for the rules of EventBridge alone); and what a rule or
// EventBridge Scheduler sends by itself, source "aws.events" or "aws.scheduler", detail type "Scheduled Event", detail
// {}: mode auto.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "harvester/harvest_request.h"

namespace tmdbc {

// Without types: those of the settings.
using TriggerEvent = HarvestRequest;

// One for each entry, in the order of the file: what it asks for, or kInvalid with a sentence that names the file,
// the entry and the member. kInvalid for all of it when the text is not JSON, or no list of 1 to 1,000 events.
// `path` is what the messages call the file.
Result<std::vector<Result<TriggerEvent>>> ParseTriggerEvents(std::string_view text, const std::string& path);

}  // namespace tmdbc

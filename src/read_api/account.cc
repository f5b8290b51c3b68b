// SPDX-License-Identifier: MIT
#include "read_api/account.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "base/json_writer.h"

namespace tmdbc::read_api {
namespace {

constexpr std::chrono::hours kTokenLife{1};

std::uint64_t Mixed(std::uint64_t x) {  // splitmix64
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

Answer Authentication(Call&) {
  JsonWriter json;
  json.BeginObject()
      .Field("success", true)
      .Field("status_code", 1)
      .Field("status_message", "Success.")
      .EndObject();
  return {.body = json.text()};
}

Answer NewRequestToken(Call& call) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(call.now() + kTokenLife);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  const std::string expires =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
  const auto seed = std::uint64_t(call.now().time_since_epoch().count());
  const std::string token =
      fmt::format("{:016x}{:016x}{:08x}", Mixed(seed), Mixed(seed + 1), std::uint32_t(Mixed(seed + 2)));
  JsonWriter json;
  json.BeginObject()
      .Field("success", true)
      .Field("expires_at", expires)
      .Field("request_token", token)
      .EndObject();
  return {.body = json.text()};
}

Answer NoPermission(Call&) {
  return ErrorAnswer(3);
}

Answer NotMirrored(Call& call) {
  call.Lack();
  return ErrorAnswer(34);
}

}  // namespace tmdbc::read_api

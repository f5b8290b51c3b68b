// SPDX-License-Identifier: MIT
// Whatever answers in the place of an AWS service, and whatever stands in ~/.aws: a value or an error, one printable
// line of it, and no word of a credentials file in its error.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/aws_error.h"
#include "aws/shared_config.h"
#include "aws/xml.h"
#include "base/safe_text.h"

namespace {

using namespace tmdbc::aws;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void CheckLine(const std::string& text) {
  Require(text == tmdbc::Printable(text), "an error holds what a terminal would take for itself");
  Require(text.size() <= 4'000, "an error is long");
}

int Depth(const XmlElement& element) {
  int deepest = 0;
  for (const XmlElement& child : element.children) deepest = std::max(deepest, Depth(child));
  return deepest + 1;
}

void CheckXml(std::string_view text) {
  const auto xml = ParseXml(text);
  if (!xml) {
    Require(xml.error().code == tmdbc::ErrorCode::kCorrupt, "damage has another code");
    return;
  }
  Require(Depth(*xml) <= kMaxXmlDepth, "it is too deep");
  const auto again = ParseXml("<a>" + EscapeXml(xml->text) + "</a>");
  Require(again && again->text == xml->text, "text does not come back");
}

}  // namespace

// The first byte chooses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      CheckXml(text);
      break;
    case 1: {
      const ServiceError error = ParseServiceError(
          {.status = 500, .headers = {{"x-amzn-errortype", std::string(text)}}, .body = std::string(text)});
      for (const std::string& line : {error.code, error.message, error.region}) CheckLine(line);
      (void)JudgeAnswer(500, error);
      break;
    }
    default: {
      // The line is named, never its text, which may be a secret.
      const auto profiles = ParseProfiles(text, "file", data[0] % 4 == 2);
      if (!profiles)
        Require(profiles.error().message.starts_with("file:") && profiles.error().message.size() < 100,
                "an error shows the file");
    }
  }
  return 0;
}

// SPDX-License-Identifier: MIT
#include "base/text_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace tmdbc {
namespace {

std::string UnixLineEnds(std::string_view text) {
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      lines += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      lines += '\n';
    }
  }
  return lines;
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path, std::size_t max_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found)
    return Fail(ErrorCode::kNotFound, "read {}: {}", path, std::strerror(ENOENT));
  if (error) return Fail(ErrorCode::kInvalid, "read {}: {}", path, error.message());
  if (std::filesystem::is_directory(status))
    return Fail(ErrorCode::kInvalid, "read {}: it is a folder, not a file", path);
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return Fail(ErrorCode::kInvalid, "read {}: {}", path, std::strerror(errno));
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), std::streamsize(text.size()));
  if (file.bad()) return Fail(ErrorCode::kInvalid, "read {}: {}", path, std::strerror(errno));
  text.resize(std::size_t(file.gcount()));
  if (text.size() > max_bytes)
    return Fail(ErrorCode::kInvalid, "read {}: it is larger than {} MiB", path, max_bytes >> 20);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Fail(ErrorCode::kInvalid, "read {}: it is in UTF-16: save it as UTF-8", path);
  if (text.find('\0') != std::string::npos)
    return Fail(ErrorCode::kInvalid, "read {}: it holds NUL bytes: save it as UTF-8 text", path);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text.find('\r') == std::string::npos ? text : UnixLineEnds(text);
}

}  // namespace tmdbc

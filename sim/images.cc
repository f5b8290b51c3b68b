// SPDX-License-Identifier: MIT
#include "images.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

namespace tmdbc::sim {
namespace {

constexpr int kOriginalWidth = 2000;

std::uint32_t Hash(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

void AppendBigEndian(std::string& out, std::uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

// Bits, the highest first, as JPEG's entropy-coded segments have them: 0xFF is followed by 0, the end filled with ones.
class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  void Put(std::uint32_t bits, int count) {
    for (int i = count - 1; i >= 0; --i) {
      byte_ = byte_ << 1 | (bits >> i & 1);
      if (++filled_ == 8) Flush();
    }
  }
  void Finish() {
    while (filled_ != 0) Put(1, 1);
  }

 private:
  void Flush() {
    out_ += static_cast<char>(byte_);
    if ((byte_ & 0xFF) == 0xFF) out_ += '\0';
    byte_ = 0;
    filled_ = 0;
  }
  std::string& out_;
  std::uint32_t byte_ = 0;
  int filled_ = 0;
};

void AppendSegment(std::string& out, char marker, std::string_view content) {
  out += '\xFF';
  out += marker;
  AppendBigEndian(out, static_cast<std::uint32_t>(content.size() + 2), 2);
  out += content;
}

void AppendChunk(std::string& out, std::string_view type, std::string_view content) {
  AppendBigEndian(out, static_cast<std::uint32_t>(content.size()), 4);
  const std::string checked = std::string(type) + std::string(content);
  out += checked;
  AppendBigEndian(out, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                                                        static_cast<uInt>(checked.size()))), 4);
}

std::string PlainPng(int width, int height, std::uint32_t colour) {
  std::string header;
  AppendBigEndian(header, static_cast<std::uint32_t>(width), 4);
  AppendBigEndian(header, static_cast<std::uint32_t>(height), 4);
  header += std::string("\x08\x02\0\0\0", 5);  // 8 bits of red, green and blue
  std::string row(1, '\0');
  for (int x = 0; x < width; ++x) AppendBigEndian(row, colour, 3);
  std::string pixels;
  for (int y = 0; y < height; ++y) pixels += row;
  uLongf length = compressBound(pixels.size());
  std::string packed(length, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(pixels.data()), pixels.size(), 1);
  packed.resize(length);
  std::string png = "\x89PNG\r\n\x1A\n";
  AppendChunk(png, "IHDR", header);
  AppendChunk(png, "IDAT", packed);
  AppendChunk(png, "IEND", "");
  return png;
}

// "w342", "h632", "original" -> 342 x 513...; nothing when it is none.
std::optional<std::pair<int, int>> PixelsOf(std::string_view size) {
  if (size == "original") return std::pair(kOriginalWidth, kOriginalWidth * 3 / 2);
  int pixels = 0;
  const auto [end, error] = std::from_chars(size.data() + std::min<std::size_t>(1, size.size()), size.data() + size.size(), pixels);
  if (error != std::errc() || end != size.data() + size.size() || pixels < 1 || pixels > kOriginalWidth) return std::nullopt;
  if (size[0] == 'w') return std::pair(pixels, pixels * 3 / 2);
  if (size[0] == 'h') return std::pair(pixels * 2 / 3 + 1, pixels);
  return std::nullopt;
}

http::Answer Found(std::string body, const char* type) {
  return {.headers = {{"Content-Type", type}, {"Cache-Control", "public, max-age=31536000"}},
          .body = std::make_shared<const std::string>(std::move(body))};
}

}  // namespace

std::string GreyJpeg(int width, int height, int grey) {
  // One table of each kind: DC category of 0 (code 0) and 8 (code 10); AC has the end of the block alone (code 0). The
  // quantizer is 1, so that a block of one grey is 8 (grey - 128) and nothing else.
  std::string jpeg = "\xFF\xD8";
  AppendSegment(jpeg, '\xE0', std::string("JFIF\0\1\1\0\0\1\0\1\0\0", 14));
  AppendSegment(jpeg, '\xDB', std::string(1, '\0') + std::string(64, '\1'));
  std::string frame = "\x08";
  AppendBigEndian(frame, static_cast<std::uint32_t>(height), 2);
  AppendBigEndian(frame, static_cast<std::uint32_t>(width), 2);
  AppendSegment(jpeg, '\xC0', frame + std::string("\1\1\x11\0", 4));
  AppendSegment(jpeg, '\xC4', std::string("\0\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17) + std::string("\0\x0A", 2));
  AppendSegment(jpeg, '\xC4', std::string("\x10\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17) + std::string("\0", 1));
  AppendSegment(jpeg, '\xDA', std::string("\1\1\0\0\x3F\0", 6));
  BitWriter bits(jpeg);
  // Ten bits hold 512 to 1023 and their negatives.
  const int level = 8 * (grey - 128);
  for (int block = 0, blocks = ((width + 7) / 8) * ((height + 7) / 8); block < blocks; ++block) {
    if (block == 0) {
      bits.Put(0b10, 2);
      bits.Put(static_cast<std::uint32_t>(level > 0 ? level : level + 1023), 10);
    } else {
      bits.Put(0, 1);
    }
    bits.Put(0, 1);
  }
  bits.Finish();
  return jpeg + "\xFF\xD9";
}

http::Answer AnswerImage(std::string_view path) {
  const std::size_t slash = std::min(path.find('/'), path.size());
  const auto pixels = PixelsOf(path.substr(0, slash));
  const std::string_view name = path.substr(std::min(slash + 1, path.size()));
  const std::uint32_t look = Hash(name);
  if (pixels && name.ends_with(".jpg"))
    return Found(GreyJpeg(pixels->first, pixels->second, static_cast<int>(look % 2 == 0 ? 1 + look % 63 : 192 + look % 64)), "image/jpeg");
  if (pixels && name.ends_with(".png")) return Found(PlainPng(pixels->first, pixels->second / 3 + 1, look & 0xFFFFFF), "image/png");
  if (pixels && name.ends_with(".svg")) {
    return Found(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\"><rect width=\"100%\" "
                             "height=\"100%\" fill=\"#{:06x}\"/></svg>\n",
                             pixels->first, pixels->second, look & 0xFFFFFF),
                 "image/svg+xml");
  }
  http::Answer answer = Found("<h1>File not Found</h1>\n", "text/html");
  answer.status = 404;
  return answer;
}

}  // namespace tmdbc::sim

// SPDX-License-Identifier: MIT
// The hashes are kept in catalog.db: another algorithm makes every record look changed once. A test holds fixed values.
//
// A value's hash is built from below. An array chains its elements, so their order counts; an object adds up its
// members, so theirs does not (adding, not xor: with xor two equal members would cancel out). Each kind of value has a
// tag of its own, and a container ends with its size: [] {} null "" 0 and an absent member all differ. Volatile members
// are left out of this and summed up on their own, each with its path: names and array places from the root. A list of
// images adds up its elements, as an object does; their order is summed up with the volatile members.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cmath>

#include "base/json.h"
#include "tmdb/parsed_body.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;

// Odd constants with evenly spread bits (digits of pi).
enum : std::uint64_t {
  kLeft = 0x243F6A8885A308D3,
  kRight = 0x13198A2E03707345,
  kNull = 0xA4093822299F31D1,
  kFalse = 0x082EFA98EC4E6C89,
  kTrue = 0x452821E638D01377,
  kInteger = 0xBE5466CF34E90C6D,
  kUnsigned = 0xC0AC29B7C97C50DD,
  kDouble = 0x3F84D5B5B5470917,
  kString = 0x9216D5D98979FB1B,
  kArray = 0xD1310BA698DFB5AD,
  kObject = 0x2FFD72DBD01ADFB7,
  kName = 0xB8E1AFED6A267E97,
  kPlace = 0xBA7C9045F12C7F99,
  kRoot = 0x24A19947B3916CF7,
  kImage = 0x0801F2E2858EFC16,
  kOrder = 0x636920D871574E69,
};

// Both halves of the 128-bit product, folded: each bit of either side reaches all bits (as wyhash and XXH3 do for short
// input).
std::uint64_t Mix(std::uint64_t left, std::uint64_t right) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(left ^ kLeft) * (right ^ kRight);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t HashText(std::string_view text, std::uint64_t tag) {
  return Mix(XXH3_64bits(text.data(), text.size()), tag);
}

std::uint64_t HashDouble(double number) {
  // By value: 1.0 is 1, -0.0 is 0. The bounds are -2^63 and 2^64; a double between them without a fraction is an
  // integer.
  if (number >= -0x1p63 && number < 0x1p64 && std::trunc(number) == number) {
    if (number < 0x1p63) return Mix(kInteger, static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
    return Mix(kUnsigned, static_cast<std::uint64_t>(number));
  }
  return Mix(kDouble, std::bit_cast<std::uint64_t>(number));
}

bool IsVolatile(std::string_view name) {
  switch (name.size()) {
    case 10:
      return name == "popularity" || name == "vote_count";
    case 12:
      return name == "vote_average";
    default:
      return false;
  }
}

// TMDB orders these lists by votes, which move by themselves.
bool IsImageList(std::string_view name) {
  switch (name.size()) {
    case 5:
      return name == "logos";
    case 6:
      return name == "stills";
    case 7:
      return name == "posters";
    case 8:
      return name == "profiles";
    case 9:
      return name == "backdrops";
    default:
      return false;
  }
}

class Hasher {
 public:
  ContentHash Run(dom::element value, bool (*left_out)(std::string_view)) {
    std::uint64_t content = 0;
    if (dom::object object; left_out != nullptr && value.get(object) == simdjson::SUCCESS) {
      content = HashObject(object, kRoot, [left_out](std::string_view name) { return left_out(name); });
    } else if (value.is_object() || value.is_array()) {
      content = HashContainer(value, kRoot);
    } else {
      content = HashScalar(value);
    }
    return {.content = content, .stats = stats_};
  }

 private:
  // A path says where a value is. Only what has something below it needs one, so it is made here, from its parent's.
  std::uint64_t Hash(dom::element value, std::uint64_t parent_path, std::uint64_t step) {
    return value.is_object() || value.is_array() ? HashContainer(value, Mix(parent_path, step))
                                                 : HashScalar(value);
  }

  static std::uint64_t HashScalar(dom::element value) {
    switch (value.type()) {
      case dom::element_type::STRING:
        return HashText(value.get_string().value_unsafe(), kString);
      case dom::element_type::INT64:
        return Mix(kInteger, static_cast<std::uint64_t>(value.get_int64().value_unsafe()));
      case dom::element_type::UINT64:  // simdjson gives this type only to what does not fit int64
        return Mix(kUnsigned, value.get_uint64().value_unsafe());
      case dom::element_type::DOUBLE:  // an odd number too: it is a NaN that has its text in it
        return HashDouble(value.get_double().value_unsafe());
      case dom::element_type::BOOL:
        return value.get_bool().value_unsafe() ? kTrue : kFalse;
      default:
        return kNull;
    }
  }

  std::uint64_t HashContainer(dom::element value, std::uint64_t path) {
    return value.is_object()
               ? HashObject(value.get_object().value_unsafe(), path, [](std::string_view) { return false; })
               : HashArray(value.get_array().value_unsafe(), path);
  }

  std::uint64_t HashArray(dom::array array, std::uint64_t path) {
    std::uint64_t hash = kArray;
    std::uint64_t count = 0;
    for (const dom::element element : array) hash = Mix(hash, Hash(element, path, kPlace + count++));
    return Mix(hash, count);
  }

  std::uint64_t HashImages(dom::array images, std::uint64_t path) {
    std::uint64_t sum = 0;
    std::uint64_t order = kOrder;
    std::uint64_t count = 0;
    for (const dom::element image : images) {
      const std::uint64_t hash = Hash(image, path, kPlace + count++);
      sum += Mix(hash, kImage);
      order = Mix(order, hash);
    }
    stats_ += Mix(path, order);
    return Mix(kArray + count, sum);
  }

  template <class LeftOut>
  std::uint64_t HashObject(dom::object object, std::uint64_t path, LeftOut left_out) {
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (const dom::key_value_pair member : object) {
      if (left_out(member.key)) continue;
      const std::uint64_t name = HashText(member.key, kName);
      // Below a volatile member everything is part of its value.
      if (!within_volatile_ && IsVolatile(member.key)) {
        const std::uint64_t member_path = Mix(path, name);
        within_volatile_ = true;
        stats_ += Mix(member_path, Hash(member.value, path, name));
        within_volatile_ = false;
        continue;
      }
      const bool images = !within_volatile_ && member.value.is_array() && IsImageList(member.key);
      sum += Mix(name, images ? HashImages(member.value.get_array().value_unsafe(), Mix(path, name))
                              : Hash(member.value, path, name));
      ++count;
    }
    return Mix(kObject + count, sum);
  }

  std::uint64_t stats_ = 0;
  bool within_volatile_ = false;
};

}  // namespace

ContentHash HashParsed(dom::element value, bool (*left_out)(std::string_view)) {
  return Hasher().Run(value, left_out);
}

Result<ContentHash> HashContent(std::string_view json) {
  TRY_ASSIGN(const ParsedJson parsed, ParsedJson::Parse(json));
  return HashParsed(parsed.root());
}

}  // namespace tmdbc

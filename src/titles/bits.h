// SPDX-License-Identifier: MIT
// Bits: a set of places, one bit each. A set of 1.25 million takes 156 KB, and setting a bit is an instruction: where
// lists of places are joined and cut by the ten thousand, as here, that beats compressed sets.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tmdbc::titles {

class Bits {
 public:
  Bits() = default;
  explicit Bits(std::size_t size, bool set = false) : size_(size), words_((size + 63) / 64, set ? ~std::uint64_t{0} : 0) {
    if (set && size % 64 != 0) words_.back() = (std::uint64_t{1} << size % 64) - 1;
  }

  std::size_t size() const { return size_; }
  bool Test(std::size_t i) const { return (words_[i / 64] >> i % 64 & 1) != 0; }
  void Set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << i % 64; }
  void Clear(std::size_t i) { words_[i / 64] &= ~(std::uint64_t{1} << i % 64); }
  void SetAll(std::span<const std::uint32_t> places) {
    for (const std::uint32_t place : places) Set(place);
  }
  // Of the same size.
  void Keep(const Bits& other) { Keep(other.words_); }
  // 64 places each, the first the lowest bit.
  void Keep(std::span<const std::uint64_t> words) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= words[i];
  }
  void Drop(const Bits& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  }
  // Calls `visit` with each place that is set, ascending.
  template <class Visit>
  void Each(const Visit& visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1)
        visit(i * 64 + std::size_t(std::countr_zero(word)));
    }
  }
  // Keeps those for which `keep` is true.
  template <class Filter>
  void KeepIf(const Filter& keep) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        const auto bit = std::size_t(std::countr_zero(word));
        if (!keep(i * 64 + bit)) words_[i] &= ~(std::uint64_t{1} << bit);
      }
    }
  }
  std::size_t Count() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += std::size_t(std::popcount(word));
    return count;
  }

 private:
  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace tmdbc::titles

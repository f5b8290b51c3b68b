// SPDX-License-Identifier: MIT
// Top: the first so many of a great many, in an order; takes no more memory than twice as many.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace tmdbc::titles {

template <class T, class Before = std::less<T>>
class Top {
 public:
  explicit Top(std::size_t count, Before before = {}) : count_(std::max<std::size_t>(count, 1)), before_(before) {}

  void Take(T one) {
    if (cut_ && !before_(one, best_[count_ - 1])) return;
    best_.push_back(std::move(one));
    if (best_.size() < 2 * count_) return;
    std::ranges::nth_element(best_, best_.begin() + std::ptrdiff_t(count_ - 1), before_);
    best_.resize(count_);
    cut_ = true;
  }
  // Once there are enough, the last that counts: what does not come before it need not be taken. Null until then.
  const T* Worst() const { return cut_ ? &best_[count_ - 1] : nullptr; }
  std::vector<T> Sorted() {
    std::ranges::sort(best_, before_);
    if (best_.size() > count_) best_.resize(count_);
    return std::move(best_);
  }

 private:
  const std::size_t count_;
  const Before before_;
  std::vector<T> best_;  // once cut_, the last of the first count_ is at count_ - 1
  bool cut_ = false;
};

}  // namespace tmdbc::titles

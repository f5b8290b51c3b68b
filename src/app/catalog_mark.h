// SPDX-License-Identifier: MIT
// CatalogMark: StoreMark over an open catalog. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/sqlite.h"
#include "serve/store_mark.h"
#include "titles/titles.h"

namespace tmdbc {

class CatalogMark : public serve::StoreMark {
 public:
  // `path`: of the file that `catalog` was opened as; empty where it is none. When another file lies there, or none,
  // the store is gone: that is looked at once a second. `on_commit` is called when something was committed. All
  // references outlive it.
  CatalogMark(Database& catalog, const titles::TitleSource& titles, const Clock& clock, std::string path,
              std::function<void()> on_commit);

  Result<std::uint64_t> Now(std::uint64_t round) override;
  // As of the last Now().
  std::uint64_t last() const { return mark_; }
  // Another file lies there by now, as of the last Now().
  bool replaced() const { return replaced_; }
  std::uint64_t IndexState() override {
    const auto titles = titles_.Current();
    return titles ? titles->state() : 0;
  }

 private:
  Result<std::uint64_t> Read();
  // Of the file at path_: 0 when there is none.
  ino_t Inode() const;

  Database& catalog_;
  const titles::TitleSource& titles_;
  const Clock& clock_;
  const std::string path_;
  const std::function<void()> on_commit_;
  const ino_t inode_;
  MonoTime read_at_{};
  bool gone_ = false, replaced_ = false;
  std::uint64_t round_ = 0, mark_ = 0;
};

}  // namespace tmdbc

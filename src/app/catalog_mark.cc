// SPDX-License-Identifier: MIT
#include "app/catalog_mark.h"

#include <sys/stat.h>

#include <utility>

namespace tmdbc {
namespace {

constexpr std::chrono::seconds kReadAgain{1};

}  // namespace

CatalogMark::CatalogMark(Database& catalog, const titles::TitleSource& titles, const Clock& clock, std::string path,
                         std::function<void()> on_commit)
    : catalog_(catalog),
      titles_(titles),
      clock_(clock),
      path_(std::move(path)),
      on_commit_(std::move(on_commit)),
      inode_(Inode()) {}

ino_t CatalogMark::Inode() const {
  struct stat file{};
  return !path_.empty() && ::stat(path_.c_str(), &file) == 0 ? file.st_ino : 0;
}

Result<std::uint64_t> CatalogMark::Now(std::uint64_t round) {
  if (round != 0 && round == round_) return mark_;
  round_ = 0;
  TRY_ASSIGN(const std::uint64_t mark, Read());
  if (mark != mark_) on_commit_();
  mark_ = mark;
  round_ = round;
  return mark_;
}

Result<std::uint64_t> CatalogMark::Read() {
  if (const MonoTime now = clock_.Mono(); !path_.empty() && now >= read_at_) {
    read_at_ = now + kReadAgain;
    const ino_t inode = Inode();
    gone_ = inode != inode_;
    replaced_ = gone_ && inode != 0;
  }
  if (gone_) return Fail(ErrorCode::kUnreadable, "read {}: it is not there any more, or is another store's", path_);
  return catalog_.CommitMark();
}

}  // namespace tmdbc

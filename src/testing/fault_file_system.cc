// SPDX-License-Identifier: MIT
#include "testing/fault_file_system.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tmdbc::testing {

struct FaultFileSystem::Node {
  std::string bytes;                                             // as programs see them
  std::string synced;                                            // at the last sync
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spoiled;  // from, to

  bool Gives(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t end = offset + std::min<std::uint64_t>(length, bytes.size());
    return std::none_of(spoiled.begin(), spoiled.end(),
                        [&](const auto& range) { return offset < range.second && range.first < end; });
  }
};

namespace {

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// What a disk may hold of a file when `synced` was promised and `bytes` was only written: what both have in
// common for sure; behind it the old bytes, some of the new ones, or new ones with sectors missing.
std::string AfterPowerCut(const std::string& synced, const std::string& bytes, std::mt19937_64& random) {
  const auto common = std::size_t(
      std::mismatch(synced.begin(), synced.end(), bytes.begin(), bytes.end()).first - synced.begin());
  if (common == synced.size() && common == bytes.size()) return synced;
  switch (random() % 4) {
    case 0:
      return synced;
    case 1:
      return bytes;
    default: {
      std::string torn = bytes.substr(0, common + random() % (bytes.size() - common + 1));
      if (random() % 2 == 0 && torn.size() > common) {
        // The size arrived, a stretch of the bytes did not.
        const std::size_t from = common + random() % (torn.size() - common);
        const std::size_t to = from + random() % (torn.size() - from + 1);
        const char junk = random() % 2 == 0 ? '\0' : static_cast<char>(random());
        std::fill(torn.begin() + std::ptrdiff_t(from), torn.begin() + std::ptrdiff_t(to), junk);
      }
      return torn;
    }
  }
}

}  // namespace

class FaultFileSystem::File final : public AppendFile {
 public:
  File(FaultFileSystem& disk, std::shared_ptr<Node> node, std::string path)
      : disk_(disk),
        node_(std::move(node)),
        path_(std::move(path)),
        boot_(disk.boots_),
        size_(node_->bytes.size()) {}

  Result<void> Append(std::string_view bytes) override {
    TRY(Alive());
    if (auto done = disk_.Change("write", path_); !done) {
      node_->bytes.resize(size_);
      node_->bytes += bytes.substr(0, bytes.size() / 2);
      return done;
    }
    std::string_view fits = bytes;
    if (disk_.capacity_) {
      const std::uint64_t used = disk_.bytes_used();
      fits = fits.substr(0, *disk_.capacity_ > used ? *disk_.capacity_ - used : 0);
    }
    node_->bytes += fits;
    size_ = node_->bytes.size();
    if (fits.size() < bytes.size())
      return Fail(ErrorCode::kNoSpace, "write {}: No space left on device", path_);
    return {};
  }

  Result<void> Sync() override {
    TRY(Alive());
    TRY(disk_.Change("sync", path_));
    node_->synced = node_->bytes;
    return {};
  }

  Result<void> Truncate(std::uint64_t size) override {
    TRY(Alive());
    TRY(disk_.Change("truncate", path_));
    node_->bytes.resize(size);
    size_ = size;
    return {};
  }

  std::uint64_t size() const override { return node_->bytes.size(); }

 private:
  Result<void> Alive() const {
    if (boot_ == disk_.boots_) return {};
    return Fail(ErrorCode::kIo, "write {}: opened before the power cut", path_);
  }

  FaultFileSystem& disk_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  const std::uint64_t boot_;
  std::uint64_t size_;
};

FaultFileSystem::FaultFileSystem() = default;
FaultFileSystem::~FaultFileSystem() = default;

Result<void> FaultFileSystem::Change(const char* act, const std::string& path) {
  ++changes_;
  if (cut_at_ && changes_ >= *cut_at_) off_ = true;
  if (off_) return Fail(ErrorCode::kIo, "{} {}: the power is off", act, path);
  if (fail_at_ && changes_ == *fail_at_) return Fail(fail_code_, "{} {}: injected", act, path);
  return {};
}

void FaultFileSystem::SetEntry(const std::string& path, std::shared_ptr<Node> node) {
  if (node) {
    names_[path] = node;
  } else {
    names_.erase(path);
  }
  unsynced_.push_back({path, std::move(node)});
}

Result<std::unique_ptr<AppendFile>> FaultFileSystem::OpenAppend(const std::string& path) {
  TRY(Change("open", path));
  if (!names_.contains(path)) SetEntry(path, std::make_shared<Node>());
  return std::make_unique<File>(*this, names_.at(path), path);
}

Result<std::string> FaultFileSystem::Read(const std::string& path, std::uint64_t offset,
                                          std::uint64_t length) {
  const auto found = names_.find(path);
  if (found == names_.end()) return Fail(ErrorCode::kNotFound, "open {}: No such file or directory", path);
  if (!found->second->Gives(offset, length))
    return Fail(ErrorCode::kUnreadable, "read {}: Input/output error", path);
  const std::string& bytes = found->second->bytes;
  return offset < bytes.size() ? bytes.substr(offset, length) : std::string();
}

Result<std::uint64_t> FaultFileSystem::Size(const std::string& path) {
  const auto found = names_.find(path);
  if (found == names_.end()) return Fail(ErrorCode::kNotFound, "stat {}: No such file or directory", path);
  return found->second->bytes.size();
}

Result<bool> FaultFileSystem::Exists(const std::string& path) {
  return names_.contains(path);
}

Result<void> FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  TRY(Change("rename", from));
  const auto found = names_.find(from);
  if (found == names_.end()) return Fail(ErrorCode::kNotFound, "rename {}: No such file or directory", from);
  const auto node = found->second;
  SetEntry(from, nullptr);
  SetEntry(to, node);
  return {};
}

Result<void> FaultFileSystem::Remove(const std::string& path) {
  TRY(Change("remove", path));
  if (!names_.contains(path)) return Fail(ErrorCode::kNotFound, "remove {}: No such file or directory", path);
  SetEntry(path, nullptr);
  return {};
}

Result<void> FaultFileSystem::SyncFolder(const std::string& folder) {
  TRY(Change("sync folder", folder));
  // The folders above too, as the real one does; entries elsewhere wait for their own sync.
  std::erase_if(unsynced_, [&](const Entry& entry) {
    const std::string parent = FolderOf(entry.path);
    const bool above = folder == parent || folder.starts_with(parent + "/") || parent == ".";
    if (!above) return false;
    if (entry.node) {
      durable_[entry.path] = entry.node;
    } else {
      durable_.erase(entry.path);
    }
    return true;
  });
  return {};
}

Result<std::vector<std::string>> FaultFileSystem::List(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) {
    if (path.starts_with(folder + "/")) paths.push_back(path);
  }
  return paths;
}

std::int64_t FaultFileSystem::changes() const {
  return changes_;
}
void FaultFileSystem::CutPowerAt(std::int64_t nth) {
  cut_at_ = changes_ + nth;
}
void FaultFileSystem::CutPower() {
  off_ = true;
}
bool FaultFileSystem::power_is_off() const {
  return off_;
}

void FaultFileSystem::Restart(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  // Folder changes reach the disk in order, as a journal has it; a rename is one change of two entries.
  std::size_t kept = unsynced_.empty() ? 0 : random() % (unsynced_.size() + 1);
  if (kept > 0 && kept < unsynced_.size() && !unsynced_[kept - 1].node && unsynced_[kept].node) ++kept;
  for (std::size_t i = 0; i < kept; ++i) {
    if (unsynced_[i].node) {
      durable_[unsynced_[i].path] = unsynced_[i].node;
    } else {
      durable_.erase(unsynced_[i].path);
    }
  }
  unsynced_.clear();
  Names found;
  for (const auto& [path, node] : durable_) {
    auto left = std::make_shared<Node>();
    left->bytes = AfterPowerCut(node->synced, node->bytes, random);
    left->synced = left->bytes;
    left->spoiled = node->spoiled;
    found[path] = left;
  }
  names_ = durable_ = std::move(found);
  cut_at_.reset();
  fail_at_.reset();
  off_ = false;
  ++boots_;
}

void FaultFileSystem::FailAt(std::int64_t nth, ErrorCode code) {
  fail_at_ = changes_ + nth;
  fail_code_ = code;
}

void FaultFileSystem::SetCapacity(std::optional<std::uint64_t> bytes) {
  capacity_ = bytes;
}

std::uint64_t FaultFileSystem::bytes_used() const {
  std::uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->bytes.size();
  return used;
}

void FaultFileSystem::FlipBit(const std::string& path, std::uint64_t byte, int bit) {
  Node& node = *names_.at(path);
  node.bytes.at(byte) = static_cast<char>(node.bytes[byte] ^ (1 << bit));
  node.synced = node.bytes;
}

void FaultFileSystem::Spoil(const std::string& path, std::uint64_t at, std::uint64_t bytes) {
  names_.at(path)->spoiled.emplace_back(at, at + bytes);
}

void FaultFileSystem::Put(const std::string& path, std::string bytes) {
  auto node = std::make_shared<Node>();
  node->synced = bytes;
  node->bytes = std::move(bytes);
  names_[path] = durable_[path] = std::move(node);
}

}  // namespace tmdbc::testing

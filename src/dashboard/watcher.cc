// SPDX-License-Identifier: MIT
#include "dashboard/watcher.h"

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "dashboard/age_histogram.h"

namespace tmdbc::dashboard {
namespace {

std::string CoverageJson(std::string_view at, bool reading, std::string_view error, std::string_view types) {
  JsonWriter json;
  json.BeginObject().Key("at");
  at.empty() ? json.Null() : json.Text(at);
  json.Field("reading", reading).Field("error", error).Key("types").Raw(types);
  return json.EndObject().text();
}

void AddDamages(JsonWriter& json, const std::deque<FeedDamage>& damages) {
  json.Key("damage").BeginArray();
  for (const FeedDamage& damage : damages)
    json.BeginObject()
        .Field("file", damage.file)
        .Field("offset", damage.offset)
        .Field("what", damage.what)
        .EndObject();
  json.EndArray();
}

}  // namespace

Watcher::Watcher(OpenView open, const Clock& clock)
    : open_(std::move(open)),
      clock_(clock),
      pictures_{.status = nullptr,
                .freshness = Share("null"),
                .coverage = Share(CoverageJson("", false, "", "null")),
                .dead = Share("[]"),
                .changes = std::make_shared<const std::vector<ChangeEntry>>()} {
  ReadStatus();
}

void Watcher::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

Watcher::~Watcher() {
  stop_.Request();
}

Watcher::Pictures Watcher::Current() {
  const std::scoped_lock lock(mutex_);
  looked_ = clock_.Mono();
  wakes_.notify_all();
  return pictures_;
}

void Watcher::AskForCoverage() {
  const std::scoped_lock lock(mutex_);
  looked_ = clock_.Mono();
  coverage_asked_ = true;
  wakes_.notify_all();
}

template <class Change>
void Watcher::Show(Change change) {
  const std::scoped_lock lock(mutex_);
  change(pictures_);
}

bool Watcher::Watched() const {
  return looked_ && clock_.Mono() - *looked_ < kWatched;
}

void Watcher::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  // False: it is told to end.
  while (wakes_.wait(lock, stop, [&] { return Watched(); }) && !stop.stop_requested()) {
    lock.unlock();
    Step();
    lock.lock();
    // A second is short beside all paces.
    wakes_.wait_for(lock, stop, std::chrono::seconds(1), [&] { return coverage_asked_; });
  }
}

void Watcher::Step() {
  const auto at_pace = [&](Pace& pace, void (Watcher::*read)()) {
    if (stop_.requested() || !pace.Due(clock_.Mono())) return;
    const MonoTime from = clock_.Mono();
    (this->*read)();
    pace.Took(from, clock_.Mono());
  };
  at_pace(reopening_pace_, &Watcher::DropPassingView);
  at_pace(status_pace_, &Watcher::ReadStatus);
  at_pace(counts_pace_, &Watcher::ReadCounts);
  at_pace(changes_pace_, &Watcher::ReadChanges);
  bool asked = false;
  {
    const std::scoped_lock lock(mutex_);
    asked = std::exchange(coverage_asked_, false);
  }
  if (asked) at_pace(coverage_pace_, &Watcher::ReadCoverage);
}

// A look that does not last shows what was there when it began.
void Watcher::DropPassingView() {
  if (view_ && !view_->lasting()) view_.reset();
}

bool Watcher::HaveView() {
  if (view_) return true;
  auto opened = open_();
  if (!opened) {
    trouble_ = opened.error().message;
    return false;
  }
  view_ = *std::move(opened);
  return true;
}

void Watcher::ReadStatus() {
  if (HaveView()) {
    auto status = view_->Status();
    if (status) {
      trouble_.clear();
      status_ = *std::move(status);
    } else {
      trouble_ = status.error().message;
      status_ = "null";
      view_.reset();  // another store may have taken its place
    }
  } else {
    status_ = "null";
  }
  status_at_ = clock_.Now();
  JsonWriter json;
  json.BeginObject().Field("at", FormatTime(status_at_)).Key("counted_at");
  counted_at_ == Time{} ? json.Null() : json.Text(FormatTime(counted_at_));
  json.Field("error", trouble_).Key("status").Raw(status_);
  AddDamages(json, window_.damages());
  std::string dead = "[]";
  if (view_)
    if (auto letters = view_->DeadLetters(kDeadLetters)) dead = *std::move(letters);
  Show([&](Pictures& shown) {
    shown.status = Share(json.EndObject().text());
    shown.dead = Share(std::move(dead));
  });
}

void Watcher::ReadCounts() {
  if (!HaveView()) return;
  const Time now = clock_.Now();
  if (!view_->Count()) return;
  counted_at_ = now;
  const auto ages = ReadAges(view_->ledger(), now, stop_);
  if (ages && !stop_.requested())
    Show([&](Pictures& shown) { shown.freshness = Share(AgesJson(*ages, now)); });
  ReadStatus();  // with what was counted
}

void Watcher::ReadCoverage() {
  const Time now = clock_.Now();
  const auto tell = [&](std::string_view error, std::string_view types) {
    Show([&](Pictures& shown) { shown.coverage = Share(CoverageJson(FormatTime(now), false, error, types)); });
  };
  if (!HaveView()) return tell(trouble_, "null");
  Show([](Pictures& shown) { shown.coverage = Share(CoverageJson("", true, "", "null")); });
  const auto types = view_->Coverage();
  types ? tell("", *types) : tell(types.error().message, "null");
}

void Watcher::ReadChanges() {
  if (!HaveView()) return;
  for (const MediaType type : kRecordTypes) {
    if (stop_.requested()) return;
    // What cannot be followed now is told of elsewhere: in the status, as damage.
    (void)window_.Follow(type, view_->files(), view_->catalog());
  }
  constexpr int kDescribedAtOnce = 40;
  window_.Describe(view_->reader(), kDescribedAtOnce);
  Show([&](Pictures& shown) {
    if (shown.revision == window_.revision()) return;
    shown.changes = std::make_shared<const std::vector<ChangeEntry>>(window_.Entries());
    shown.revision = window_.revision();
  });
}

}  // namespace tmdbc::dashboard

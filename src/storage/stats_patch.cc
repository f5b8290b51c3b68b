// SPDX-License-Identifier: MIT
#include "storage/stats_patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/json_tape.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

using Node = std::uint32_t;
using Order =
    std::vector<std::uint32_t>;  // of a list: at each place the index that its element has in the base

bool IsVolatile(std::string_view name) {
  return name == "popularity" || name == "vote_average" || name == "vote_count";
}

// A raw name as a token of a JSON pointer within a JSON string.
void AppendToken(std::string_view name, std::string& path) {
  path += '/';
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = name.substr(i);
    if (rest[0] == '/') {
      path += "~1";
    } else if (rest[0] == '~') {
      path += "~0";
    } else if (rest.starts_with("\\/")) {
      path += "~1";
      i += 1;
    } else if (rest.starts_with("\\u002f") || rest.starts_with("\\u002F")) {
      path += "~1";
      i += 5;
    } else if (rest.starts_with("\\u007e") || rest.starts_with("\\u007E")) {
      path += "~0";
      i += 5;
    } else if (rest[0] == '\\' && rest.size() > 1) {
      path.append(rest, 0, 2);
      i += 1;
    } else {
      path += rest[0];
    }
  }
}

// The fewest moves that bring 0, 1, 2... into `order`: all but the longest ascending run of it stay where they are.
std::vector<std::pair<std::uint32_t, std::uint32_t>> MovesTo(const Order& order) {
  const std::size_t count = order.size();
  // tails[k]: the place in `order` at which an ascending run of k + 1 ends lowest; `before` links the runs.
  std::vector<std::size_t> tails, before(count, count);
  for (std::size_t place = 0; place < count; ++place) {
    const auto longer =
        std::ranges::lower_bound(tails, order[place], {}, [&](std::size_t at) { return order[at]; });
    if (longer != tails.begin()) before[place] = *std::prev(longer);
    if (longer == tails.end()) {
      tails.push_back(place);
    } else {
      *longer = place;
    }
  }
  std::vector<bool> stays(count, false);
  for (std::size_t place = tails.empty() ? count : tails.back(); place != count; place = before[place]) {
    stays[place] = true;
  }
  Order now(count);
  for (std::uint32_t i = 0; i < count; ++i) now[i] = i;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> moves;
  for (std::size_t place = 0; place < count; ++place) {
    if (stays[place]) continue;
    const auto from = std::ranges::find(now, order[place]);
    const auto from_index = static_cast<std::uint32_t>(from - now.begin());
    now.erase(from);
    // Right behind the element that comes before it.
    const auto to = place == 0 ? now.begin() : std::next(std::ranges::find(now, order[place - 1]));
    moves.emplace_back(from_index, static_cast<std::uint32_t>(to - now.begin()));
    now.insert(to, order[place]);
  }
  return moves;
}

// --- making a patch ---

class Differ {
 public:
  Differ(const JsonTape& base, const JsonTape& body)
      : base_(base), body_(body), most_bytes_(body.text().size() / 2) {}

  std::optional<std::string> Run() {
    if (!Compare(JsonTape::kRoot, JsonTape::kRoot, false)) return std::nullopt;
    std::string patch = "[" + replaces_;
    if (!replaces_.empty() && !moves_.empty()) patch += ',';
    patch += moves_ + "]";
    if (patch.size() > most_bytes_) return std::nullopt;
    return patch;
  }

 private:
  // False when they differ in more than a patch may say. `images`: they are the value of a member of that name.
  bool Compare(Node base, Node body, bool images) {
    if (base_.Raw(base) == body_.Raw(body)) return true;
    const JsonTape::Node& one = base_.at(base);
    const JsonTape::Node& other = body_.at(body);
    if (one.kind != other.kind || one.children != other.children) return false;
    switch (one.kind) {
      case JsonTape::Kind::kScalar:
        return true;  // the same value, spelled otherwise: the content hash has said so
      case JsonTape::Kind::kObject:
        return CompareObjects(base, body, images);
      case JsonTape::Kind::kArray:
        return CompareLists(base, body);
    }
    return false;
  }

  bool CompareObjects(Node base, Node body, bool images) {
    std::unordered_map<std::string_view, Node> by_name;  // of `body`, once its members come in another order
    Node in_order = JsonTape::First(body);
    for (Node member = JsonTape::First(base); member != base_.End(base); member = base_.Next(member)) {
      const std::string_view name = base_.Name(member);
      Node other = in_order;
      in_order = body_.Next(in_order);
      if (body_.Name(other) != name) {
        if (by_name.empty()) {
          for (const Node child : body_.Children(body)) {
            if (!by_name.emplace(body_.Name(child), child).second) return false;
          }
        }
        const auto found = by_name.find(name);
        if (found == by_name.end()) return false;
        other = found->second;
      }
      if (!CompareMember(member, other, name, images)) return false;
    }
    return true;
  }

  bool CompareMember(Node base, Node body, std::string_view name, bool within_images) {
    if (base_.Raw(base) == body_.Raw(body)) return true;
    const std::size_t length = path_.size();
    AppendToken(name, path_);
    bool done = true;
    if (IsVolatile(name)) {
      done = Replace(body_.Raw(body));
    } else if (within_images && base_.at(base).kind == JsonTape::Kind::kArray) {
      done = CompareImages(base, body);
    } else {
      done = Compare(base, body, name == "images");
    }
    path_.resize(length);
    return done;
  }

  bool CompareElement(std::size_t index, Node base, Node body) {
    const std::size_t length = path_.size();
    fmt::format_to(std::back_inserter(path_), "/{}", index);
    const bool done = Compare(base, body, false);
    path_.resize(length);
    return done;
  }

  bool CompareLists(Node base, Node body) {
    Node other = JsonTape::First(body);
    std::size_t index = 0;
    for (Node element = JsonTape::First(base); element != base_.End(base); element = base_.Next(element)) {
      if (!CompareElement(index++, element, other)) return false;
      other = body_.Next(other);
    }
    return true;
  }

  // What an image is known by: its file, else all of it.
  static std::string_view KeyOf(const JsonTape& tape, Node image) {
    if (tape.at(image).kind == JsonTape::Kind::kObject) {
      for (Node member = JsonTape::First(image); member != tape.End(image); member = tape.Next(member)) {
        if (tape.Name(member) == "file_path") return tape.Raw(member);
      }
    }
    return tape.Raw(image);
  }

  bool CompareImages(Node base, Node body) {
    if (base_.at(base).kind != body_.at(body).kind || base_.at(base).children != body_.at(body).children)
      return false;
    const auto before = base_.Children(base), after = body_.Children(body);
    // Of images with one key the first is the first.
    std::unordered_map<std::string_view, std::vector<std::uint32_t>> places;
    for (std::size_t i = before.size(); i-- > 0;) {
      places[KeyOf(base_, before[i])].push_back(static_cast<std::uint32_t>(i));
    }
    Order order;
    for (const Node image : after) {
      const auto found = places.find(KeyOf(body_, image));
      if (found == places.end() || found->second.empty()) return false;
      const std::uint32_t index = found->second.back();
      found->second.pop_back();
      if (!CompareElement(index, before[index], image)) return false;
      order.push_back(index);
    }
    if (order.size() > kMostMovedImages && !std::ranges::is_sorted(order)) return false;
    for (const auto& [from, to] : MovesTo(order)) {
      if (!moves_.empty()) moves_ += ',';
      fmt::format_to(std::back_inserter(moves_), R"({{"op":"move","from":"{}/{}","path":"{}/{}"}})", path_,
                     from, path_, to);
      if (moves_.size() > most_bytes_) return false;
    }
    return true;
  }

  bool Replace(std::string_view value) {
    if (!replaces_.empty()) replaces_ += ',';
    fmt::format_to(std::back_inserter(replaces_), R"({{"op":"replace","path":"{}","value":{}}})", path_,
                   value);
    return replaces_.size() <= most_bytes_;
  }

  static constexpr std::size_t kMostMovedImages = 10'000;  // finding the places of n takes n * n

  const JsonTape& base_;
  const JsonTape& body_;
  const std::size_t most_bytes_;
  std::string path_;
  std::string replaces_, moves_;
};

// --- applying one ---

// The edits of a patch, by where they begin in the base.
struct Edit {
  Node node = 0;
  std::string_view value;  // stands there now; else
  Order order;             // its elements stand so
};

class Patcher {
 public:
  explicit Patcher(const JsonTape& base) : base_(base) {}

  Result<std::string> Run(std::string_view patch) {
    const auto operations = JsonTape::Parse(patch);
    if (!operations || operations->at(JsonTape::kRoot).kind != JsonTape::Kind::kArray)
      return Refuse("no list");
    for (const Node operation : operations->Children(JsonTape::kRoot)) {
      if (!Take(*operations, operation)) return Refuse(operations->Raw(operation));
    }
    std::string out;
    out.reserve(base_.text().size() + patch.size());
    if (!Write(0, static_cast<std::uint32_t>(base_.text().size()), out))
      return Refuse("operations within each other");
    return out;
  }

 private:
  static std::unexpected<Error> Refuse(std::string_view what) {
    return Fail(ErrorCode::kCorrupt, "stats patch: it does not fit its version: {:.200}", what);
  }

  // The text of a string member, without quotes; empty when it is another one.
  static std::optional<std::string_view> Text(const JsonTape& tape, Node member, std::string_view name) {
    const std::string_view raw = tape.Raw(member);
    if (tape.Name(member) != name || !raw.starts_with('"')) return std::nullopt;
    return raw.substr(1, raw.size() - 2);
  }

  bool Take(const JsonTape& tape, Node operation) {
    if (tape.at(operation).kind != JsonTape::Kind::kObject || tape.at(operation).children != 3) return false;
    const auto members = tape.Children(operation);
    const auto op = Text(tape, members[0], "op");
    if (op == "replace" && tape.Name(members[2]) == "value") {
      const auto path = Text(tape, members[1], "path");
      return path && Replace(*path, tape.Raw(members[2]));
    }
    const auto from = Text(tape, members[1], "from"), path = Text(tape, members[2], "path");
    return op == "move" && from && path && Move(*from, *path);
  }

  bool Replace(std::string_view path, std::string_view value) {
    const auto node = Resolve(path);
    if (moved_ || !node || *node == JsonTape::kRoot) return false;
    return edits_.emplace(base_.at(*node).begin, Edit{*node, value, {}}).second;
  }

  bool Move(std::string_view from, std::string_view to) {
    moved_ = true;
    const auto slash = from.rfind('/');
    if (slash == std::string_view::npos || to.substr(0, slash + 1) != from.substr(0, slash + 1)) return false;
    const auto list = Resolve(from.substr(0, slash));
    if (!list || base_.at(*list).kind != JsonTape::Kind::kArray) return false;
    const std::uint32_t count = base_.at(*list).children;
    const auto from_index = Index(from.substr(slash + 1), count),
               to_index = Index(to.substr(slash + 1), count);
    if (!from_index || !to_index) return false;
    Edit& edit = edits_[base_.at(*list).begin];
    if (!edit.value.empty()) return false;
    if (edit.order.empty()) {
      edit.node = *list;
      for (std::uint32_t i = 0; i < count; ++i) edit.order.push_back(i);
    }
    const std::uint32_t element = edit.order[*from_index];
    edit.order.erase(edit.order.begin() + *from_index);
    edit.order.insert(edit.order.begin() + *to_index, element);
    return true;
  }

  static std::optional<std::uint32_t> Index(std::string_view token, std::uint32_t count) {
    std::uint32_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    const bool plain =
        error == std::errc() && end == token.data() + token.size() && (token.size() == 1 || token[0] != '0');
    if (!plain || index >= count) return std::nullopt;
    return index;
  }

  std::optional<Node> Resolve(std::string_view path) const {
    Node node = JsonTape::kRoot;
    while (!path.empty()) {
      if (path[0] != '/') return std::nullopt;
      const auto end = path.find('/', 1);
      const std::string_view token = path.substr(0, end);  // with its slash
      path.remove_prefix(token.size());
      const auto child = base_.at(node).kind == JsonTape::Kind::kArray ? Element(node, token.substr(1))
                                                                       : Member(node, token);
      if (!child) return std::nullopt;
      node = *child;
    }
    return node;
  }

  std::optional<Node> Element(Node list, std::string_view token) const {
    auto index = Index(token, base_.at(list).children);
    if (!index) return std::nullopt;
    Node element = JsonTape::First(list);
    for (; *index > 0; --*index) element = base_.Next(element);
    return element;
  }

  // The one member that is so called.
  std::optional<Node> Member(Node object, std::string_view token) const {
    if (base_.at(object).kind != JsonTape::Kind::kObject) return std::nullopt;
    // Only a name with escapes has a token with escapes.
    const bool plain = token.find_first_of("~\\") == std::string_view::npos;
    std::optional<Node> found;
    std::string spelled;
    for (Node member = JsonTape::First(object); member != base_.End(object); member = base_.Next(member)) {
      const std::string_view name = base_.Name(member);
      if (!plain) {
        spelled.clear();
        AppendToken(name, spelled);
      }
      if (plain ? name != token.substr(1) : spelled != token) continue;
      if (found) return std::nullopt;
      found = member;
    }
    return found;
  }

  // The bytes [at, end) of the base with their edits. False when one lies within another that leaves no room for it.
  bool Write(std::uint32_t at, std::uint32_t end, std::string& out) {
    const std::string_view text = base_.text();
    for (auto next = edits_.lower_bound(at); next != edits_.end() && next->first < end;
         next = edits_.lower_bound(at)) {
      const Edit& edit = next->second;
      out.append(text, at, next->first - at);
      at = base_.at(edit.node).end;
      if (edit.order.empty()) {
        out += edit.value;
        // Nothing else within what is no more.
        if (const auto inner = std::next(next); inner != edits_.end() && inner->first < at) return false;
      } else if (within_moved_ || !WriteMoved(edit, out)) {
        return false;
      }
    }
    out.append(text, at, end - at);
    return true;
  }

  bool WriteMoved(const Edit& edit, std::string& out) {
    within_moved_ = true;
    const auto elements = base_.Children(edit.node);
    std::uint32_t at = base_.at(edit.node).begin;
    for (std::size_t place = 0; place < elements.size(); ++place) {
      const JsonTape::Node& was = base_.at(elements[place]);
      const JsonTape::Node& is = base_.at(elements[edit.order[place]]);
      out.append(base_.text(), at, was.begin - at);
      if (!Write(is.begin, is.end, out)) return false;
      at = was.end;
    }
    out.append(base_.text(), at, base_.at(edit.node).end - at);
    within_moved_ = false;
    return true;
  }

  const JsonTape& base_;
  std::map<std::uint32_t, Edit> edits_;
  bool moved_ = false;         // a move has come: no more replaces
  bool within_moved_ = false;  // while writing: paths into a moved list are not the base's
};

}  // namespace

std::optional<std::string> MakeStatsPatch(std::string_view base, std::string_view body) {
  const auto base_tape = JsonTape::Parse(base), body_tape = JsonTape::Parse(body);
  if (!base_tape || !body_tape) return std::nullopt;
  auto patch = Differ(*base_tape, *body_tape).Run();
  if (!patch) return std::nullopt;
  const auto applied = Patcher(*base_tape).Run(*patch);
  if (!applied) return std::nullopt;
  if (*applied != body) {
    const auto is = HashContent(*applied), wanted = HashContent(body);
    if (!is || !wanted || *is != *wanted) return std::nullopt;
  }
  return patch;
}

Result<std::string> ApplyStatsPatch(std::string_view base, std::string_view patch) {
  const auto tape = JsonTape::Parse(base);
  if (!tape) return Fail(ErrorCode::kCorrupt, "stats patch: the body of its version is not JSON");
  return Patcher(*tape).Run(patch);
}

}  // namespace tmdbc

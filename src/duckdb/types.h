// SPDX-License-Identifier: MIT
// What of DuckDB's types the files of this folder share.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "duckdb/database.h"
#include "duckdb/functions.h"

namespace tmdbc::duckdb {

// Owns one of DuckDB's type descriptions.
class LogicalType {
 public:
  LogicalType(const Functions& functions, duckdb_logical_type type) : functions_(&functions), type_(type) {}
  LogicalType(LogicalType&& other) noexcept
      : functions_(other.functions_), type_(std::exchange(other.type_, nullptr)) {}
  LogicalType& operator=(LogicalType&&) = delete;
  ~LogicalType() {
    if (type_) functions_->destroy_logical_type(&type_);
  }
  duckdb_logical_type get() const { return type_; }
  duckdb_type id() const { return functions_->get_type_id(type_); }

 private:
  const Functions* functions_;
  duckdb_logical_type type_;
};

inline Type TypeOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return Type::kBoolean;
    case DUCKDB_TYPE_BIGINT:
      return Type::kBigint;
    case DUCKDB_TYPE_DOUBLE:
      return Type::kDouble;
    case DUCKDB_TYPE_DATE:
      return Type::kDate;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return Type::kTimestamp;
    case DUCKDB_TYPE_VARCHAR:
      return Type::kVarchar;
    default:
      return Type::kOther;
  }
}

// VARCHAR and BLOB. A view into the vector, or into `text` itself.
inline std::string_view TextOf(const duckdb_string_t& text) {
  const std::uint32_t length = text.value.inlined.length;
  return {length <= 12 ? text.value.inlined.inlined : text.value.pointer.ptr, length};
}

// A result that is open.
struct Rows::State {
  const Functions& functions;
  duckdb_result result{};
  duckdb_data_chunk chunk = nullptr;
  std::vector<LogicalType> types;

  explicit State(const Functions& f) : functions(f) {}
  State(const State&) = delete;
  ~State() {
    if (chunk) functions.destroy_data_chunk(&chunk);
    functions.destroy_result(&result);
  }
};

}  // namespace tmdbc::duckdb

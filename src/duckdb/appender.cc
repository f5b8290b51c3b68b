// SPDX-License-Identifier: MIT
#include "duckdb/appender.h"

#include <utility>

#include "duckdb/failure.h"
#include "duckdb/functions.h"
#include "duckdb/types.h"

namespace tmdbc::duckdb {

static_assert(sizeof(duckdb_string_t) == 16);

Result<Appender> Appender::Open(Connection& connection, const std::string& table) {
  const Functions& functions = *connection.functions_;
  duckdb_appender handle = nullptr;
  const auto state = functions.appender_create(static_cast<duckdb_connection>(connection.connection_),
                                               nullptr, table.c_str(), &handle);
  Appender appender(functions, handle, table);
  if (state != DuckDBSuccess) return appender.Fault("open");
  TRY(appender.MakeChunk());
  return appender;
}

Appender::Appender(const Functions& functions, void* appender, std::string table)
    : functions_(&functions),
      appender_(appender),
      table_(std::move(table)),
      capacity_(functions.vector_size()) {}

Appender::Appender(Appender&& other) noexcept
    : functions_(other.functions_),
      appender_(std::exchange(other.appender_, nullptr)),
      chunk_(std::exchange(other.chunk_, nullptr)),
      table_(std::move(other.table_)),
      columns_(std::move(other.columns_)),
      capacity_(other.capacity_),
      next_(other.next_),
      size_(other.size_),
      appended_(other.appended_) {}

Appender::~Appender() {
  auto chunk = static_cast<duckdb_data_chunk>(chunk_);
  if (chunk) functions_->destroy_data_chunk(&chunk);
  auto appender = static_cast<duckdb_appender>(appender_);
  if (appender) functions_->appender_destroy(&appender);
}

Result<void> Appender::MakeChunk() {
  const auto appender = static_cast<duckdb_appender>(appender_);
  const idx_t count = functions_->appender_column_count(appender);
  std::vector<LogicalType> types;
  std::vector<duckdb_logical_type> handles;
  for (idx_t i = 0; i < count; ++i) {
    types.emplace_back(*functions_, functions_->appender_column_type(appender, i));
    handles.push_back(types.back().get());
    if (TypeOf(types.back().id()) == Type::kOther)
      return Fail(ErrorCode::kInternal, "append to {}: column {} has a type of its own", table_, i);
  }
  chunk_ = functions_->create_data_chunk(handles.data(), count);
  columns_.resize(count);
  BeginChunk();
  return {};
}

void Appender::BeginChunk() {
  for (idx_t i = 0; i < columns_.size(); ++i) {
    const duckdb_vector vector = functions_->data_chunk_get_vector(static_cast<duckdb_data_chunk>(chunk_), i);
    columns_[i] = {vector, functions_->vector_get_data(vector), nullptr};
  }
  size_ = 0;
}

void Appender::MakeValidity(Column& column) {
  const auto vector = static_cast<duckdb_vector>(column.vector);
  functions_->vector_ensure_validity_writable(vector);
  column.validity = functions_->vector_get_validity(vector);
}

void Appender::PutLong(std::string_view text) {
  functions_->vector_assign_string_element_len(static_cast<duckdb_vector>(columns_[next_++].vector), size_,
                                               text.data(), text.size());
}

Result<void> Appender::AppendChunk() {
  const auto chunk = static_cast<duckdb_data_chunk>(chunk_);
  functions_->data_chunk_set_size(chunk, size_);
  if (functions_->append_data_chunk(static_cast<duckdb_appender>(appender_), chunk) != DuckDBSuccess)
    return Fault("append to");
  appended_ += size_;
  functions_->data_chunk_reset(chunk);
  BeginChunk();
  return {};
}

Result<void> Appender::Close() {
  if (next_ != 0) return WrongRow();
  if (size_ > 0) TRY(AppendChunk());
  if (functions_->appender_close(static_cast<duckdb_appender>(appender_)) != DuckDBSuccess)
    return Fault("append to");
  return {};
}

std::unexpected<Error> Appender::WrongRow() const {
  return Fail(ErrorCode::kInternal, "append to {}: a row of {} cells, and it has {} columns", table_, next_,
              columns_.size());
}

std::unexpected<Error> Appender::Fault(const char* act) const {
  const char* error =
      appender_ ? functions_->appender_error(static_cast<duckdb_appender>(appender_)) : nullptr;
  return Failed(fmt::format("{} table {}", act, table_), error ? error : "unknown error");
}

}  // namespace tmdbc::duckdb

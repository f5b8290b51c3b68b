// SPDX-License-Identifier: MIT
#include "duckdb/database.h"

#include <cmath>
#include <limits>
#include <utility>

#include "duckdb/failure.h"
#include "duckdb/functions.h"
#include "duckdb/types.h"

namespace tmdbc::duckdb {
namespace {

std::string Doubled(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted += quote;
}

class Config {
 public:
  explicit Config(const Functions& functions) : functions_(functions) { functions_.create_config(&config_); }
  Config(const Config&) = delete;
  ~Config() { functions_.destroy_config(&config_); }
  Result<void> Set(const char* name, const std::string& value) {
    if (functions_.set_config(config_, name, value.c_str()) == DuckDBSuccess) return {};
    return Fail(ErrorCode::kInternal, "open DuckDB: it knows no setting {}", name);
  }
  duckdb_config get() const { return config_; }

 private:
  const Functions& functions_;
  duckdb_config config_ = nullptr;
};

}  // namespace

std::string Quoted(std::string_view text) {
  return Doubled(text, '\'');
}
std::string QuotedName(std::string_view name) {
  return Doubled(name, '"');
}

Result<Database> Database::Open(const Library& library, const DatabaseOptions& options) {
  const Functions& functions = library.functions();
  Config config(functions);
  TRY(config.Set("threads", std::to_string(options.threads)));
  TRY(config.Set("memory_limit", fmt::format("{}B", options.memory_limit)));
  TRY(config.Set("temp_directory", options.temporary_folder));
  TRY(config.Set("preserve_insertion_order", options.keep_order ? "true" : "false"));
  TRY(config.Set("autoinstall_known_extensions", "false"));
  TRY(config.Set("autoload_known_extensions", "false"));
  TRY(config.Set("allow_persistent_secrets", "false"));
  duckdb_database database = nullptr;
  char* error = nullptr;
  if (functions.open_ext(options.path.empty() ? nullptr : options.path.c_str(), &database, config.get(),
                         &error) != DuckDBSuccess) {
    const std::string words = error ? error : "unknown error";
    if (error) functions.free(error);
    return Failed(fmt::format("open DuckDB{}{}", options.path.empty() ? "" : " ", options.path), words);
  }
  Database opened(functions, database);
  TRY_ASSIGN(Connection connection, opened.Connect());
  TRY(connection.Execute("SET GLOBAL TimeZone = 'UTC'"));
  return opened;
}

Database::Database(Database&& other) noexcept
    : functions_(other.functions_), database_(std::exchange(other.database_, nullptr)) {}
Database::~Database() {
  auto database = static_cast<duckdb_database>(database_);
  if (database) functions_->close(&database);
}

Result<Connection> Database::Connect() {
  duckdb_connection connection = nullptr;
  if (functions_->connect(static_cast<duckdb_database>(database_), &connection) != DuckDBSuccess)
    return Fail(ErrorCode::kInternal, "connect to DuckDB: it refused");
  return Connection(*functions_, connection);
}

Connection::Connection(Connection&& other) noexcept
    : functions_(other.functions_), connection_(std::exchange(other.connection_, nullptr)) {}
Connection::~Connection() {
  auto connection = static_cast<duckdb_connection>(connection_);
  if (connection) functions_->disconnect(&connection);
}

Result<void> Connection::Execute(const std::string& sql) {
  duckdb_result result;
  const auto state = functions_->query(static_cast<duckdb_connection>(connection_), sql.c_str(), &result);
  Result<void> outcome;
  if (state != DuckDBSuccess) {
    const char* error = functions_->result_error(&result);
    outcome = Failed("", error ? error : "unknown error");
  }
  functions_->destroy_result(&result);
  return outcome;
}

Result<Rows> Connection::Query(const std::string& sql) {
  TRY_ASSIGN(Statement statement, Prepare(sql));
  return statement.Run();
}

Result<std::int64_t> Connection::QueryNumber(const std::string& sql) {
  TRY_ASSIGN(Rows rows, Query(sql));
  std::vector<std::optional<std::int64_t>> numbers;
  for (;;) {
    TRY_ASSIGN(const bool some, rows.Next());
    if (!some || numbers.size() > 1) break;
    for (std::size_t row = 0; row < rows.size(); ++row) numbers.push_back(rows.WholeNumber(0, row));
  }
  if (numbers.size() != 1 || !numbers[0] || rows.columns().size() != 1)
    return Fail(ErrorCode::kInternal, "not one whole number: {}", sql);
  return *numbers[0];
}

Result<Statement> Connection::Prepare(const std::string& sql) {
  duckdb_extracted_statements extracted = nullptr;
  const auto connection = static_cast<duckdb_connection>(connection_);
  const idx_t count = functions_->extract_statements(connection, sql.c_str(), &extracted);
  Result<void> fault;
  duckdb_prepared_statement prepared = nullptr;
  if (count == 0) {
    const char* error = functions_->extract_statements_error(extracted);
    fault = error && *error ? Failed("", error) : Fail(ErrorCode::kInvalid, "there is no statement");
  } else if (count > 1) {
    fault = Fail(ErrorCode::kInvalid, "there are {} statements: one is allowed", count);
  } else if (functions_->prepare_extracted_statement(connection, extracted, 0, &prepared) != DuckDBSuccess) {
    const char* error = functions_->prepare_error(prepared);
    fault = Failed("", error ? error : "unknown error");
  }
  functions_->destroy_extracted(&extracted);
  Statement statement(*functions_, prepared);  // also one that failed must be destroyed
  if (!fault) return std::unexpected(fault.error());
  return statement;
}

void Connection::Interrupt() const {
  functions_->interrupt(static_cast<duckdb_connection>(connection_));
}

Statement::Statement(Statement&& other) noexcept
    : functions_(other.functions_), statement_(std::exchange(other.statement_, nullptr)) {}
Statement::~Statement() {
  auto statement = static_cast<duckdb_prepared_statement>(statement_);
  if (statement) functions_->destroy_prepare(&statement);
}

bool Statement::IsSelect() const {
  return functions_->prepared_statement_type(static_cast<duckdb_prepared_statement>(statement_)) ==
         DUCKDB_STATEMENT_TYPE_SELECT;
}

Result<Rows> Statement::Run() {
  duckdb_pending_result pending = nullptr;
  auto state = std::make_unique<Rows::State>(*functions_);
  Result<void> outcome;
  if (functions_->pending_prepared_streaming(static_cast<duckdb_prepared_statement>(statement_), &pending) !=
      DuckDBSuccess) {
    const char* error = functions_->pending_error(pending);
    outcome = Failed("", error ? error : "unknown error");
  } else if (functions_->execute_pending(pending, &state->result) != DuckDBSuccess) {
    const char* error = functions_->result_error(&state->result);
    outcome = Failed("", error ? error : "unknown error");
  }
  functions_->destroy_pending(&pending);
  if (!outcome) return std::unexpected(outcome.error());
  return Rows(*functions_, std::move(state));
}

Rows::Rows(const Functions& functions, std::unique_ptr<State> state)
    : functions_(&functions), state_(std::move(state)) {
  const idx_t count = functions.column_count(&state_->result);
  for (idx_t i = 0; i < count; ++i) {
    state_->types.emplace_back(functions, functions.column_logical_type(&state_->result, i));
    columns_.push_back({functions.column_name(&state_->result, i), TypeOf(state_->types.back().id())});
  }
  vectors_.resize(count);
}
Rows::Rows(Rows&& other) noexcept = default;
Rows::~Rows() = default;

Result<bool> Rows::Next() {
  size_ = 0;
  if (state_->chunk) functions_->destroy_data_chunk(&state_->chunk);
  state_->chunk = functions_->fetch_chunk(state_->result);
  if (!state_->chunk) {
    const char* error = functions_->result_error(&state_->result);
    if (error && *error) return Failed("", error);
    return false;
  }
  size_ = functions_->data_chunk_get_size(state_->chunk);
  if (size_ == 0) return false;
  for (idx_t i = 0; i < vectors_.size(); ++i) {
    const duckdb_vector vector = functions_->data_chunk_get_vector(state_->chunk, i);
    vectors_[i] = {vector, functions_->vector_get_data(vector), functions_->vector_get_validity(vector)};
  }
  return true;
}

bool Rows::IsNull(std::size_t column, std::size_t row) const {
  const std::uint64_t* validity = vectors_[column].validity;
  return validity && !(validity[row / 64] >> (row % 64) & 1);
}
bool Rows::Boolean(std::size_t column, std::size_t row) const {
  return !IsNull(column, row) && static_cast<const bool*>(vectors_[column].data)[row];
}
std::int64_t Rows::Bigint(std::size_t column, std::size_t row) const {
  return IsNull(column, row) ? 0 : static_cast<const std::int64_t*>(vectors_[column].data)[row];
}
double Rows::Double(std::size_t column, std::size_t row) const {
  return IsNull(column, row) ? 0 : static_cast<const double*>(vectors_[column].data)[row];
}
std::int32_t Rows::Date(std::size_t column, std::size_t row) const {
  return IsNull(column, row) ? 0 : static_cast<const std::int32_t*>(vectors_[column].data)[row];
}
std::int64_t Rows::Timestamp(std::size_t column, std::size_t row) const {
  return Bigint(column, row);
}
std::string_view Rows::Varchar(std::size_t column, std::size_t row) const {
  if (IsNull(column, row)) return {};
  return TextOf(static_cast<const duckdb_string_t*>(vectors_[column].data)[row]);
}

std::optional<std::int64_t> Rows::WholeNumber(std::size_t column, std::size_t row) const {
  if (IsNull(column, row)) return std::nullopt;
  const void* data = vectors_[column].data;
  switch (state_->types[column].id()) {
    case DUCKDB_TYPE_BOOLEAN:
      return static_cast<const bool*>(data)[row];
    case DUCKDB_TYPE_TINYINT:
      return static_cast<const std::int8_t*>(data)[row];
    case DUCKDB_TYPE_SMALLINT:
      return static_cast<const std::int16_t*>(data)[row];
    case DUCKDB_TYPE_INTEGER:
      return static_cast<const std::int32_t*>(data)[row];
    case DUCKDB_TYPE_BIGINT:
      return static_cast<const std::int64_t*>(data)[row];
    case DUCKDB_TYPE_UTINYINT:
      return static_cast<const std::uint8_t*>(data)[row];
    case DUCKDB_TYPE_USMALLINT:
      return static_cast<const std::uint16_t*>(data)[row];
    case DUCKDB_TYPE_UINTEGER:
      return static_cast<const std::uint32_t*>(data)[row];
    case DUCKDB_TYPE_UBIGINT: {
      const auto value = static_cast<const std::uint64_t*>(data)[row];
      if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    case DUCKDB_TYPE_HUGEINT: {
      const auto value = static_cast<const duckdb_hugeint*>(data)[row];
      const auto low = static_cast<std::int64_t>(value.lower);
      if (value.upper != (low < 0 ? -1 : 0)) return std::nullopt;
      return low;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace tmdbc::duckdb

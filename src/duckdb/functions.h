// SPDX-License-Identifier: MIT
// Functions: DuckDB's C API as a table of pointers, typed by the header in third_party/duckdb. For the files of this
// folder alone: nothing outside of it sees duckdb.h.
#pragma once

#include <duckdb.h>

namespace tmdbc::duckdb {

// The functions by their names without "duckdb_". All are in 1.4.4 and in 1.5.6.
// clang-format off
#define TMDBC_DUCKDB_FUNCTIONS(X)                                                                             \
  X(library_version) X(free) X(create_config) X(set_config) X(destroy_config) X(open_ext) X(close)            \
  X(connect) X(disconnect) X(interrupt) X(query) X(destroy_result) X(result_error) X(column_count)            \
  X(column_name) X(column_logical_type) X(fetch_chunk) X(extract_statements) X(extract_statements_error)      \
  X(destroy_extracted) X(prepare_extracted_statement) X(prepare_error) X(prepared_statement_type)             \
  X(destroy_prepare) X(pending_prepared_streaming) X(pending_error) X(execute_pending) X(destroy_pending)     \
  X(create_data_chunk) X(data_chunk_reset) X(destroy_data_chunk) X(data_chunk_get_size)                       \
  X(data_chunk_set_size) X(data_chunk_get_vector) X(vector_size) X(vector_get_data)                           \
  X(vector_get_validity) X(vector_ensure_validity_writable) X(vector_assign_string_element_len)               \
  X(list_vector_get_child) X(struct_vector_get_child) X(array_vector_get_child) X(get_type_id)                \
  X(destroy_logical_type) X(decimal_scale) X(decimal_internal_type) X(enum_internal_type)                     \
  X(enum_dictionary_size) X(enum_dictionary_value) X(list_type_child_type) X(array_type_child_type)           \
  X(array_type_array_size) X(struct_type_child_count) X(struct_type_child_name) X(struct_type_child_type)     \
  X(appender_create) X(appender_column_count) X(appender_column_type) X(append_data_chunk)                    \
  X(appender_close) X(appender_destroy) X(appender_error) X(union_type_member_count)                          \
  X(union_type_member_type)
// clang-format on

struct Functions {
#define TMDBC_DUCKDB_MEMBER(name) decltype(&::duckdb_##name) name = nullptr;
  TMDBC_DUCKDB_FUNCTIONS(TMDBC_DUCKDB_MEMBER)
#undef TMDBC_DUCKDB_MEMBER
};

}  // namespace tmdbc::duckdb

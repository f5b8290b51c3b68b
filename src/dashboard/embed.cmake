# SPDX-License-Identifier: MIT
# cmake -DWEB=web -DOUT=assets_data.cc -P embed.cmake: the files of WEB as C++, each compressed by gzip(1).
file(GLOB files RELATIVE ${WEB} ${WEB}/*.html ${WEB}/*.css ${WEB}/*.js ${WEB}/*.svg)
list(SORT files)
set(arrays "")
set(rows "")
set(index 0)
foreach(file ${files})
  execute_process(COMMAND gzip -9nc ${WEB}/${file} OUTPUT_FILE ${OUT}.gz RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "gzip could not compress ${WEB}/${file}")
  endif()
  file(READ ${OUT}.gz hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND arrays "constexpr char kFile${index}[] = {\n${bytes}};\n")
  string(APPEND rows "    Asset{\"/${file}\", {kFile${index}, sizeof(kFile${index})}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(REMOVE ${OUT}.gz)
file(WRITE ${OUT} "// Made by src/dashboard/embed.cmake out of web/.\n#include \"dashboard/assets.h\"\n
namespace tmdbc::dashboard {\nnamespace {\n${arrays}
constexpr Asset kAssets[] = {\n${rows}};\n}  // namespace\n
std::span<const Asset> Assets() { return kAssets; }\n}  // namespace tmdbc::dashboard\n")

# ESP-IDF reads CMakeLists.txt of a component once without building, to learn what it requires: then registering returns from
# the file. cmake -DTHRUM=FOLDER -P
set(ESP_PLATFORM 1)
macro(idf_component_register)
  set(words ${ARGN})
  list(LENGTH words count)
  message("registered with ${count} words")
  return()
endmacro()
include(${THRUM}/CMakeLists.txt)

# The sources by folder, for CMakeLists.txt and zephyr/CMakeLists.txt. A folder is taken whole, but for ports: of those a
# program takes one, THRUM_PORT_FOLDER/port_NAME.c.
get_filename_component(THRUM_ROOT "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

# thrum_sources(VARIABLE FOLDER...): the C files of folders of lib/.
function(thrum_sources variable)
  set(found)
  foreach(folder ${ARGN})
    file(GLOB here "${THRUM_ROOT}/lib/${folder}/*.c")
    list(APPEND found ${here})
  endforeach()
  list(FILTER found EXCLUDE REGEX "/port_[^/]*$")
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# What runs without an operating system, and what needs one.
set(THRUM_PORT_FOLDER "${THRUM_ROOT}/lib/loop/bare")
thrum_sources(THRUM_FIRMWARE_SOURCES core sync debug loop/bare net/bare)
thrum_sources(THRUM_HOST_SOURCES core sync debug loop threads net net/tls os)

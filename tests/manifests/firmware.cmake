# A toolchain without an operating system, for CMake: -DPREFIX=arm-none-eabi- -DMACHINE=-mcpu=cortex-m0...
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PREFIX MACHINE)
set(CMAKE_C_COMPILER ${PREFIX}gcc)
separate_arguments(machine UNIX_COMMAND "${MACHINE}")
add_compile_options(${machine} -O0 -Wall -Wextra -Wconversion -Werror)

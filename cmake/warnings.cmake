# SPDX-License-Identifier: MIT
# hv_warnings: link it (PRIVATE) to every target of our own.
add_library(hv_warnings INTERFACE)
target_compile_options(hv_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum
    $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
    $<$<BOOL:${HV_WERROR}>:-Werror>)

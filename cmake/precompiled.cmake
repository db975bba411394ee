# SPDX-License-Identifier: MIT
# What most files of the daemon and of hvctl include, parsed once: in the instrumented trees, whose
# clang then takes a third less for a file. Not with gcc, which gains little from it, and not
# behind ccache, which keeps no object that was made so.
function(hv_precompile first)    # and those that are compiled with the same options
    if(NOT instrument OR "${CMAKE_CXX_COMPILER_LAUNCHER}" MATCHES "ccache")
        return()
    endif()
    target_precompile_headers(${first} PRIVATE <algorithm> <array> <filesystem> <fstream> <map>
                              <nlohmann/json.hpp> <optional> <string> <string_view> <vector>)
    foreach(target ${ARGN})
        target_precompile_headers(${target} REUSE_FROM ${first})
    endforeach()
endfunction()

# In those trees no fuzz target runs these, and tests only for moments: not optimised they are
# compiled in less than half the time.
function(hv_leave_as_written)
    if(instrument)
        foreach(target ${ARGN})
            target_compile_options(${target} PRIVATE -O0)
        endforeach()
    endif()
endfunction()

# SPDX-License-Identifier: MIT
# Man pages and shell completion, which hvctl writes itself from its definition of the verbs.
if(NOT TARGET hvctl OR instrument)
    return()
endif()
set(man ${PROJECT_BINARY_DIR}/man)
set(completion ${PROJECT_BINARY_DIR}/completion)
add_custom_command(OUTPUT ${man}/hvctl.1
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${man}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${man}
    COMMAND hvctl generate man --out ${man}
    DEPENDS hvctl
    COMMENT "Man pages")
add_custom_command(OUTPUT ${completion}/hvctl.bash ${completion}/hvctl.zsh
                          ${completion}/hvctl.fish ${completion}/hv-run.bash
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completion}
    COMMAND hvctl generate completion bash > ${completion}/hvctl.bash
    COMMAND hvctl generate completion zsh > ${completion}/hvctl.zsh
    COMMAND hvctl generate completion fish > ${completion}/hvctl.fish
    COMMAND hvctl generate completion bash hv-run > ${completion}/hv-run.bash
    COMMAND hvctl generate completion zsh hv-run > ${completion}/hv-run.zsh
    COMMAND hvctl generate completion fish hv-run > ${completion}/hv-run.fish
    DEPENDS hvctl
    COMMENT "Shell completion")
add_custom_target(documents ALL
    DEPENDS ${man}/hvctl.1 ${completion}/hvctl.bash ${completion}/hvctl.zsh
            ${completion}/hvctl.fish ${completion}/hv-run.bash)

// SPDX-License-Identifier: MIT
// What shells need to complete hv-run: its options, then whatever its program wants.
#include "cli/run.hpp"
#include "daemon/hvrun/options.hpp"

namespace hv::cli {
namespace {

std::string options() {
    std::string out;
    for (auto const& each : hvrun::option_texts) {
        out += (out.empty() ? "--" : " --") + std::string{each.name};
    }
    return out;
}

/// Up to PROGRAM; behind it, bash-completion knows what to do.
std::string bash() {
    return "_hv_run() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "        --node) ((i++)) ;;\n"
           "        -*) ;;\n"
           "        *) _command_offset $i 2>/dev/null; return ;;\n"
           "        esac\n"
           "    done\n"
           "    case ${COMP_WORDS[COMP_CWORD-1]}:$word in\n"
           "    --node:*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
           "    *:-*) COMPREPLY=($(compgen -W '" +
           options() +
           "' -- \"$word\")) ;;\n"
           "    *) COMPREPLY=($(compgen -c -- \"$word\")) ;;\n"
           "    esac\n"
           "}\n"
           "complete -o filenames -F _hv_run hv-run\n";
}

std::string zsh() {
    std::string out = "#compdef hv-run\n_arguments -S";
    for (auto const& each : hvrun::option_texts) {
        out += std::string{" \\\n    '--"} + each.name + "[" + each.help + "]";
        out += *each.argument != '\0' ? ":" + std::string{each.argument} + ":_files'" : "'";
    }
    return out + " \\\n    '(-):program:_command_names -e' '*::argument:_normal'\n";
}

std::string fish() {
    std::string out = "complete -c hv-run -x -a '(__fish_complete_subcommand)'\n";
    for (auto const& each : hvrun::option_texts) {
        out += std::string{"complete -c hv-run -l "} + each.name + " -d '" + each.help + "'";
        out += *each.argument != '\0' ? " -r -F\n" : "\n";
    }
    return out;
}

}

std::string hv_run_completion(std::string const& shell) {
    return shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
}

}

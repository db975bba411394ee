// SPDX-License-Identifier: MIT
#include "daemon/hvrun/options.hpp"

#include <cerrno>
#include <cstring>

namespace hv::hvrun {
namespace {

constexpr std::size_t help_column = 16;

failure not_understood(std::string const& what) { return failure{what + ": see hv-run --help"}; }

}

failure system_failure(std::string const& what, std::string const& advice) {
    auto const reason = what + ": " + std::strerror(errno);
    return failure{advice.empty() ? reason : reason + ": " + advice};
}

options parse_options(int count, char** words) {
    options out;
    int at = 1;
    for (; at < count && words[at][0] == '-'; ++at) {
        std::string const word = words[at];
        if (word == "--") {
            ++at;
            break;
        }
        if (word == "--help" || word == "-h") {
            out.help = true;
        } else if (word == "--version") {
            out.version = true;
        } else if (word.starts_with("--node=")) {
            out.node = word.substr(word.find('=') + 1);
        } else if (word == "--node") {
            if (++at == count) throw not_understood("--node FILE: FILE is missing");
            out.node = words[at];
        } else {
            throw not_understood("\"" + word + "\" is no option");
        }
    }
    out.program = words + at;
    if (at >= count && !out.help && !out.version) throw not_understood("PROGRAM is missing");
    return out;
}

std::string help_text() {
    auto out = std::string{"hv-run [OPTION]... PROGRAM [ARGUMENT]...\n"} + program_summary +
               ".\n\n";
    for (auto const& each : option_texts) {
        auto name = std::string{"  --"} + each.name;
        if (*each.argument != '\0') name += std::string{" "} + each.argument;
        name.resize(std::max(name.size() + 1, help_column), ' ');
        out += name + each.help + "\n";
    }
    out += "\nexit status: PROGRAM's own, or\n";
    for (auto const& each : exit_texts) {
        out += "  " + std::to_string(each.status) + "  " + each.meaning + "\n";
    }
    return out + "\nexample: hv-run qemu-system-x86_64 -accel kvm -cpu host disk.img\n";
}

}

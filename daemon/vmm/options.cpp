// SPDX-License-Identifier: MIT
#include "daemon/vmm/options.hpp"

#include <cstring>
#include <vector>

#include <getopt.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/size.hpp"

namespace hv::vmm {
namespace {

unsigned read_cpus(char const* text) {
    auto const count = parse_count(text);
    if (!count || *count < 1 || *count > most_cpus) {
        throw failure{std::string{"--cpus "} + text + ": expected 1 to " +
                      std::to_string(most_cpus)};
    }
    return static_cast<unsigned>(*count);
}

std::uint64_t read_memory(char const* text) {
    auto const bytes = parse_size(text);
    if (!bytes || *bytes < least_memory || *bytes > most_memory || *bytes % mib != 0) {
        throw failure{std::string{"--memory "} + text +
                      ": expected whole MiB, 16M to 1024G, such as 256M"};
    }
    return *bytes;
}

void take(options& into, option_id which, char const* text) {
    switch (which) {
    case option_id::name:         into.name = text; break;
    case option_id::node:         into.node = text; break;
    case option_id::kernel:       into.kernel = text; break;
    case option_id::initrd:       into.initrd = text; break;
    case option_id::command_line: into.command_line = text; break;
    case option_id::cpus:         into.cpus = read_cpus(text); break;
    case option_id::memory:       into.memory_bytes = read_memory(text); break;
    case option_id::console:      into.console = text; break;
    case option_id::control:      into.control = text; break;
    case option_id::report:       into.report = text; break;
    case option_id::help:         into.help = true; break;
    case option_id::version:      into.version = true; break;
    }
}

}

options parse_options(int count, char** words) {
    std::vector<option> known;
    for (auto const& each : option_texts) {
        known.push_back({each.name, *each.argument != '\0' ? required_argument : no_argument,
                         nullptr, static_cast<int>(each.id)});
    }
    known.push_back({nullptr, 0, nullptr, 0});
    options out;
    opterr = 0;
    optind = 0;    // 0 and not 1: glibc forgets an earlier round only then
    for (int got = 0; (got = getopt_long(count, words, "", known.data(), nullptr)) != -1;) {
        if (got == '?') throw failure{"arguments not understood: see hv-vmm --help"};
        take(out, static_cast<option_id>(got), optarg);
    }
    if (optind < count) {
        throw failure{std::string{"\""} + words[optind] + "\" is no option: see hv-vmm --help"};
    }
    if (!out.help && !out.version && out.kernel.empty()) {
        throw failure{"--kernel FILE is missing: see hv-vmm --help"};
    }
    return out;
}

std::string help_text() {
    auto out = std::string{"hv-vmm --kernel FILE [OPTION]...\n"} + program_summary + ".\n\n";
    for (auto const& each : option_texts) {
        auto name = std::string{"  --"} + each.name;
        if (*each.argument != '\0') name += std::string{" "} + each.argument;
        name.resize(std::max<std::size_t>(name.size() + 1, 24), ' ');
        out += name + each.help + "\n";
    }
    return out + "\n" + descriptor_text + "\nSee hv-vmm(1) and hvctl(1).\n";
}

}

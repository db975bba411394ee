// SPDX-License-Identifier: MIT
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <getopt.h>
#include <unistd.h>

#include "daemon/api/configuration.hpp"
#include "daemon/hvd_options.hpp"
#include "daemon/run.hpp"
#include "daemon/service/notice.hpp"
#include "daemon/vm/launcher.hpp"

namespace {

constexpr char const* default_config = "/etc/hv/hvd.json";

struct arguments {
    std::string config;
    bool check = false;
    bool help = false;
    bool version = false;
    bool wrong = false;
};

void print_help() {
    std::printf("hvd [OPTION]...\n%s.\n\n", hv::hvd_summary);
    for (auto const& each : hv::hvd_options) {
        auto const name = std::string{"--"} + each.name + (*each.argument != '\0' ? " " : "") +
                          each.argument;
        std::printf("  %-16s %s\n", name.c_str(), each.help);
    }
    std::puts("\nRuns in the foreground until SIGTERM. See hvd(8) and hvctl(1).");
}

arguments parse(int count, char** words) {
    std::vector<option> options;
    for (auto const& each : hv::hvd_options) {
        options.push_back({each.name, *each.argument != '\0' ? required_argument : no_argument,
                           nullptr, static_cast<int>(each.id)});
    }
    options.push_back({nullptr, 0, nullptr, 0});
    arguments out;
    opterr = 0;
    for (int got = 0; (got = getopt_long(count, words, "", options.data(), nullptr)) != -1;) {
        out.wrong = out.wrong || got == '?';
        out.check = out.check || got == static_cast<int>(hv::hvd_option_id::check);
        out.help = out.help || got == static_cast<int>(hv::hvd_option_id::help);
        out.version = out.version || got == static_cast<int>(hv::hvd_option_id::version);
        if (got == static_cast<int>(hv::hvd_option_id::config)) out.config = optarg;
    }
    out.wrong = out.wrong || optind < count;
    return out;
}

/// The named file must be there; without a name, what is missing is taken as the defaults.
hv::configuration configure(std::string const& path) {
    if (!path.empty()) return hv::read_configuration(path);
    if (access(default_config, F_OK) != 0) return {};
    return hv::read_configuration(default_config);
}

}

int main(int count, char** words) {
    if (count == 1 && std::string_view{words[0]} == hv::launcher_name) {
        hv::serve_launches(hv::launcher_socket);
        return 0;
    }
    try {
        auto const given = parse(count, words);
        if (given.wrong) {
            hv::notice("arguments not understood: see hvd --help");
            return 2;
        }
        if (given.help) print_help();
        if (given.version) std::puts("hvd " HV_VERSION);
        if (given.help || given.version) return 0;
        auto const config = configure(given.config);
        return given.check ? hv::check_policies(config) : hv::run_daemon(config);
    } catch (std::exception const& error) {
        hv::notice(error.what());
        return 1;
    }
}

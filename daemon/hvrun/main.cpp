// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include <unistd.h>

#include "daemon/hvrun/options.hpp"
#include "daemon/hvrun/place.hpp"

namespace {

void complain(std::string const& what) { std::fprintf(stderr, "hv-run: %s\n", what.c_str()); }

}

int main(int count, char** words) {
    using namespace hv::hvrun;
    try {
        auto const given = parse_options(count, words);
        if (given.help) std::fputs(help_text().c_str(), stdout);
        if (given.version) std::puts("hv-run " HV_VERSION);
        if (given.help || given.version) return 0;
        check_node(given.node);
        put_in_place(given.node);
        execvp(given.program[0], given.program);
        int const reason = errno;
        complain(std::string{given.program[0]} + ": " + std::strerror(reason));
        return reason == ENOENT ? not_found : not_executable;
    } catch (std::exception const& error) {
        complain(error.what());
        return failed;
    }
}

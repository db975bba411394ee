// SPDX-License-Identifier: MIT
#include <csignal>
#include <cstdlib>

#include <unistd.h>

#include "cli/parser.hpp"
#include "daemon/device/netlink_device.hpp"

int main(int count, char** words) {
    using namespace hv::cli;
    std::signal(SIGPIPE, SIG_DFL);
    context with;
    with.terminal = isatty(STDOUT_FILENO) == 1;
    char const* const plain = std::getenv("NO_COLOR");
    with.colour = with.terminal && (plain == nullptr || *plain == '\0');
    if (char const* const path = std::getenv("HVD_SOCKET")) with.socket = path;
    with.open_device = [] { return std::make_unique<hv::netlink_device>(); };
    int const status = run(with, {words + 1, words + count});
    // Output that could not be written is a failure too.
    if (std::fflush(stdout) != 0 && status == done) {
        with.remark("cannot write the output");
        return refused;
    }
    return status;
}

// SPDX-License-Identifier: MIT
#include "daemon/api/state_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace hv {

std::string read_state_file(std::string const& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void write_state_file(std::string const& path, std::string const& text) {
    auto const fresh = path + ".new";
    auto const fail = [&] {
        throw std::system_error{errno, std::generic_category(), "cannot write " + path};
    };
    int const file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                          0600);
    if (file < 0) fail();
    auto const written = write(file, text.data(), text.size());
    bool const whole = written == static_cast<ssize_t>(text.size());
    if (written >= 0 && !whole) errno = ENOSPC;
    int const reason = errno;
    close(file);
    errno = reason;
    if (!whole || std::rename(fresh.c_str(), path.c_str()) != 0) fail();
}

}

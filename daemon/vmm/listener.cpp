// SPDX-License-Identifier: MIT
#include "daemon/vmm/listener.hpp"

#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/vmm/failure.hpp"
#include "daemon/vmm/input_file.hpp"

namespace hv::vmm {
namespace {

constexpr int waiting_clients = 8;

sockaddr_un address_of(std::string const& path) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(out.sun_path)) {
        throw failure{"\"" + path + "\" cannot be a socket: 1 to 107 bytes can"};
    }
    std::memcpy(out.sun_path, path.data(), path.size());
    return out;
}

descriptor make_socket() {
    descriptor out{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!out) throw system_failure("no socket");
    return out;
}

}

descriptor listen_at(std::string const& where) {
    if (auto const given = read_inherited(where)) return descriptor{given->number};
    auto const address = address_of(where);
    auto const* const raw = reinterpret_cast<sockaddr const*>(&address);
    if (connect(make_socket().get(), raw, sizeof(address)) == 0) {
        throw failure{where + " is taken: another VM listens there"};
    }
    struct stat found{};
    bool const left_over = lstat(where.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
    if (left_over) unlink(where.c_str());
    auto out = make_socket();
    auto const mask = umask(0177);
    bool const bound = bind(out.get(), raw, sizeof(address)) == 0;
    umask(mask);
    if (!bound || listen(out.get(), waiting_clients) != 0) {
        throw system_failure("cannot listen at " + where);
    }
    return out;
}

descriptor accept_at(descriptor const& listener) {
    return descriptor{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
}

}

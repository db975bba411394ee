// SPDX-License-Identifier: MIT
#include "daemon/api/peer.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include <grp.h>
#include <sys/socket.h>

namespace hv {
namespace {

std::vector<gid_t> groups_of(int socket) {
    std::vector<gid_t> groups(64);
    for (int tries = 0; tries < 2; ++tries) {
        auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        bool const fits = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) == 0;
        if (!fits && errno != ERANGE) return {};
        groups.resize(bytes / sizeof(gid_t));
        if (fits) return groups;
    }
    return {};
}

}

peer identify_peer(int socket, std::optional<gid_t> readers) {
    ucred who{};
    socklen_t bytes = sizeof(who);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &bytes) != 0) {
        throw std::system_error{errno, std::generic_category(), "SO_PEERCRED"};
    }
    peer out{.pid = who.pid, .uid = who.uid, .may_read = who.uid == 0, .may_change = who.uid == 0};
    if (!out.may_read && readers) {
        auto const groups = groups_of(socket);
        out.may_read = who.gid == *readers ||
                       std::find(groups.begin(), groups.end(), *readers) != groups.end();
    }
    return out;
}

std::optional<gid_t> group_number(std::string const& name) {
    std::vector<char> buffer(16384);
    group entry{};
    group* found = nullptr;
    getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return found == nullptr ? std::nullopt : std::optional{found->gr_gid};
}

}

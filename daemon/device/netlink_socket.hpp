// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

struct nl_sock;
struct nl_msg;

namespace hv {

/// A generic netlink socket of libnl; errors are thrown as device_error.
class netlink_socket {
public:
    netlink_socket();

    /// Number of a family or of one of its groups; 0 when the kernel has none of that name.
    int resolve(char const* family);
    int resolve_group(char const* family, char const* group);

    void set_option(int option, int value);
    /// Asks for a receive buffer; beyond the system's limit only where the caller may.
    void set_receive_buffer(int bytes);
    void set_send_buffer(int bytes);
    void set_receive_timeout(int seconds);
    void set_nonblocking();
    void join_group(int group);
    void leave_group(int group);

    /// Sends; gives the sequence number.
    std::uint32_t send(nl_msg* message);
    /// One datagram from the kernel, nothing when none came in time. Throws ENOBUFS on an overrun.
    std::optional<std::vector<std::byte>> receive();
    int descriptor() const;

private:
    struct closer {
        void operator()(nl_sock* socket) const;
    };
    std::unique_ptr<nl_sock, closer> socket_;
};

}

// SPDX-License-Identifier: MIT
#include "daemon/device/netlink_socket.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "daemon/device/device_error.hpp"

namespace hv {
namespace {

[[noreturn]] void fail(int code, char const* what) {
    throw device_error{code, std::string{"netlink: "} + what + ": " + std::strerror(code)};
}

}

void netlink_socket::closer::operator()(nl_sock* socket) const { nl_socket_free(socket); }

netlink_socket::netlink_socket() : socket_{nl_socket_alloc()} {
    if (!socket_) fail(ENOMEM, "no socket");
    if (int const error = genl_connect(socket_.get()); error != 0) {
        throw device_error{EIO, std::string{"netlink: cannot connect: "} + nl_geterror(error)};
    }
    // Answers can be longer than libnl's fixed buffer: ask for the length of each first.
    nl_socket_enable_msg_peek(socket_.get());
    set_option(NETLINK_EXT_ACK, 1);
    set_option(NETLINK_CAP_ACK, 1);
}

int netlink_socket::resolve(char const* family) {
    return std::max(genl_ctrl_resolve(socket_.get(), family), 0);
}

int netlink_socket::resolve_group(char const* family, char const* group) {
    return std::max(genl_ctrl_resolve_grp(socket_.get(), family, group), 0);
}

void netlink_socket::set_option(int option, int value) {
    if (setsockopt(descriptor(), SOL_NETLINK, option, &value, sizeof(value)) != 0) {
        fail(errno, "cannot set an option");
    }
}

void netlink_socket::set_receive_buffer(int bytes) {
    if (setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0) return;
    if (setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0) {
        fail(errno, "cannot set the buffer size");
    }
}

void netlink_socket::set_send_buffer(int bytes) {
    if (setsockopt(descriptor(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) != 0) {
        fail(errno, "cannot set the buffer size");
    }
}

void netlink_socket::set_receive_timeout(int seconds) {
    timeval const limit{.tv_sec = seconds, .tv_usec = 0};
    if (setsockopt(descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
        fail(errno, "cannot set a time limit");
    }
}

void netlink_socket::set_nonblocking() { nl_socket_set_nonblocking(socket_.get()); }

void netlink_socket::join_group(int group) {
    if (int const error = nl_socket_add_membership(socket_.get(), group); error != 0) {
        throw device_error{EPERM,
                           std::string{"netlink: cannot join a group: "} + nl_geterror(error)};
    }
}

void netlink_socket::leave_group(int group) { nl_socket_drop_membership(socket_.get(), group); }

std::uint32_t netlink_socket::send(nl_msg* message) {
    nl_complete_msg(socket_.get(), message);
    if (int const sent = nl_send(socket_.get(), message); sent < 0) {
        throw device_error{EIO, std::string{"netlink: cannot send: "} + nl_geterror(sent)};
    }
    return nlmsg_hdr(message)->nlmsg_seq;
}

std::optional<std::vector<std::byte>> netlink_socket::receive() {
    sockaddr_nl from{};
    unsigned char* buffer = nullptr;
    int const bytes = nl_recv(socket_.get(), &from, &buffer, nullptr);
    std::unique_ptr<unsigned char, void (*)(void*)> const owner{buffer, std::free};
    if (bytes == -NLE_AGAIN || bytes == -NLE_INTR) return std::nullopt;
    // libnl 3.7 maps ENOBUFS to NLE_NOMEM.
    if (bytes == -NLE_NOMEM) fail(ENOBUFS, "messages were lost");
    if (bytes < 0) throw device_error{EIO, std::string{"netlink: "} + nl_geterror(bytes)};
    std::vector<std::byte> datagram(static_cast<std::size_t>(bytes));
    // Another process can send here too: what it says is not the kernel's word.
    if (from.nl_pid != 0) return std::vector<std::byte>{};
    if (bytes > 0) std::memcpy(datagram.data(), buffer, datagram.size());
    return datagram;
}

int netlink_socket::descriptor() const { return nl_socket_get_fd(socket_.get()); }

}

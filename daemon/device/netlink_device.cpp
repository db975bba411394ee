// SPDX-License-Identifier: MIT
#include "daemon/device/netlink_device.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "daemon/device/decode.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/device/message.hpp"
#include "kmod/abi/netlink.h"

namespace hv {
namespace {

constexpr int answer_seconds = 60;
// What the kernel counts for the longest message, a full set of rules, and for what waits beside
// it: libnl asks for 32 KiB. Nobody needs a privilege for as much.
constexpr int buffer_bytes = 208 << 10;
constexpr std::size_t header_bytes = 256;

struct message_freer {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using message_ptr = std::unique_ptr<nl_msg, message_freer>;

message_ptr new_message(int family, std::uint8_t command, std::size_t bytes) {
    message_ptr message{nlmsg_alloc_size(header_bytes + bytes)};
    if (!message ||
        genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_REQUEST | NLM_F_ACK,
                    command, HV_NETLINK_VERSION) == nullptr) {
        throw device_error{ENOMEM, "netlink: no memory for a message"};
    }
    return message;
}

void require(int result) {
    if (result != 0) throw device_error{EMSGSIZE, "netlink: the message is too long"};
}

netlink_socket new_socket() {
    netlink_socket socket;
    socket.set_receive_timeout(answer_seconds);
    socket.set_send_buffer(buffer_bytes);
    socket.set_receive_buffer(buffer_bytes);
    return socket;
}

/// Modules go with the first part.
void put_part(nl_msg* message, named_rules const& policy, std::size_t first, std::size_t count) {
    nlattr* const nest = nla_nest_start(message, HV_ATTR_POLICY);
    require(nest == nullptr);
    require(nla_put_string(message, HV_ATTR_NAME, policy.name.c_str()));
    require(nla_put(message, HV_ATTR_RULES, static_cast<int>(count * sizeof(hv_rule)),
                    policy.rules.data() + first));
    if (first == 0 && !policy.modules.empty()) {
        require(nla_put(message, HV_ATTR_MODULES,
                        static_cast<int>(policy.modules.size() * sizeof(hv_module_stamp)),
                        policy.modules.data()));
    }
    nla_nest_end(message, nest);
}

void put_policy(nl_msg* message, named_rules const& policy) {
    std::size_t first = 0;
    do {
        auto const count = std::min<std::size_t>(policy.rules.size() - first, HV_NEST_RULES);
        put_part(message, policy, first, count);
        first += count;
    } while (first < policy.rules.size());
}

/// What the kernel said, or what its number means where it said nothing.
device_error explained(device_error const& error) {
    std::string text = error.what();
    if (!text.empty()) return error;
    if (error.code() == EPERM) {
        text = "not permitted: hv.ko obeys only processes with CAP_SYS_ADMIN: run as root";
    } else if (error.code() == EPROTO) {
        text = "hv.ko speaks another ABI: install hv.ko and hvd from one build";
    } else {
        text = std::string{"hv.ko refused: "} + std::strerror(error.code());
    }
    return device_error{error.code(), text};
}

}

netlink_device::netlink_device() : socket_{new_socket()} {}

template <typename Fill, typename Read>
void netlink_device::transact(std::uint8_t command, std::size_t bytes, Fill fill, Read read) {
    bool const fresh = family_ == 0;
    if (fresh) family_ = socket_.resolve(HV_NETLINK_FAMILY);
    if (family_ == 0) throw device_error{ENODEV, "hv.ko is not loaded: modprobe hv"};
    auto const message = new_message(family_, command, bytes);
    require(nla_put_u32(message.get(), HV_ATTR_ABI, HV_ABI_VERSION));
    fill(message.get());
    try {
        auto const sequence = socket_.send(message.get());
        for (bool complete = false; !complete;) {
            auto const datagram = socket_.receive();
            if (!datagram) throw device_error{ETIMEDOUT, "hv.ko did not answer in 60 s"};
            auto const part = read_answer(*datagram, static_cast<std::uint16_t>(family_), sequence);
            for (auto const& each : part.messages) read(each.attributes);
            complete = part.complete;
        }
    } catch (device_error const& error) {
        // The kernel drops every answer from then on, until all that waits has been read.
        if (error.code() == ENOBUFS) socket_ = new_socket();
        // The number is of a module that is gone, unless hv.ko itself had something to say.
        if (fresh || error.code() != ENOENT || *error.what() != '\0') throw explained(error);
        family_ = 0;
    }
    if (family_ == 0) transact(command, bytes, fill, read);
}

template <typename Read> void netlink_device::ask(std::uint8_t command, Read read) {
    transact(command, 0, [](nl_msg*) {}, read);
}

void netlink_device::tell(std::uint8_t command) {
    ask(command, [](byte_span) {});
}

void netlink_device::start() { tell(HV_CMD_START); }
void netlink_device::stop() { tell(HV_CMD_STOP); }
void netlink_device::policy_lock() { tell(HV_CMD_POLICY_LOCK); }
void netlink_device::records_attach() { tell(HV_CMD_RECORDS_ATTACH); }

machine_state netlink_device::status() {
    machine_state state;
    ask(HV_CMD_STATUS, [&](byte_span stream) { decode_state(stream, state); });
    return state;
}

// The answer to stats has the CPUs only; who reads counters wants to know the backend, too.
machine_state netlink_device::stats() {
    auto state = status();
    state.cpus.clear();
    ask(HV_CMD_STATS, [&](byte_span stream) { decode_state(stream, state); });
    return state;
}

void netlink_device::policy_mark(std::uint32_t marker) {
    auto const fill = [&](nl_msg* message) {
        require(nla_put_u32(message, HV_ATTR_MARKER, marker));
    };
    transact(HV_CMD_POLICY_MARK, 16, fill, [](byte_span) {});
}

hv_audit netlink_device::audit() {
    std::optional<hv_audit> audit;
    ask(HV_CMD_AUDIT, [&](byte_span stream) { decode_audit(stream, audit); });
    if (!audit) throw device_error{EBADMSG, "hv.ko sent no audit"};
    return *audit;
}

hv_cpu_dump netlink_device::dump(std::uint32_t cpu_id) {
    std::optional<hv_cpu_dump> dump;
    transact(
        HV_CMD_DUMP, 16,
        [&](nl_msg* message) { require(nla_put_u32(message, HV_ATTR_CPU_ID, cpu_id)); },
        [&](byte_span stream) { decode_dump(stream, dump); });
    if (!dump) throw device_error{EBADMSG, "hv.ko sent no dump"};
    return *dump;
}

void netlink_device::policy_set(std::span<named_rules const> policies) {
    std::size_t bytes = 0;
    for (auto const& each : policies) {
        bytes += 384 + each.rules.size() * sizeof(hv_rule) +
                 each.modules.size() * sizeof(hv_module_stamp);
    }
    auto const fill = [&](nl_msg* message) {
        for (auto const& each : policies) put_policy(message, each);
    };
    transact(HV_CMD_POLICY_SET, bytes, fill, [](byte_span) {});
}

enforced_policies netlink_device::policy_get() {
    enforced_policies policies;
    ask(HV_CMD_POLICY_GET, [&](byte_span stream) { decode_policies(stream, policies); });
    return policies;
}

place_answer netlink_device::place(place_request const& wanted) {
    std::optional<place_answer> answer;
    auto const fill = [&](nl_msg* message) {
        require(nla_put_u32(message, HV_ATTR_PLACE, wanted.place));
        if (!wanted.module.empty()) {
            require(nla_put_string(message, HV_ATTR_MODULE, wanted.module.c_str()));
            return;
        }
        require(nla_put_u64(message, HV_ATTR_FIRST, wanted.first));
        require(nla_put_u64(message, HV_ATTR_BYTES, wanted.bytes));
    };
    transact(HV_CMD_PLACE, 128, fill, [&](byte_span stream) { decode_place(stream, answer); });
    if (!answer) throw device_error{EBADMSG, "hv.ko did not say where that lies"};
    return std::move(*answer);
}

sha256_sum netlink_device::hash(std::span<hv_range const> ranges) {
    std::optional<sha256_sum> sum;
    auto const fill = [&](nl_msg* message) {
        require(
            nla_put(message, HV_ATTR_RANGES, static_cast<int>(ranges.size_bytes()), ranges.data()));
    };
    transact(HV_CMD_HASH, 64 + ranges.size_bytes(), fill,
             [&](byte_span stream) { decode_hash(stream, sum); });
    if (!sum) throw device_error{EBADMSG, "hv.ko sent no sum"};
    return *sum;
}

void netlink_device::records_ack(std::uint64_t session, std::uint32_t ring,
                                 std::uint64_t sequence) {
    auto const fill = [&](nl_msg* message) {
        require(nla_put_u32(message, HV_ATTR_RING, ring));
        require(nla_put_u64(message, HV_ATTR_SEQUENCE, sequence));
        require(nla_put_u64(message, HV_ATTR_SESSION, session));
    };
    transact(HV_CMD_RECORDS_ACK, 64, fill, [](byte_span) {});
}

}

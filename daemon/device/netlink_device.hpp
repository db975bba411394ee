// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>

#include "daemon/device/device.hpp"
#include "daemon/device/netlink_socket.hpp"

namespace hv {

/// hv.ko over generic netlink. Opening it needs no hv.ko: the family is looked up with the first
/// command, and again after the module was loaded anew.
class netlink_device : public device {
public:
    netlink_device();

    void start() override;
    void stop() override;
    machine_state status() override;
    machine_state stats() override;
    hv_audit audit() override;
    hv_cpu_dump dump(std::uint32_t cpu_id) override;
    void policy_set(std::span<named_rules const> policies) override;
    enforced_policies policy_get() override;
    void policy_lock() override;
    void policy_mark(std::uint32_t marker) override;
    place_answer place(place_request const& wanted) override;
    sha256_sum hash(std::span<hv_range const> ranges) override;
    void records_attach() override;
    void records_ack(std::uint64_t session, std::uint32_t ring, std::uint64_t sequence) override;

private:
    template <typename Fill, typename Read>
    void transact(std::uint8_t command, std::size_t bytes, Fill fill, Read read);
    template <typename Read> void ask(std::uint8_t command, Read read);
    void tell(std::uint8_t command);

    netlink_socket socket_;
    int family_{};
};

/// The groups `events` of hv.ko and `notify` of the controller.
class netlink_events : public event_source {
public:
    netlink_events();

    int descriptor() const override;
    void join() override;
    std::vector<device_event> receive() override;

private:
    netlink_socket socket_;
    int family_{};
    int group_{};
};

}

// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "abi/call.h"
#include "abi/policy.h"
#include "abi/record.h"
#include "kmod/abi/netlink.h"

namespace hv {

struct cpu_state {
    std::uint32_t id{};
    std::uint32_t ring{};
    bool hoisted{};
    bool parked{};
    std::uint64_t exits{};
    std::uint64_t written{};
    std::uint64_t dropped{};
    std::vector<std::uint64_t> counters;    // in answers to stats only; index = basic exit reason
};

struct machine_state {
    bool hoisted{};
    bool locked{};
    std::uint64_t markers{};    // reached: bits by number
    std::string backend;        // empty while not hoisted
    std::string version;
    std::string dma;
    std::array<std::uint8_t, 32> core_sha256{};
    std::uint64_t reserved_bytes{};
    std::uint64_t session{};
    std::uint32_t vms{};
    std::vector<cpu_state> cpus;
};

struct named_rules {
    std::string name;
    std::vector<hv_rule> rules;
    std::vector<hv_module_stamp> modules;    // whose memory the rules are about
};

/// Some memory of Linux, which hv.ko is to find.
struct place_request {
    hv_place place{};
    std::uint64_t first{};    // HV_PLACE_LINEAR
    std::uint64_t bytes{};
    std::string module{};    // HV_PLACE_MODULE_…
};

struct place_answer {
    std::vector<hv_range> ranges;    // in the order of the linear addresses
    std::uint64_t stamp{};           // of a module
};

using sha256_sum = std::array<std::uint8_t, 32>;

struct enforced_policies {
    bool locked{};
    std::uint64_t markers{};    // as in machine_state
    std::vector<named_rules> policies;
};

struct record_batch {
    std::uint32_t ring{};
    std::uint64_t session{};
    std::uint64_t dropped{};     // of this ring since the hoist
    std::uint64_t released{};    // records before it hv.ko has let go of
    std::vector<hv_record> records;
    std::vector<std::string> symbols;     // of their RIPs, as Linux names them; "": it does not
    std::vector<hv_process> processes;    // who ran when each was written; no name: not known
};

struct state_change {
    bool hoisted{};
    std::uint64_t session{};
};

struct module_change {
    bool loaded{};
};

struct events_overrun {};

using device_event = std::variant<record_batch, state_change, module_change, events_overrun>;

/// hv.ko as its user sees it. Every call answers or throws device_error.
class device {
public:
    virtual ~device() = default;
    virtual void start() = 0;
    virtual void stop() = 0;
    virtual machine_state status() = 0;
    virtual machine_state stats() = 0;
    virtual hv_audit audit() = 0;
    virtual hv_cpu_dump dump(std::uint32_t cpu_id) = 0;
    virtual void policy_set(std::span<named_rules const> policies) = 0;
    virtual enforced_policies policy_get() = 0;
    virtual void policy_lock() = 0;
    /// marker   from HV_MARKER_SEAL to HV_MARKERS - 1
    virtual void policy_mark(std::uint32_t marker) = 0;
    virtual place_answer place(place_request const& wanted) = 0;
    virtual sha256_sum hash(std::span<hv_range const> ranges) = 0;
    virtual void records_attach() = 0;
    virtual void records_ack(std::uint64_t session, std::uint32_t ring, std::uint64_t sequence) = 0;
};

/// The multicast group of hv.ko: records, hoist and unhoist, the module's coming and going.
class event_source {
public:
    virtual ~event_source() = default;
    virtual int descriptor() const = 0;
    /// Joins the group again, as is due when hv.ko was loaded after the caller started.
    virtual void join() = 0;
    /// The next events; empty when there are none right now.
    virtual std::vector<device_event> receive() = 0;
};

}

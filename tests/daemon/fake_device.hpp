// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/device/device.hpp"
#include "daemon/device/device_error.hpp"

namespace hv {

/// hv.ko as tests want it: two CPUs, rules that are only kept, and a refusal wherever asked for.
class fake_device : public device {
public:
    fake_device() {
        state.version = "9.9.9";
        state.dma = "not protected";
        state.core_sha256.fill(0xab);
        state.cpus.resize(2);
        state.cpus[1].id = state.cpus[1].ring = 1;
    }

    void start() override {
        enter("start");
        if (state.hoisted) throw device_error{EALREADY, "Linux is already hoisted"};
        set_hoisted(true);
    }
    void stop() override {
        enter("stop");
        if (state.locked) throw device_error{EPERM, "a policy is locked"};
        set_hoisted(false);
        enforced.policies.clear();
    }
    machine_state status() override {
        enter("status");
        return state;
    }
    machine_state stats() override {
        enter("stats");
        auto out = state;
        for (auto& each : out.cpus) {
            each.counters.resize(64);
            each.counters[10] = each.exits;
        }
        return out;
    }
    hv_audit audit() override {
        enter("audit");
        return audit_answer;
    }
    hv_cpu_dump dump(std::uint32_t cpu_id) override {
        enter("dump");
        if (cpu_id > 1) throw device_error{ENOENT, "CPU 7 is not hoisted"};
        hv_cpu_dump out{};
        out.cpu_id = cpu_id;
        out.launched = 1;
        out.rip = 0xffffffff81000000;
        out.exit_reason = 10;
        return out;
    }
    void policy_set(std::span<named_rules const> policies) override {
        enter("policy_set");
        enforced.policies.assign(policies.begin(), policies.end());
    }
    enforced_policies policy_get() override {
        enter("policy_get");
        enforced.locked = state.locked;
        enforced.markers = state.markers;
        return enforced;
    }
    void policy_lock() override {
        enter("policy_lock");
        state.locked = true;
    }
    void policy_mark(std::uint32_t marker) override {
        enter("policy_mark");
        state.markers |= 1ull << marker;
    }
    place_answer place(place_request const& wanted) override {
        enter("place");
        places.push_back(wanted);
        return place_result;
    }
    sha256_sum hash(std::span<hv_range const> ranges) override {
        enter("hash");
        hashed.assign(ranges.begin(), ranges.end());
        return sum;
    }
    void records_attach() override { enter("records_attach"); }
    void records_ack(std::uint64_t session, std::uint32_t ring, std::uint64_t sequence) override {
        enter("records_ack");
        acks[{session, ring}] = sequence;
    }

    void set_hoisted(bool hoisted) {
        state.hoisted = hoisted;
        state.backend = hoisted ? "vmx" : "";
        state.session = 0x1234;
        state.reserved_bytes = hoisted ? 2u << 20 : 0;
        for (auto& each : state.cpus) {
            each.hoisted = hoisted;
            each.exits = hoisted ? 100 + each.id : 0;
        }
    }
    /// From now on this call fails.
    void refuse(std::string const& call, int code, std::string const& text) {
        refusals_.insert_or_assign(call, device_error{code, text});
    }
    void allow(std::string const& call) { refusals_.erase(call); }
    unsigned calls(std::string const& call) const {
        auto const at = calls_.find(call);
        return at == calls_.end() ? 0 : at->second;
    }

    machine_state state;
    enforced_policies enforced;
    hv_audit audit_answer{};
    place_answer place_result{{{0x5000, 0x5fff}}, 0};
    std::vector<place_request> places;
    std::vector<hv_range> hashed;
    sha256_sum sum{};
    std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> acks;

private:
    void enter(std::string const& call) {
        ++calls_[call];
        if (auto const at = refusals_.find(call); at != refusals_.end()) throw at->second;
    }

    std::map<std::string, device_error> refusals_;
    std::map<std::string, unsigned> calls_;
};

/// The events group: what is put in comes out of the next receive().
class fake_events : public event_source {
public:
    fake_events() : descriptor_{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {}
    ~fake_events() override { close(descriptor_); }
    fake_events(fake_events const&) = delete;
    fake_events& operator=(fake_events const&) = delete;

    int descriptor() const override { return descriptor_; }
    void join() override { ++joins; }
    std::vector<device_event> receive() override {
        eventfd_t ignored = 0;
        eventfd_read(descriptor_, &ignored);
        return std::exchange(waiting_, {});
    }
    void put(device_event event) {
        waiting_.push_back(std::move(event));
        eventfd_write(descriptor_, 1);
    }

    unsigned joins = 0;

private:
    int descriptor_;
    std::vector<device_event> waiting_;
};

inline hv_record make_record(std::uint64_t sequence, unsigned kind = HV_RECORD_MSR_DENIED) {
    hv_record record{};
    record.sequence = sequence;
    record.kind = static_cast<std::uint16_t>(kind);
    record.reason = 32;
    record.access = HV_ACCESS_WRITE;
    record.address = 0xc0000082;
    record.rip = 0xffffffff81001234;
    return record;
}

inline record_batch make_batch(std::uint64_t from, std::uint64_t count, std::uint64_t dropped = 0,
                               std::uint64_t session = 0x1234, std::uint64_t released = 0) {
    record_batch batch;
    batch.released = released;
    batch.session = session;
    batch.dropped = dropped;
    for (auto i = from; i < from + count; ++i) {
        batch.records.push_back(make_record(i));
        batch.symbols.emplace_back("native_write_msr+0x4/0x20");
        batch.processes.push_back({812, "insmod"});
    }
    return batch;
}

}

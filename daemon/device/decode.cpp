// SPDX-License-Identifier: MIT
#include "daemon/device/decode.hpp"

#include <cerrno>
#include <cstring>

#include "daemon/device/device_error.hpp"
#include "kmod/abi/netlink.h"

namespace hv {
namespace {

constexpr std::size_t text_limit = 256;
constexpr std::size_t cpu_limit = 8192;
constexpr std::size_t batch_limit = 0xffff / sizeof(hv_record);

[[noreturn]] void malformed(char const* what) {
    throw device_error{EBADMSG, std::string{"hv.ko sent a malformed message ("} + what +
                                    "): install hv.ko and hvd from one build"};
}

cpu_state decode_cpu(byte_span stream) {
    cpu_state cpu;
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_CPU_ID:   cpu.id = each.u32(); break;
        case HV_ATTR_RING:     cpu.ring = each.u32(); break;
        case HV_ATTR_HOISTED:  cpu.hoisted = each.flag(); break;
        case HV_ATTR_PARKED:   cpu.parked = each.flag(); break;
        case HV_ATTR_EXITS:    cpu.exits = each.u64(); break;
        case HV_ATTR_WRITTEN:  cpu.written = each.u64(); break;
        case HV_ATTR_DROPPED:  cpu.dropped = each.u64(); break;
        case HV_ATTR_COUNTERS: cpu.counters = each.array<std::uint64_t>(HV_COUNTERS); break;
        case HV_ATTR_PAD:      break;
        default:               each.unknown();
        }
    }
    return cpu;
}

/// What every message may carry beside its own attributes.
bool belongs_anywhere(attribute const& each) {
    if (each.type() == HV_ATTR_ABI && each.u32() != HV_ABI_VERSION) malformed("another ABI");
    return each.type() == HV_ATTR_ABI || each.type() == HV_ATTR_PAD;
}

bool is_name(std::string const& name) {
    return !name.empty() && name.size() < HV_NAME_BYTES &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

std::vector<hv_module_stamp> decode_modules(attribute const& from) {
    auto modules = from.array<hv_module_stamp>(HV_MAX_MODULES);
    for (auto const& each : modules) {
        if (std::memchr(each.name, 0, sizeof(each.name)) == nullptr) malformed("a module's name");
    }
    return modules;
}

named_rules decode_policy(byte_span stream) {
    named_rules policy;
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_NAME:    policy.name = each.text(HV_NAME_BYTES); break;
        case HV_ATTR_RULES:   policy.rules = each.array<hv_rule>(HV_NEST_RULES); break;
        case HV_ATTR_MODULES: policy.modules = decode_modules(each); break;
        case HV_ATTR_PAD:     break;
        default:              each.unknown();
        }
    }
    if (!is_name(policy.name)) malformed("a policy without a sound name");
    return policy;
}

/// One that goes on where the last one has its name.
void add_policy(named_rules part, std::vector<named_rules>& into) {
    if (into.empty() || into.back().name != part.name) {
        into.push_back(std::move(part));
        return;
    }
    auto& whole = into.back();
    if (whole.rules.size() + part.rules.size() > HV_MAX_RULES) malformed("too many rules");
    whole.rules.insert(whole.rules.end(), part.rules.begin(), part.rules.end());
    whole.modules.insert(whole.modules.end(), part.modules.begin(), part.modules.end());
}

template <typename Struct>
void decode_struct(byte_span stream, int type, std::optional<Struct>& into) {
    for (auto const& each : split_attributes(stream)) {
        if (belongs_anywhere(each)) continue;
        if (each.type() != type) each.unknown();
        into = each.fixed<Struct>();
        if (into->version != HV_ABI_VERSION || into->size != sizeof(Struct)) {
            malformed("a struct of another ABI");
        }
    }
}

}

void decode_state(byte_span stream, machine_state& into) {
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_HOISTED: into.hoisted = each.flag(); break;
        case HV_ATTR_LOCKED:  into.locked = each.flag(); break;
        case HV_ATTR_MARKERS: into.markers = each.u64(); break;
        case HV_ATTR_BACKEND: into.backend = each.text(text_limit); break;
        case HV_ATTR_VERSION: into.version = each.text(text_limit); break;
        case HV_ATTR_DMA:     into.dma = each.text(text_limit); break;
        case HV_ATTR_CORE_SHA256:
            into.core_sha256 = each.fixed<std::array<std::uint8_t, 32>>();
            break;
        case HV_ATTR_RESERVED: into.reserved_bytes = each.u64(); break;
        case HV_ATTR_SESSION:  into.session = each.u64(); break;
        case HV_ATTR_VMS:      into.vms = each.u32(); break;
        case HV_ATTR_CPU:
            if (into.cpus.size() == cpu_limit) malformed("too many CPUs");
            into.cpus.push_back(decode_cpu(each.payload()));
            break;
        default:
            if (!belongs_anywhere(each)) each.unknown();
        }
    }
}

void decode_policies(byte_span stream, enforced_policies& into) {
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_LOCKED:  into.locked = each.flag(); break;
        case HV_ATTR_MARKERS: into.markers = each.u64(); break;
        case HV_ATTR_POLICY:
            if (into.policies.size() == HV_MAX_RULES) malformed("too many policies");
            add_policy(decode_policy(each.payload()), into.policies);
            break;
        default:
            if (!belongs_anywhere(each)) each.unknown();
        }
    }
}

void decode_audit(byte_span stream, std::optional<hv_audit>& into) {
    decode_struct(stream, HV_ATTR_AUDIT, into);
}

void decode_dump(byte_span stream, std::optional<hv_cpu_dump>& into) {
    decode_struct(stream, HV_ATTR_DUMP, into);
}

void decode_place(byte_span stream, std::optional<place_answer>& into) {
    place_answer answer;
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_RANGES: answer.ranges = each.array<hv_range>(HV_MAX_RANGES); break;
        case HV_ATTR_STAMP:  answer.stamp = each.u64(); break;
        default:
            if (!belongs_anywhere(each)) each.unknown();
        }
    }
    for (auto const& each : answer.ranges) {
        bool const whole = each.first % HV_PAGE_BYTES == 0 && (each.last + 1) % HV_PAGE_BYTES == 0;
        if (!whole || each.last < each.first) malformed("a range that is not of whole pages");
    }
    if (answer.ranges.empty()) malformed("a place without pages");
    into = std::move(answer);
}

void decode_hash(byte_span stream, std::optional<sha256_sum>& into) {
    for (auto const& each : split_attributes(stream)) {
        if (belongs_anywhere(each)) continue;
        if (each.type() != HV_ATTR_SHA256) each.unknown();
        into = each.fixed<sha256_sum>();
    }
}

record_batch decode_records(byte_span stream) {
    record_batch batch;
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_RING:      batch.ring = each.u32(); break;
        case HV_ATTR_DROPPED:   batch.dropped = each.u64(); break;
        case HV_ATTR_SESSION:   batch.session = each.u64(); break;
        case HV_ATTR_SEQUENCE:  batch.released = each.u64(); break;
        case HV_ATTR_RECORDS:   batch.records = each.array<hv_record>(batch_limit); break;
        case HV_ATTR_PROCESSES: batch.processes = each.array<hv_process>(batch_limit); break;
        case HV_ATTR_SYMBOLS:   batch.symbols = each.texts(HV_SYMBOL_BYTES); break;
        default:
            if (!belongs_anywhere(each)) each.unknown();
        }
    }
    if (batch.symbols.size() != batch.records.size()) malformed("not a symbol for each record");
    if (batch.processes.size() != batch.records.size()) malformed("not a process for each record");
    for (auto const& each : batch.processes) {
        if (each.name[sizeof(each.name) - 1] != 0) malformed("a process's name without an end");
    }
    return batch;
}

state_change decode_state_change(byte_span stream) {
    state_change change;
    for (auto const& each : split_attributes(stream)) {
        switch (each.type()) {
        case HV_ATTR_HOISTED: change.hoisted = each.flag(); break;
        case HV_ATTR_SESSION: change.session = each.u64(); break;
        default:
            if (!belongs_anywhere(each)) each.unknown();
        }
    }
    return change;
}

}

// SPDX-License-Identifier: MIT
#include "daemon/log/wording.hpp"

#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "daemon/log/exit_names.hpp"
#include "daemon/log/schema.hpp"
#include "daemon/policy/names.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::array kind_names{
#define HV_X(name, text) text,
    HV_RECORD_KINDS(HV_X)
#undef HV_X
};

constexpr unsigned no_exit = 0xffff;

std::string by_whom(hv_record const& record, rule_name const* rule) {
    if (rule != nullptr) return " by " + rule->policy + "/" + rule->rule;
    if (record.rule != 0) return " by rule " + std::to_string(record.rule);
    return " by the core itself";
}

std::string memory_text(hv_record const& record) {
    return (record.access == 0 ? "access" : access_text(record.access)) + " at " +
           hex(record.address);
}

std::string msr_access_text(hv_record const& record) {
    if (record.access == HV_ACCESS_READ) return "read of " + msr_text(record.address);
    return "write of " + hex(record.value) + " to " + msr_text(record.address);
}

std::string cr_access_text(hv_record const& record) {
    return "cr" + std::to_string(record.address) + " from " + hex(record.old_value) + " to " +
           hex(record.value) + " (" +
           cr_bits_text(record.address, record.old_value ^ record.value) + ")";
}

std::string table_text(hv_record const& record) {
    auto const name = tables_text(record.address, record.address);
    // The base alone is on record: where it is the same, the limit was another.
    if (record.value == record.old_value) return name + " with another limit";
    return name + " from " + hex(record.old_value) + " to " + hex(record.value);
}

std::string xcr_text(hv_record const& record) {
    return "xcr0 from " + hex(record.old_value) + " to " + hex(record.value) + " (" +
           bits_text(xcr0_bits(), record.old_value ^ record.value) + ")";
}

std::string port_text(hv_record const& record) {
    auto const where = " port " + hex(record.address) + " (" + std::to_string(record.old_value) +
                       (record.old_value == 1 ? " byte)" : " bytes)");
    if (record.access == HV_ACCESS_READ) return "IN from" + where;
    return "OUT of " + hex(record.value) + " to" + where;
}

std::string cpuid_text(hv_record const& record) {
    return "CPUID " + hex(record.address >> 32) + " sub-leaf " + hex(record.address & 0xffffffff);
}

std::string instruction_text(hv_record const& record) {
    bool const known = record.address < HV_INSTRUCTION_COUNT;
    return known ? bits_text(instruction_bits(), 1ull << record.address) : "instruction";
}

std::string pages_text(hv_record const& record) {
    return std::to_string(record.value) + " pages at " + hex(record.address);
}

std::string core_access_text(char const* what, hv_record const& record) {
    return std::string{what} + " core memory at " + hex(record.address);
}

/// Kinds that a rule, or the core's own table, brought about.
std::string ruled_text(hv_record const& record, rule_name const* rule) {
    auto const who = by_whom(record, rule);
    bool const reported = rule != nullptr && rule->terms.report_only;
    auto const* const logged = reported ? " would be denied" : " logged";
    switch (record.kind) {
    case HV_RECORD_MEMORY_DENIED:    return memory_text(record) + " denied" + who;
    case HV_RECORD_MEMORY_LOGGED:    return memory_text(record) + logged + who;
    case HV_RECORD_MSR_DENIED:       return msr_access_text(record) + " denied" + who;
    case HV_RECORD_MSR_LOGGED:       return msr_access_text(record) + logged + who;
    case HV_RECORD_MSR_KEPT:         return msr_access_text(record) + " kept out" + who;
    case HV_RECORD_CR_DENIED:        return cr_access_text(record) + " denied" + who;
    case HV_RECORD_CR_LOGGED:        return cr_access_text(record) + logged + who;
    case HV_RECORD_CR_KEPT:          return cr_access_text(record) + " kept out" + who;
    case HV_RECORD_DTR_DENIED:       return table_text(record) + " denied" + who;
    case HV_RECORD_DTR_LOGGED:       return table_text(record) + logged + who;
    case HV_RECORD_DTR_KEPT:         return table_text(record) + " kept out" + who;
    case HV_RECORD_XCR_DENIED:       return xcr_text(record) + " denied" + who;
    case HV_RECORD_XCR_LOGGED:       return xcr_text(record) + logged + who;
    case HV_RECORD_XCR_KEPT:         return xcr_text(record) + " kept out" + who;
    case HV_RECORD_IO_DENIED:        return port_text(record) + " denied" + who;
    case HV_RECORD_IO_LOGGED:        return port_text(record) + logged + who;
    case HV_RECORD_CPUID_DENIED:     return cpuid_text(record) + " denied" + who;
    case HV_RECORD_CPUID_LOGGED:     return cpuid_text(record) + logged + who;
    case HV_RECORD_EXECUTION_DENIED: return instruction_text(record) + " denied" + who;
    case HV_RECORD_EXECUTION_LOGGED: return instruction_text(record) + logged + who;
    case HV_RECORD_MTRR_DENIED:      return msr_access_text(record) + " denied by the core itself";
    default:                         return {};
    }
}

/// Why the CPU left its guest; nothing where it did not.
std::string exit_of(hv_record const& record, std::string_view backend) {
    // SVM's code of an entry that failed is -1, which looks like no exit.
    bool const none = record.reason == no_exit &&
                      (backend != "svm" || record.kind != HV_RECORD_ENTRY_FAILED);
    if (none) return {};
    return exit_name(backend, record.reason, record.access == HV_ACCESS_WRITE);
}

/// What it happened to; null where it was nothing in particular.
char const* object_of(unsigned kind) {
    if (kind >= HV_RECORD_CORE_READ && kind <= HV_RECORD_CORE_EXECUTE) return "core";
    switch (kind) {
    case HV_RECORD_MEMORY_DENIED:
    case HV_RECORD_MEMORY_LOGGED:      return "memory";
    case HV_RECORD_MSR_DENIED:
    case HV_RECORD_MSR_LOGGED:
    case HV_RECORD_MSR_KEPT:
    case HV_RECORD_MTRR_DENIED:        return "msr";
    case HV_RECORD_CR_DENIED:
    case HV_RECORD_CR_LOGGED:
    case HV_RECORD_CR_KEPT:            return "cr";
    case HV_RECORD_DTR_DENIED:
    case HV_RECORD_DTR_LOGGED:
    case HV_RECORD_DTR_KEPT:           return "dtr";
    case HV_RECORD_XCR_DENIED:
    case HV_RECORD_XCR_LOGGED:
    case HV_RECORD_XCR_KEPT:           return "xcr";
    case HV_RECORD_IO_DENIED:
    case HV_RECORD_IO_LOGGED:          return "io";
    case HV_RECORD_CPUID_DENIED:
    case HV_RECORD_CPUID_LOGGED:       return "cpuid";
    case HV_RECORD_EXECUTION_DENIED:
    case HV_RECORD_EXECUTION_LOGGED:
    case HV_RECORD_INSTRUCTION_DENIED: return "instruction";
    case HV_RECORD_CALL_DENIED:        return "hypercall";
    case HV_RECORD_POLICY_LOADED:
    case HV_RECORD_POLICY_LOCKED:
    case HV_RECORD_POLICY_SEALED:      return "policy";
    case HV_RECORD_FRAMES_DONATED:
    case HV_RECORD_FRAMES_RETURNED:    return "frames";
    case HV_RECORD_LAUNCHED:
    case HV_RECORD_UNHOISTED:
    case HV_RECORD_INIT:
    case HV_RECORD_SIPI:
    case HV_RECORD_SHOOTDOWN_SLOW:     return "cpu";
    default:                           return nullptr;
    }
}

/// What the CPU itself said about an exit, by its manual's name.
std::string detail_text(hv_record const& record, std::string_view backend) {
    return (backend == "svm" ? ", exit information " : ", qualification ") + hex(record.address);
}

std::string plain_text(hv_record const& record, std::string_view backend) {
    auto const exit = exit_of(record, backend);
    auto const colon = exit.empty() ? std::string{} : ": " + exit;
    auto const detail = detail_text(record, backend);
    switch (record.kind) {
    case HV_RECORD_LAUNCHED:           return "CPU hoisted";
    case HV_RECORD_UNHOISTED:          return "CPU given back to Linux";
    case HV_RECORD_CORE_READ:          return core_access_text("read of", record);
    case HV_RECORD_CORE_WRITE:         return core_access_text("stopped a write to", record);
    case HV_RECORD_CORE_EXECUTE:       return core_access_text("stopped a jump into", record);
    case HV_RECORD_CALL_DENIED:        return "hypercall " + hex(record.address) + " refused";
    case HV_RECORD_INSTRUCTION_DENIED: return "virtualization instruction refused" + colon;
    case HV_RECORD_UNEXPECTED_EXIT:    return "unexpected exit" + colon + detail;
    case HV_RECORD_ENTRY_FAILED:       return "VM entry failed" + detail;
    case HV_RECORD_TRIPLE_FAULT:       return "triple fault of the root VM";
    case HV_RECORD_MACHINE_CHECK:      return "machine check in root mode";
    case HV_RECORD_INIT:               return "INIT intercepted by the core";
    case HV_RECORD_SIPI:               return "CPU started again under the core";
    case HV_RECORD_POLICY_LOADED:      return std::to_string(record.value) + " rules in force";
    case HV_RECORD_POLICY_LOCKED:      return "policy locked until the next boot";
    case HV_RECORD_POLICY_SEALED:
        return "policy sealed: all " + std::to_string(record.value) + " rules in force";
    case HV_RECORD_FRAMES_DONATED:  return pages_text(record) + " taken from Linux";
    case HV_RECORD_FRAMES_RETURNED: return pages_text(record) + " given back to Linux";
    case HV_RECORD_ROOT_FAULT:      return "fault in root mode, error code " + hex(record.value);
    case HV_RECORD_SHOOTDOWN_SLOW:
        return "CPU of ring " + std::to_string(record.address) + " is slow to answer a shoot-down";
    default: return record_kind_name(record.kind);
    }
}

}

std::string record_kind_name(unsigned kind) {
    if (kind < kind_names.size()) return kind_names[kind];
    return "kind_" + std::to_string(kind);
}

std::string record_message(hv_record const& record, rule_name const* rule,
                           std::string_view backend) {
    auto const text = ruled_text(record, rule);
    return text.empty() ? plain_text(record, backend) : text;
}

ordered_json record_json(hv_record const& record, record_context const& context) {
    // Session, ring and sequence come first: hvd finds its place by them after a restart.
    ordered_json out{{"time", context.time},
                     {"session", hex(context.session)},
                     {"ring", context.ring},
                     {"sequence", record.sequence}};
    add_common_fields(out, record_kind_name(record.kind));
    out["cpu"] = record.cpu;
    out["vm"] = "root";    // the core keeps no records of guests
    auto const exit = exit_of(record, context.backend);
    if (!exit.empty()) out["reason"] = exit;
    if (context.rule != nullptr) {
        if (context.rule->terms.report_only) out["level"] = level_name(log_level::warning);
        out["policy"] = context.rule->policy;
        out["rule"] = context.rule->rule;
    }
    out["rule_id"] = record.rule;
    if (auto const* const object = object_of(record.kind)) out["object"] = object;
    out["rip"] = hex(record.rip);
    if (!context.symbol.empty()) out["symbol"] = context.symbol;
    if (context.process.name[0] != 0) {
        out["process"] = printable(context.process.name, sizeof(context.process.name));
        out["pid"] = context.process.pid;
    }
    out["address"] = hex(record.address);
    out["value"] = hex(record.value);
    out["old"] = hex(record.old_value);
    out["access"] = access_text(record.access);
    out["tsc"] = record.tsc;
    out["message"] = record_message(record, context.rule, context.backend);
    return out;
}

std::string now_text() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::array<char, 80> out{};
    auto const length = std::snprintf(out.data(), out.size(),
                                      "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900,
                                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                      parts.tm_sec, now.tv_nsec / 1000);
    return {out.data(), static_cast<std::size_t>(length)};
}

}

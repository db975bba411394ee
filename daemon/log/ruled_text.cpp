// SPDX-License-Identifier: MIT
#include "daemon/log/ruled_text.hpp"

#include <algorithm>
#include <array>

#include "daemon/policy/names.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

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
    auto const name = record.address < HV_TABLE_COUNT
                          ? bits_text(table_bits(), 1ull << record.address)
                          : "table " + std::to_string(record.address);
    // The base alone is on record: where it is the same, something else was not.
    if (record.value == record.old_value) {
        bool const whole_table = record.address < HV_TABLE_LDT;
        return name + (whole_table ? " with another limit" : " with another selector or limit");
    }
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

std::string debug_register_text(hv_record const& record) {
    auto const out = "dr" + std::to_string(record.address) + " from " + hex(record.old_value) +
                     " to " + hex(record.value);
    auto const changed = whole_fields(dr7_bits(), record.old_value ^ record.value);
    return record.address == 7 ? out + " (" + bits_text(dr7_bits(), changed) + ")" : out;
}

std::string vm_text(hv_record const& record) {
    auto const user = "user " + std::to_string(record.address);
    auto const sum = record.old_value;
    switch (record.value) {
    case HV_VM_COUNT: return "a VM of " + user + ", " + counted(sum, "VM") + " in all,";
    case HV_VM_VCPUS:
        return "a vcpu for a VM of " + user + ", " + counted(sum, "vcpu") + " in all,";
    default:
        return "memory for a VM of " + user + ", " + human_bytes(sum * HV_PAGE_BYTES) + " in all,";
    }
}

/// The access itself, as the root VM's are told.
std::string guest_text(hv_record const& record) {
    auto access = record;
    access.old_value &= 0xffffffff;
    return access.old_value == 0 ? msr_access_text(access) : port_text(access);
}

enum class outcome : unsigned char { denied, logged, kept, paused, killed };

struct ruled_kind {
    unsigned kind;
    char const* object;
    outcome came;
    std::string (*what)(hv_record const& record);
};
// gate: list
constexpr std::array ruled{
    ruled_kind{HV_RECORD_MEMORY_DENIED, "memory", outcome::denied, memory_text},
    ruled_kind{HV_RECORD_MEMORY_LOGGED, "memory", outcome::logged, memory_text},
    ruled_kind{HV_RECORD_MSR_DENIED, "msr", outcome::denied, msr_access_text},
    ruled_kind{HV_RECORD_MSR_LOGGED, "msr", outcome::logged, msr_access_text},
    ruled_kind{HV_RECORD_MSR_KEPT, "msr", outcome::kept, msr_access_text},
    ruled_kind{HV_RECORD_MTRR_DENIED, "msr", outcome::denied, msr_access_text},
    ruled_kind{HV_RECORD_CR_DENIED, "cr", outcome::denied, cr_access_text},
    ruled_kind{HV_RECORD_CR_LOGGED, "cr", outcome::logged, cr_access_text},
    ruled_kind{HV_RECORD_CR_KEPT, "cr", outcome::kept, cr_access_text},
    ruled_kind{HV_RECORD_DTR_DENIED, "dtr", outcome::denied, table_text},
    ruled_kind{HV_RECORD_DTR_LOGGED, "dtr", outcome::logged, table_text},
    ruled_kind{HV_RECORD_DTR_KEPT, "dtr", outcome::kept, table_text},
    ruled_kind{HV_RECORD_XCR_DENIED, "xcr", outcome::denied, xcr_text},
    ruled_kind{HV_RECORD_XCR_LOGGED, "xcr", outcome::logged, xcr_text},
    ruled_kind{HV_RECORD_XCR_KEPT, "xcr", outcome::kept, xcr_text},
    ruled_kind{HV_RECORD_DR_DENIED, "dr", outcome::denied, debug_register_text},
    ruled_kind{HV_RECORD_DR_LOGGED, "dr", outcome::logged, debug_register_text},
    ruled_kind{HV_RECORD_DR_KEPT, "dr", outcome::kept, debug_register_text},
    ruled_kind{HV_RECORD_IO_DENIED, "io", outcome::denied, port_text},
    ruled_kind{HV_RECORD_IO_LOGGED, "io", outcome::logged, port_text},
    ruled_kind{HV_RECORD_CPUID_DENIED, "cpuid", outcome::denied, cpuid_text},
    ruled_kind{HV_RECORD_CPUID_LOGGED, "cpuid", outcome::logged, cpuid_text},
    ruled_kind{HV_RECORD_EXECUTION_DENIED, "instruction", outcome::denied, instruction_text},
    ruled_kind{HV_RECORD_EXECUTION_LOGGED, "instruction", outcome::logged, instruction_text},
    ruled_kind{HV_RECORD_VM_DENIED, "vm", outcome::denied, vm_text},
    ruled_kind{HV_RECORD_VM_LOGGED, "vm", outcome::logged, vm_text},
    ruled_kind{HV_RECORD_GUEST_DENIED, "guest", outcome::denied, guest_text},
    ruled_kind{HV_RECORD_GUEST_LOGGED, "guest", outcome::logged, guest_text},
    ruled_kind{HV_RECORD_GUEST_PAUSED, "guest", outcome::paused, guest_text},
    ruled_kind{HV_RECORD_GUEST_KILLED, "guest", outcome::killed, guest_text},
};

ruled_kind const* find_ruled(unsigned kind) {
    auto const* const at = std::find_if(ruled.begin(), ruled.end(),
                                        [&](auto const& each) { return each.kind == kind; });
    return at == ruled.end() ? nullptr : at;
}

/// Of a guest's access it is not told what a rule that only reports would have come to.
char const* outcome_text(ruled_kind const& of, bool reported) {
    switch (of.came) {
    case outcome::denied: return " denied";
    case outcome::kept:   return " kept out";
    case outcome::paused: return ", VM paused";
    case outcome::killed: return ", VM killed";
    case outcome::logged: break;
    }
    if (!reported) return " logged";
    return of.what == guest_text ? " would be stopped" : " would be denied";
}

}

bool is_of_guest(hv_record const& record) {
    return record.kind >= HV_RECORD_GUEST_DENIED && record.kind <= HV_RECORD_GUEST_KILLED;
}

std::string record_vm(hv_record const& record, std::string const& called) {
    if (!is_of_guest(record)) return "root";
    auto const user = "user " + std::to_string(user_of(record));
    return called.empty() ? user : user + " (" + called + ")";
}

char const* ruled_object(unsigned kind) {
    auto const* const found = find_ruled(kind);
    return found == nullptr ? nullptr : found->object;
}

std::string ruled_text(hv_record const& record, rule_name const* rule, std::string const& called) {
    auto const* const found = find_ruled(record.kind);
    if (found == nullptr) return {};
    bool const reported = rule != nullptr && rule->terms.report_only;
    auto const who = is_of_guest(record) ? "guest of " + record_vm(record, called) + ": " : "";
    return who + found->what(record) + outcome_text(*found, reported) + by_whom(record, rule);
}

}

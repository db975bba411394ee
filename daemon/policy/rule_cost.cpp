// SPDX-License-Identifier: MIT
#include "daemon/policy/compiled.hpp"

namespace hv {
namespace {

/// VMX has one control for all of these instructions.
char const* table_cost(std::uint64_t tables) {
    bool const whole_tables = (tables & (1 << HV_TABLE_GDT | 1 << HV_TABLE_IDT)) != 0;
    bool const segments = (tables & (1 << HV_TABLE_LDT | 1 << HV_TABLE_TR)) != 0;
    if (!segments) {
        return "two exits per LGDT or LIDT (VMX: per SGDT, SIDT, LLDT, LTR, SLDT, STR too)";
    }
    if (!whole_tables) {
        return "two exits per LLDT or LTR (VMX: per LGDT, LIDT, SGDT, SIDT, SLDT, STR too)";
    }
    return "two exits per LGDT, LIDT, LLDT or LTR (VMX: per SGDT, SIDT, SLDT, STR too)";
}

/// Kinds whose cost does not depend on the access; null: the others.
char const* plain_cost(hv_rule const& rule) {
    if (is_about_guests(rule)) return "nothing to Linux; guests a look-up per such exit";
    switch (rule.kind) {
    case HV_RULE_CR:    return "an exit per write that changes such a bit (SVM: per write)";
    case HV_RULE_DTR:   return table_cost(rule.mask);
    case HV_RULE_DR:    return "two exits per MOV to a debug register (VMX: per MOV from one too)";
    case HV_RULE_XCR:   return "an exit per XSETBV (VMX: as without it)";
    case HV_RULE_CPUID: return "an exit per CPUID of any leaf (VMX: as without it, but slower)";
    case HV_RULE_INSTRUCTION:
        return "an exit per execution, two where it is only logged (VMX: RDTSC and RDTSCP exit "
               "together)";
    case HV_RULE_VM: return "nothing but a sum when such a VM is given more";
    default:         return nullptr;
    }
}

}

std::string cost_text(hv_rule const& rule) {
    if (auto const* const cost = plain_cost(rule)) return cost;
    bool const memory = rule.kind == HV_RULE_MEMORY;
    // A page that cannot be read cannot be written or executed, whatever the rule names.
    if (memory && (rule.access & HV_ACCESS_READ) != 0) return "an exit per access";
    std::string how;
    auto const add = [&](unsigned bit, std::string const& what) {
        if ((rule.access & bit) != 0) how += (how.empty() ? "an exit per " : ", per ") + what;
    };
    add(HV_ACCESS_READ, "read");
    add(HV_ACCESS_WRITE, "write");
    add(HV_ACCESS_EXECUTE, "execution");
    if (rule.kind == HV_RULE_IO) return "an exit per access, two where it happens";
    bool const opens = memory && (rule.flags & HV_RULE_PASSES) != 0;
    return how + (opens ? ", two per write that passes" : "");
}

}

// SPDX-License-Identifier: MIT
#include "daemon/policy/rule_reader.hpp"

#include <array>

#include "daemon/policy/choices.hpp"
#include "daemon/policy/exception_reader.hpp"
#include "daemon/policy/guest_reader.hpp"
#include "daemon/policy/instruction_reader.hpp"
#include "daemon/policy/memory_reader.hpp"
#include "daemon/policy/names.hpp"
#include "daemon/policy/scope_reader.hpp"
#include "daemon/policy/terms_reader.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"
#include "kmod/abi/netlink.h"

namespace hv {
namespace {

constexpr std::uint64_t msr_end = 1ull << 32;

/// What the core can watch: the ranges of VMX's bitmaps and of SVM's permission map.
constexpr std::array<std::uint64_t, 3> msr_ranges{0, 0xc0000000, 0xc0010000};
constexpr std::uint64_t msr_range_length = 0x2000;

constexpr std::uint64_t hash_kind = 0;    // no rule of the core's
constexpr std::array kinds{
    named_number{"msr", HV_RULE_MSR},       named_number{"cr", HV_RULE_CR},
    named_number{"memory", HV_RULE_MEMORY}, named_number{"dtr", HV_RULE_DTR},
    named_number{"io", HV_RULE_IO},         named_number{"xcr", HV_RULE_XCR},
    named_number{"cpuid", HV_RULE_CPUID},   named_number{"instruction", HV_RULE_INSTRUCTION},
    named_number{"dr", HV_RULE_DR},         named_number{"vm", HV_RULE_VM},
    named_number{"hash", hash_kind}};
constexpr std::array msr_access{named_number{"read", HV_ACCESS_READ},
                                named_number{"write", HV_ACCESS_WRITE}};
constexpr std::array registers{named_number{"cr0", 0}, named_number{"cr4", 4}};

constexpr unsigned dr7_bit = 1u << 7;    // of what is named: DR7's own bits come from elsewhere
constexpr std::array debug_registers{named_number{"dr0", 1}, named_number{"dr1", 2},
                                     named_number{"dr2", 4}, named_number{"dr3", 8},
                                     named_number{"dr7", dr7_bit}};

std::uint64_t read_msr(value const& from) {
    constexpr auto expected = "an MSR's number or name, such as \"0xc0000082\" or \"ia32_lstar\"";
    if (from.is(json_node::kind::text)) {
        if (auto const known = number_of(msr_names(), from.text())) return *known;
        if (!parse_number(from.text())) {
            from.fail("no MSR is called \"" + printable(from.text(), 40) + "\"" +
                      hint_of(msr_names(), from.text()) + ": give " + expected);
        }
    }
    auto const number = from.number(expected);
    if (number >= msr_end) from.fail("an MSR's number has 32 bits, found " + hex(number));
    return number;
}

void check_msrs(value const& from, hv_rule const& rule) {
    for (auto const first : msr_ranges) {
        if (rule.first >= first && rule.last < first + msr_range_length) return;
    }
    from.fail("expected MSRs of one of the ranges that can be watched: 0x0 to 0x1fff, 0xc0000000 "
              "to 0xc0001fff, 0xc0010000 to 0xc0011fff");
}

void read_msrs(value const& which, hv_rule& rule) {
    if (!which.is(json_node::kind::object)) {
        rule.first = rule.last = read_msr(which);
        return;
    }
    which.only({"first", "last"});
    rule.first = read_msr(which.at("first"));
    rule.last = read_msr(which.at("last"));
    if (rule.last < rule.first) {
        which.fail("the range ends before it starts: last " + hex(rule.last) + " is below first " +
                   hex(rule.first));
    }
}

void read_msr_rule(value const& entry, read_rule& out) {
    auto& into = out.compiled;
    only_rule_keys(entry, {"msr", "access", "value", "guests"});
    auto const which = entry.at("msr");
    into.rule.access = read_access(entry.at("access"), msr_access);
    read_msrs(which, into.rule);
    if (read_guests(entry, out)) return check_guest_msrs(which, into.rule);
    check_msrs(which, into.rule);
    into.object = object_text(into.rule);
    read_value(entry, into);
}

void read_cr_rule(value const& entry, compiled_rule& into) {
    only_rule_keys(entry, {"register", "bits", "value", "except"});
    into.rule.access = HV_ACCESS_WRITE;
    into.rule.first = into.rule.last = choose(entry.at("register"), registers);
    into.rule.mask = read_bits(entry.at("bits"), into.rule.first == 0 ? cr0_bits() : cr4_bits());
    read_direction(entry, into);
    into.object = object_text(into.rule);
}

void read_table_rule(value const& entry, compiled_rule& into) {
    only_rule_keys(entry, {"tables"});
    into.rule.access = HV_ACCESS_WRITE;
    into.rule.mask = read_some(entry.at("tables"), table_bits(), "table");
    into.object = object_text(into.rule);
}

void read_debug_rule(value const& entry, compiled_rule& into) {
    only_rule_keys(entry, {"registers", "bits"});
    into.rule.access = HV_ACCESS_WRITE;
    auto const named = read_some(entry.at("registers"), debug_registers, "debug register");
    auto const bits = entry.find("bits");
    if (bits && (named & dr7_bit) == 0) {
        bits->fail("are those of dr7: expected \"dr7\" among the \"registers\"");
    }
    into.rule.mask = std::uint64_t{named & ~dr7_bit} << first_debug_bit;
    if ((named & dr7_bit) != 0) into.rule.mask |= bits ? read_bits(*bits, dr7_bits()) : dr7_mask;
    into.object = object_text(into.rule);
}

}

std::string read_name(value const& from) {
    constexpr auto expected = "a name of 1 to 63 of a-z, 0-9 and \"-\"";
    auto const& name = from.text(expected);
    if (name.empty() || name.size() >= HV_NAME_BYTES ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
        from.fail("expected " + std::string{expected} + ", found \"" + printable(name, 40) + "\"");
    }
    return name;
}

read_rule read_policy_rule(value const& entry) {
    read_rule out;
    auto& compiled = out.compiled;
    compiled.name = read_name(entry.at("name"));
    compiled.place = entry.place();
    auto const kind = choose(entry.at("kind"), kinds);
    compiled.rule.kind = static_cast<std::uint16_t>(kind);
    if (kind == HV_RULE_MSR) read_msr_rule(entry, out);
    if (kind == HV_RULE_CR) read_cr_rule(entry, compiled);
    if (kind == HV_RULE_MEMORY) read_memory_rule(entry, out);
    if (kind == hash_kind) read_hash_rule(entry, out);
    if (kind == HV_RULE_DTR) read_table_rule(entry, compiled);
    if (kind == HV_RULE_IO) read_io_rule(entry, out);
    if (kind == HV_RULE_XCR) read_xcr_rule(entry, compiled);
    if (kind == HV_RULE_CPUID) read_cpuid_rule(entry, compiled);
    if (kind == HV_RULE_INSTRUCTION) read_instruction_rule(entry, compiled);
    if (kind == HV_RULE_DR) read_debug_rule(entry, compiled);
    if (kind == HV_RULE_VM) read_vm_rule(entry, out);
    if (kind == HV_RULE_CR || kind == HV_RULE_MEMORY) out.writer = read_except(entry, compiled);
    read_scope(entry, compiled);
    read_terms(entry, compiled);
    return out;
}

}

// SPDX-License-Identifier: MIT
#include "daemon/policy/instruction_reader.hpp"

#include <array>

#include "daemon/policy/choices.hpp"
#include "daemon/policy/exception_reader.hpp"
#include "daemon/policy/guest_reader.hpp"
#include "daemon/policy/scope_reader.hpp"

namespace hv {
namespace {

constexpr std::array io_access{named_number{"read", HV_ACCESS_READ},
                               named_number{"write", HV_ACCESS_WRITE}};
constexpr std::array xcrs{named_number{"xcr0", 0}};

/// A number of `what`, at most `highest`.
std::uint64_t read_limited(value const& from, char const* what, std::uint64_t highest) {
    auto const number = from.number(what);
    if (number > highest) {
        from.fail("expected " + std::string{what} + ", at most " + hex(highest) + ", found " +
                  hex(number));
    }
    return number;
}

/// One number, or {"first": …, "last": …}, both inclusive.
void read_numbers(value const& from, char const* what, std::uint64_t highest, hv_rule& rule) {
    if (!from.is(json_node::kind::object)) {
        rule.first = rule.last = read_limited(from, what, highest);
        return;
    }
    from.only({"first", "last"});
    rule.first = read_limited(from.at("first"), what, highest);
    rule.last = read_limited(from.at("last"), what, highest);
    if (rule.last < rule.first) {
        from.fail("the range ends before it starts: last " + hex(rule.last) + " is below first " +
                  hex(rule.first));
    }
}

/// The bits of one register that an answer loses; nothing given: all of all four.
std::uint64_t read_hidden(std::optional<value> const& bits, std::string const& which) {
    if (!bits) return 0xffffffff;
    auto const given = bits->find(which);
    return given ? read_limited(*given, "a mask of bits", 0xffffffff) : 0;
}

}

void read_io_rule(value const& entry, read_rule& into) {
    only_rule_keys(entry, {"ports", "access", "guests"});
    auto& rule = into.compiled.rule;
    read_numbers(entry.at("ports"), "a port's number", 0xffff, rule);
    rule.access = read_access(entry.at("access"), io_access);
    if (!read_guests(entry, into)) into.compiled.object = object_text(rule);
}

void read_xcr_rule(value const& entry, compiled_rule& into) {
    only_rule_keys(entry, {"register", "bits", "value"});
    into.rule.access = HV_ACCESS_WRITE;
    static_cast<void>(choose(entry.at("register"), xcrs));
    into.rule.mask = read_bits(entry.at("bits"), xcr0_bits());
    read_direction(entry, into);
    into.object = object_text(into.rule);
}

void read_cpuid_rule(value const& entry, compiled_rule& into) {
    only_rule_keys(entry, {"leaf", "subleaf", "bits"});
    auto& rule = into.rule;
    rule.access = HV_ACCESS_READ;
    read_numbers(entry.at("leaf"), "a leaf of CPUID", 0xffffffff, rule);
    auto const subleaf = entry.find("subleaf");
    if (subleaf && rule.first != rule.last) subleaf->fail("is of one leaf: expected one \"leaf\"");
    auto const which = subleaf ? read_limited(*subleaf, "a sub-leaf of CPUID", 0xffffffff) : 0;
    rule.first = rule.first << 32 | which;
    rule.last = rule.last << 32 | (subleaf ? which : 0xffffffff);
    auto const bits = entry.find("bits");
    if (bits) bits->only({"eax", "ebx", "ecx", "edx"});
    rule.mask = read_hidden(bits, "eax") | read_hidden(bits, "ebx") << 32;
    rule.pass_first = read_hidden(bits, "ecx") | read_hidden(bits, "edx") << 32;
    if ((rule.mask | rule.pass_first) == 0) bits->fail("expected at least one bit");
    into.object = object_text(rule);
}

void read_instruction_rule(value const& entry, compiled_rule& into) {
    only_rule_keys(entry, {"instructions"});
    into.rule.access = HV_ACCESS_EXECUTE;
    auto const list = entry.at("instructions");
    into.rule.mask = read_some(list, instruction_bits(), "instruction");
    into.object = object_text(into.rule);
}

}

// SPDX-License-Identifier: MIT
#include "daemon/policy/scope_reader.hpp"

#include <array>
#include <vector>

#include "daemon/policy/choices.hpp"
#include "daemon/policy/rule_reader.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

constexpr std::array lifetimes{named_number{"revocable", 0}, named_number{"hoisted", HV_RULE_STAYS},
                               named_number{"ratchet", HV_RULE_RATCHET}};
constexpr std::array every_rule{std::string_view{"name"},   std::string_view{"kind"},
                                std::string_view{"action"}, std::string_view{"cpus"},
                                std::string_view{"when"},   std::string_view{"lifetime"},
                                std::string_view{"rate"}};

std::uint64_t read_cpu(value const& from) {
    auto const cpu = from.number("the number of a CPU");
    if (cpu >= HV_RULE_CPUS) {
        from.fail("a rule can name the CPUs 0 to " + std::to_string(HV_RULE_CPUS - 1) + ", found " +
                  std::to_string(cpu));
    }
    return cpu;
}

/// A list, or {"first": …, "last": …}, both inclusive.
std::uint64_t read_cpus(value const& from) {
    std::uint64_t cpus = 0;
    if (from.is(json_node::kind::object)) {
        from.only({"first", "last"});
        auto const first = read_cpu(from.at("first"));
        auto const last = read_cpu(from.at("last"));
        if (last < first) from.fail("the range ends before it starts");
        for (auto cpu = first; cpu <= last; ++cpu) {
            cpus |= 1ull << cpu;
        }
        return cpus;
    }
    for (auto const& each : from.items()) {
        auto const bit = 1ull << read_cpu(each);
        if ((cpus & bit) != 0) each.fail("this CPU is given twice");
        cpus |= bit;
    }
    if (cpus == 0) from.fail("expected at least one CPU");
    return cpus;
}

void read_when(value const& when, compiled_rule& into) {
    constexpr auto expected = "\"now\", \"seal\" or {\"marker\": NAME}";
    if (when.is(json_node::kind::object)) {
        when.only({"marker"});
        auto const marker = when.at("marker");
        into.marker = read_name(marker);
        if (into.marker == "seal")
            marker.fail("the seal is no such marker: expected another name, "
                        "or \"when\": \"seal\"");
        return;
    }
    auto const& text = when.text(expected);
    if (text == "seal") into.rule.flags |= HV_MARKER_SEAL << HV_RULE_MARKER_SHIFT;
    if (text != "now" && text != "seal") {
        when.fail("expected " + std::string{expected} + ", found \"" + printable(text, 40) + "\"");
    }
}

void read_cpus_of(value const& cpus, compiled_rule& into) {
    auto& rule = into.rule;
    if (rule.kind == HV_RULE_MEMORY) {
        cpus.fail("a memory rule is for all CPUs, which share what they may do with memory: "
                  "leave \"cpus\" out");
    }
    if (rule.kind == HV_RULE_VM || is_about_guests(rule)) {
        cpus.fail("a rule about guest VMs is for all CPUs, whichever runs them: leave \"cpus\" "
                  "out");
    }
    rule.cpus = read_cpus(cpus);
    into.object += cpus_text(rule);
}

}

void only_rule_keys(value const& entry, std::initializer_list<std::string_view> own) {
    std::vector<std::string_view> known{every_rule.begin(), every_rule.end()};
    known.insert(known.begin() + 2, own.begin(), own.end());
    entry.only(known);
}

void read_scope(value const& entry, compiled_rule& into) {
    if (auto const cpus = entry.find("cpus")) read_cpus_of(*cpus, into);
    if (auto const when = entry.find("when")) read_when(*when, into);
    if (auto const lifetime = entry.find("lifetime")) {
        into.rule.flags |= static_cast<std::uint32_t>(choose(*lifetime, lifetimes));
    }
}

}

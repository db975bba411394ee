// SPDX-License-Identifier: MIT
#include "daemon/policy/terms_reader.hpp"

#include <array>

#include "daemon/policy/choices.hpp"

namespace hv {
namespace {

constexpr unsigned report_only = 0x100;    // beside enum hv_action: the core only logs

constexpr std::array actions{
    named_number{"log", HV_ACTION_LOG},     named_number{"deny", HV_ACTION_DENY},
    named_number{"keep", HV_ACTION_KEEP},   named_number{"report-only", report_only},
    named_number{"pause", HV_ACTION_PAUSE}, named_number{"kill", HV_ACTION_KILL}};
constexpr std::array modes{named_number{"enforce", 0}, named_number{"report-only", 1}};
constexpr std::array periods{named_number{"second", 1}, named_number{"minute", 60},
                             named_number{"hour", 3600}};
constexpr std::uint64_t most_records = 1'000'000;

void check_keep(value const& action, hv_rule const& rule) {
    if (is_about_guests(rule)) {
        action.fail("nothing is kept of what guests do: expected \"log\", \"deny\", "
                    "\"report-only\", \"pause\" or \"kill\"");
    }
    bool const has_value = rule.kind == HV_RULE_MSR || rule.kind == HV_RULE_CR ||
                           rule.kind == HV_RULE_DTR || rule.kind == HV_RULE_XCR ||
                           rule.kind == HV_RULE_DR;
    if (!has_value) {
        action.fail("only what has a value can keep it: msr, cr, xcr, dtr, dr: expected \"log\" or "
                    "\"deny\"");
    }
    if (rule.kind == HV_RULE_MSR && rule.access != HV_ACCESS_WRITE) {
        action.fail("\"keep\" is about what is written: expected \"access\": [\"write\"]");
    }
}

void check_stop(value const& action, hv_rule const& rule) {
    if (is_about_guests(rule)) return;
    action.fail("\"" + action.text() +
                "\" is for VMs, with \"guests\" in a rule of kind io or "
                "msr: expected \"log\" or \"deny\"");
}

/// What is not readable is not there at all: NPT has no such pages, EPT none that are written, and
/// those that are only executed not on each CPU.
void check_deny(value const& entry, hv_rule const& rule) {
    constexpr std::uint32_t all = HV_ACCESS_READ | HV_ACCESS_WRITE | HV_ACCESS_EXECUTE;
    if (rule.kind != HV_RULE_MEMORY || (rule.access & HV_ACCESS_READ) == 0) return;
    if (rule.access == all) return;
    entry.at("access").fail(
        "a page that is closed to reading is closed altogether, as AMD's CPUs and some of Intel's "
        "know no other: to deny, expected \"access\": [\"read\", \"write\", \"execute\"]");
}

rule_rate read_rate(value const& from) {
    from.only({"records", "per"});
    return {.records = from.at("records").number_between(1, most_records),
            .seconds = choose(from.at("per"), periods)};
}

}

void read_terms(value const& entry, compiled_rule& into) {
    auto const action = choose(entry.at("action"), actions);
    into.terms.report_only = action == report_only;
    into.rule.action = into.terms.report_only ? std::uint16_t{HV_ACTION_LOG}
                                              : static_cast<std::uint16_t>(action);
    if (action == HV_ACTION_DENY) check_deny(entry, into.rule);
    if (action == HV_ACTION_KEEP) check_keep(entry.at("action"), into.rule);
    if (action == HV_ACTION_PAUSE || action == HV_ACTION_KILL) {
        check_stop(entry.at("action"), into.rule);
    }
    if (auto const rate = entry.find("rate")) into.terms.rate = read_rate(*rate);
}

bool read_mode(value const& root) {
    auto const mode = root.find("mode");
    return mode && choose(*mode, modes) != 0;
}

}

// SPDX-License-Identifier: MIT
#include "daemon/policy/exception_reader.hpp"

#include <array>

#include "daemon/policy/choices.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

constexpr std::array directions{named_number{"growing", HV_RULE_GROWS},
                                named_number{"shrinking", HV_RULE_SHRINKS}};

void pass_range(hv_rule& rule, std::uint64_t first, std::uint64_t last) {
    rule.flags |= HV_RULE_PASSES;
    rule.pass_first = first;
    rule.pass_last = last;
}

/// {"first": …, "last": …}, both inclusive.
void read_pass_range(value const& from, hv_rule& rule) {
    from.only({"first", "last"});
    pass_range(rule, from.at("first").number(), from.at("last").number());
    if (rule.pass_last < rule.pass_first) {
        from.fail("the range ends before it starts: last " + hex(rule.pass_last) +
                  " is below first " + hex(rule.pass_first));
    }
}

}

std::string read_symbol(value const& from) {
    auto const& name = from.text("the name of a kernel symbol");
    bool const sound = !name.empty() && name.size() < 256 &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789_.$") == std::string::npos;
    if (!sound) from.fail("expected the name of a kernel symbol");
    return name;
}

void read_value(value const& entry, compiled_rule& into) {
    auto const given = entry.find("value");
    if (!given) return;
    constexpr auto expected = "expected \"unchanged\", \"growing\", \"shrinking\" or "
                              "{\"allowed\": …}";
    if (into.rule.access != HV_ACCESS_WRITE) {
        given->fail("is about what is written: expected \"access\": [\"write\"]");
    }
    if (given->is(json_node::kind::text)) {
        if (auto const way = number_of(directions, given->text())) {
            into.rule.flags |= static_cast<std::uint32_t>(*way);
            return;
        }
        if (given->text() != "unchanged") given->fail(expected);
        if (into.rule.first != into.rule.last) given->fail("\"unchanged\" is for one MSR");
        pass_range(into.rule, 0, 0);
        into.rule.flags |= HV_RULE_UNCHANGED;
        return;
    }
    given->only({"allowed"});
    auto const allowed = given->at("allowed");
    if (allowed.is(json_node::kind::object)) return read_pass_range(allowed, into.rule);
    auto const one = allowed.number("a value, or {\"first\": …, \"last\": …}");
    pass_range(into.rule, one, one);
}

void read_direction(value const& entry, compiled_rule& into) {
    auto const given = entry.find("value");
    if (!given) return;
    into.rule.flags |= static_cast<std::uint32_t>(choose(*given, directions));
    if (entry.find("except")) {
        given->fail("a rule has one exception, \"value\" or \"except\": leave one of them out");
    }
}

std::optional<writer_symbol> read_except(value const& entry, compiled_rule& into) {
    auto const except = entry.find("except");
    if (!except) return std::nullopt;
    if (into.rule.access != HV_ACCESS_WRITE) {
        except->fail("is about who writes: expected \"access\": [\"write\"]");
    }
    auto const list = except->items();
    if (list.size() != 1) {
        except->fail("expected one range of addresses: the core holds one for each rule");
    }
    auto const& range = list.front();
    if (auto const symbol = range.find("symbol")) {
        range.only({"symbol"});
        auto const name = read_symbol(*symbol);
        return writer_symbol{name, name, symbol->path(), symbol->path()};
    }
    if (auto const symbols = range.find("symbols")) {
        range.only({"symbols"});
        symbols->only({"first", "last"});
        auto const first = symbols->at("first");
        auto const last = symbols->at("last");
        return writer_symbol{read_symbol(first), read_symbol(last), first.path(), last.path()};
    }
    read_pass_range(range, into.rule);
    return std::nullopt;
}

}

// SPDX-License-Identifier: MIT
#include "daemon/policy/compiler.hpp"

#include <map>

#include "daemon/policy/places.hpp"
#include "daemon/policy/rule_reader.hpp"
#include "daemon/policy/terms_reader.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

constexpr std::uint64_t page = HV_PAGE_BYTES;
constexpr std::size_t description_bytes = 4096;

std::vector<read_rule> read_rules(value const& list) {
    std::vector<read_rule> out;
    std::map<std::string, std::string> places;
    for (auto const& each : list.items()) {
        if (out.size() == HV_MAX_RULES) {
            each.fail("more than " + std::to_string(HV_MAX_RULES) + " rules");
        }
        out.push_back(read_policy_rule(each));
        auto const& rule = out.back().compiled;
        if (auto const [at, fresh] = places.emplace(rule.name, rule.place); !fresh) {
            each.at("name").fail("rule \"" + rule.name + "\" is already at " + at->second +
                                 ": give each rule a name of its own");
        }
    }
    if (out.empty()) list.fail("expected at least one rule");
    return out;
}

symbol_table look_up(std::vector<read_rule> const& rules, symbol_resolver& symbols) {
    std::set<std::string> names;
    for (auto const& each : rules) {
        if (!each.symbols) continue;
        names.insert(each.symbols->first);
        names.insert(each.symbols->end);
    }
    return names.empty() ? symbol_table{} : symbols.resolve(names);
}

function_table look_up_writers(std::vector<read_rule> const& rules, symbol_resolver& symbols) {
    std::set<std::string> names;
    for (auto const& each : rules) {
        if (!each.writer) continue;
        names.insert(each.writer->first);
        names.insert(each.writer->last);
    }
    return names.empty() ? function_table{} : symbols.functions(names);
}

std::uint64_t found(symbol_table const& table, compiled_rule const& rule, std::string const& name,
                    std::string const& path) {
    auto const at = table.physical.find(name);
    if (at != table.physical.end()) return at->second;
    auto const why = table.refused.find(name);
    fail_at(rule, path, why == table.refused.end() ? "unknown symbol " + name : why->second);
}

/// Whole pages only, so nothing beside the range comes under the rule: rounded inward, unless the
/// rest of its pages is Linux's padding.
void place_symbols(symbol_range const& range, symbol_table const& table, compiled_rule& rule,
                   std::vector<std::string>& notes) {
    auto const start = found(table, rule, range.first, range.first_path);
    auto const end = found(table, rule, range.end, range.end_path) + range.more;
    auto const first = (start + (range.outward ? 0 : page - 1)) / page * page;
    auto const last = (end + (range.outward ? page - 1 : 0)) / page * page;
    if (last <= first) {
        fail_at(rule, range.end_path,
                range.first + ".." + range.end + " is " + hex(start) + ".." + hex(end) +
                    " and holds no whole page: the rule would protect nothing");
    }
    rule.rule.first = first;
    rule.rule.last = last - 1;
    if (first == start && last == end) return;
    notes.push_back("rule \"" + rule.name + "\": " + range.first + ".." + range.end + " is " +
                    hex(start) + ".." + hex(end) + ", rounded " +
                    (range.outward ? "outward" : "inward") + " to whole pages " + hex(first) +
                    ".." + hex(last));
}

function_table::range found(function_table const& table, compiled_rule const& rule,
                            std::string const& name, std::string const& path) {
    auto const at = table.functions.find(name);
    if (at != table.functions.end()) return at->second;
    auto const why = table.refused.find(name);
    fail_at(rule, path, why == table.refused.end() ? "unknown symbol " + name : why->second);
}

void place_writer(writer_symbol const& writer, function_table const& table, compiled_rule& rule) {
    auto const first = found(table, rule, writer.first, writer.first_path);
    auto const last = found(table, rule, writer.last, writer.last_path);
    if (last.last < first.first) {
        fail_at(rule, writer.last_path,
                writer.last + " lies before " + writer.first + ": exchange the two");
    }
    rule.rule.flags |= HV_RULE_PASSES;
    rule.rule.pass_first = first.first;
    rule.rule.pass_last = last.last;
}

/// The user of the VM that the rule names.
void place_vm(read_rule& rule, symbol_resolver& symbols, compiled_policy& policy) {
    if (rule.vm_path.empty()) return;
    auto const found = symbols.vm_user(rule.compiled.vm);
    if (!found.refused.empty()) fail_at(rule.compiled, rule.vm_path, found.refused);
    note_unavailable(policy, "VMs", found.unavailable);
    set_users(rule.compiled.rule, {found.answer, found.answer});
}

/// Those whose objects are known: where names could not be resolved there are others.
std::vector<compiled_rule const*> known_rules(compiled_policy const& policy) {
    std::vector<compiled_rule const*> out;
    for (auto const& each : policy.rules) {
        bool const named = each.rule.kind == HV_RULE_MEMORY || each.rule.kind == HV_RULE_CR ||
                           !each.vm.empty();
        if (!named || policy.resolved) out.push_back(&each);
    }
    return out;
}

void report_instead(compiled_rule& rule) {
    if (rule.rule.action == HV_ACTION_LOG) return;
    rule.rule.action = HV_ACTION_LOG;
    rule.terms.report_only = true;
}

/// All but the rules.
compiled_policy read_head(value const& root) {
    root.only({"version", "name", "description", "mode", "rules"});
    if (root.at("version").number() != 1) {
        root.at("version").fail("this hvd reads version 1 of policy files: expected 1");
    }
    compiled_policy policy;
    policy.name = read_name(root.at("name"));
    if (auto const description = root.find("description")) {
        policy.description = description->text();
        if (policy.description.size() > description_bytes) {
            description->fail("longer than 4096 bytes");
        }
    }
    return policy;
}

}

compiled_policy compile_policy(std::string const& path, std::string text,
                               symbol_resolver& symbols) {
    document const file{printable(path, 255), std::move(text), {.bytes = policy_file_bytes}};
    value const root{file};
    auto policy = read_head(root);
    policy.path = path;
    bool const report_only = read_mode(root);
    auto rules = read_rules(root.at("rules"));
    auto const table = look_up(rules, symbols);
    note_unavailable(policy, "symbols", table.unavailable);
    auto const writers = look_up_writers(rules, symbols);
    note_unavailable(policy, "functions", writers.unavailable);
    auto const places = find_places(rules, symbols, policy);
    for (auto& each : rules) {
        place_vm(each, symbols, policy);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        auto& each = rules[i];
        if (each.writer && policy.resolved) place_writer(*each.writer, writers, each.compiled);
        if (each.symbols && policy.resolved) {
            place_symbols(*each.symbols, table, each.compiled, policy.notes);
        }
        if (report_only) report_instead(each.compiled);
        if (each.hash)
            add_hash(each, places[i], symbols, policy);
        else
            add_rule(each, places[i], policy);
    }
    refuse_contradictions(known_rules(policy));
    return policy;
}

}

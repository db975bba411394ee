// SPDX-License-Identifier: MIT
#include "cli/parser.hpp"

#include <algorithm>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "daemon/device/device_error.hpp"
#include "daemon/policy/compiler.hpp"
#include "daemon/text/nearest.hpp"
#include "daemon/text/printable.hpp"

namespace hv::cli {
namespace {

struct bound_verb {
    verb const* what;
    CLI::App* app;
};

std::string before_space(std::string_view name) {
    return std::string{name.substr(0, name.find(' '))};
}
std::string after_space(std::string_view name) {
    return std::string{name.substr(name.find(' ') + 1)};
}
bool in_group(verb const& each) { return each.name.find(' ') != each.name.npos; }

CLI::App* place_of(CLI::App& root, verb const& what) {
    auto* parent = &root;
    if (in_group(what)) parent = root.get_subcommand(before_space(what.name));
    auto* const app = parent->add_subcommand(after_space(what.name), std::string{what.summary});
    app->fallthrough();
    app->footer(std::string{what.description});
    return app;
}

bound_verb bind(CLI::App& root, verb const& what, invocation& into) {
    auto* const app = place_of(root, what);
    for (auto const& each : what.arguments) {
        auto const store = [&into, key = std::string{each.name}](std::string const& text) {
            into.given[key] = text;
        };
        auto* const option = app->add_option_function<std::string>(std::string{each.name}, store,
                                                                   std::string{each.help});
        option->required(!each.optional);
    }
    for (auto const& each : what.options) {
        std::string const key{each.key()};
        std::string const names{each.names};
        std::string const help{each.help};
        if (each.argument.empty()) {
            app->add_flag_function(
                names, [&into, key](std::int64_t) { into.given[key] = ""; }, help);
            continue;
        }
        auto* const option = app->add_option_function<std::string>(
            names, [&into, key](std::string const& text) { into.given[key] = text; }, help);
        option->type_name(std::string{each.argument});
        option->take_last();
    }
    return {&what, app};
}

std::vector<std::string_view> names_after(std::string_view group) {
    std::vector<std::string_view> out;
    for (auto const& each : verbs()) {
        auto const first = each.name.substr(0, each.name.find(' '));
        auto const name = group.empty() ? first : each.name.substr(each.name.find(' ') + 1);
        if (group.empty() || (in_group(each) && first == group)) out.push_back(name);
    }
    return out;
}

/// CLI11 would speak of extra arguments: a verb that is none deserves a line of its own.
void refuse_unknown_verb(std::vector<std::string> const& words) {
    std::string group;
    for (auto const& word : words) {
        if (word.starts_with('-')) continue;
        auto const known = names_after(group);
        if (std::find(known.begin(), known.end(), word) == known.end()) {
            throw usage_error{"unknown verb \"" +
                              printable(group.empty() ? word : group + " " + word) + "\"" +
                              nearest_hint(word, known) + ": see hvctl --help"};
        }
        auto const is_group = [&](auto const& each) { return each.name == word; };
        if (!group.empty() || std::none_of(groups().begin(), groups().end(), is_group)) return;
        group = word;
    }
}

std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text.substr(0, text.find_last_not_of(". ") + 1);
}

}

parsed parse(std::vector<std::string> const& words) {
    parsed out;
    refuse_unknown_verb(words);
    CLI::App root{"Hoist: a small hypervisor under a running Linux", "hvctl"};
    root.require_subcommand(1);
    root.add_flag("--json", out.json, std::string{common_options().front().help});
    for (auto const& each : groups()) {
        auto* const group = root.add_subcommand(std::string{each.name}, std::string{each.summary});
        group->require_subcommand(1)->fallthrough();
    }
    std::vector<bound_verb> bound;
    for (auto const& each : verbs()) {
        bound.push_back(bind(root, each, out.what));
    }
    try {
        root.parse(std::vector<std::string>{words.rbegin(), words.rend()});
    } catch (CLI::CallForHelp const&) {
        out.help = root.help();
    } catch (CLI::ParseError const& error) {
        throw usage_error{one_line(error.what()) + ": see hvctl --help"};
    }
    for (auto const& each : bound) {
        if (each.app->parsed()) out.what.which = each.what;
    }
    return out;
}

int run(context& with, std::vector<std::string> const& words) {
    try {
        auto const asked = parse(words);
        if (asked.help) {
            with.print(*asked.help);
            return done;
        }
        with.json = asked.json;
        return asked.what.which->run(with, asked.what);
    } catch (usage_error const& error) {
        with.remark(error.what());
        return usage;
    } catch (std::exception const& error) {
        with.remark(error.what());
        return refused;
    }
}

}

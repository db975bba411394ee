// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <vector>

#include "cli/run.hpp"

namespace hv::cli {
namespace {

std::string joined(std::vector<std::string> const& words) {
    std::string out;
    for (auto const& each : words) {
        out += (out.empty() ? "" : " ") + each;
    }
    return out;
}

std::vector<std::string> split_names(std::string_view names) {
    std::vector<std::string> out;
    for (auto rest = names; !rest.empty();) {
        auto const comma = rest.find(',');
        out.emplace_back(rest.substr(0, comma));
        rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return out;
}

/// Each word that may come first, and for a group the words that may come second.
std::map<std::string, std::vector<std::string>> tree() {
    std::map<std::string, std::vector<std::string>> out;
    for (auto const& each : verbs()) {
        auto const space = each.name.find(' ');
        auto& second = out[std::string{each.name.substr(0, space)}];
        if (space != each.name.npos) second.emplace_back(each.name.substr(space + 1));
    }
    return out;
}

std::vector<std::string> option_words(verb const& each) {
    std::vector<std::string> out;
    for (auto const& option : each.options) {
        for (auto& name : split_names(option.names)) {
            out.push_back(std::move(name));
        }
    }
    return out;
}

completes first_argument(verb const& each) {
    return each.arguments.empty() ? completes::nothing : each.arguments.front().what;
}

constexpr auto policy_names =
    "hvctl --json policy list 2>/dev/null | grep -o '\"name\":\"[^\"]*\"' | cut -d '\"' -f 4";

constexpr auto vm_names =
    "hvctl --json vm list 2>/dev/null | grep -o '\"name\":\"[^\"]*\"' | cut -d '\"' -f 4";

// One whose name is lost is "marker 5" there, which policy mark does not take.
constexpr auto marker_names =
    "hvctl --json policy list 2>/dev/null | grep -o '\"waited_for\":[^]]*' | "
    "grep -o '\"[a-z0-9-]*\"' | cut -d '\"' -f 2";

/// The command that tells the names; empty: no such names.
std::string names_from(completes what) {
    switch (what) {
    case completes::policy:  return policy_names;
    case completes::vm:      return vm_names;
    case completes::marker:  return marker_names;
    case completes::nothing:
    case completes::file:
    case completes::folder:
    case completes::shell:   break;
    }
    return {};
}

std::string bash_case(verb const& each) {
    auto const options = joined(option_words(each));
    std::string out = "    \"" + std::string{each.name} + "\")\n";
    switch (first_argument(each)) {
    case completes::file:
    case completes::folder: out += "        COMPREPLY=($(compgen -f -- \"$word\"))\n"; break;
    case completes::policy:
    case completes::vm:
    case completes::marker:
        out += "        COMPREPLY=($(compgen -W \"$(" + names_from(first_argument(each)) +
               ")\" -- \"$word\"))\n";
        break;
    case completes::shell:
        out += "        COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\"))\n";
        break;
    case completes::nothing: break;
    }
    if (!options.empty()) {
        out += "        [[ $word == -* || ${#COMPREPLY[@]} -eq 0 ]] &&\n            "
               "COMPREPLY=($(compgen -W '" +
               options + "' -- \"$word\"))\n";
    }
    return out + "        ;;\n";
}

/// For bash, and for zsh through its bashcompinit.
std::string bash_function() {
    std::string out = "_hvctl() {\n"
                      "    local word=${COMP_WORDS[COMP_CWORD]} words=() i\n"
                      "    COMPREPLY=()\n"
                      "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                      "        [[ ${COMP_WORDS[i]} == -* ]] || words+=(\"${COMP_WORDS[i]}\")\n"
                      "    done\n"
                      "    case \"${words[*]}\" in\n";
    std::vector<std::string> first;
    for (auto const& [name, second] : tree()) {
        first.push_back(name);
        if (second.empty()) continue;
        out += "    " + name + ")\n        COMPREPLY=($(compgen -W '" + joined(second) +
               "' -- \"$word\"))\n        ;;\n";
    }
    out += "    \"\")\n        COMPREPLY=($(compgen -W '--json --help " + joined(first) +
           "' -- \"$word\"))\n        ;;\n";
    for (auto const& each : verbs()) {
        out += bash_case(each);
    }
    return out + "    esac\n}\n";
}

std::string bash() {
    return "# Completion of hvctl for bash, written by hvctl generate completion bash.\n" +
           bash_function() + "complete -o filenames -F _hvctl hvctl\n";
}

std::string zsh() {
    return "#compdef hvctl\n# Completion of hvctl for zsh, written by hvctl generate completion "
           "zsh.\nautoload -Uz bashcompinit && bashcompinit\n" +
           bash_function() + "complete -F _hvctl hvctl\n";
}

std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (char const each : text) {
        if (each == '\'' || each == '\\') out += '\\';
        out += each;
    }
    return out + "'";
}

std::string fish_verb(verb const& each) {
    auto const space = each.name.find(' ');
    std::string const first{each.name.substr(0, space)};
    std::string const last{each.name.substr(space == each.name.npos ? 0 : space + 1)};
    auto condition = "__fish_seen_subcommand_from " + first;
    std::string out;
    if (space == each.name.npos) {
        out += "complete -c hvctl -n __fish_use_subcommand -a " + first + " -d " +
               shell_quoted(each.summary) + "\n";
    } else {
        out += "complete -c hvctl -n " + shell_quoted(condition) + " -a " + last + " -d " +
               shell_quoted(each.summary) + "\n";
        condition += "; and __fish_seen_subcommand_from " + last;
    }
    for (auto const& option : each.options) {
        out += "complete -c hvctl -n " + shell_quoted(condition);
        for (auto const& name : split_names(option.names)) {
            out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        }
        out += (option.argument.empty() ? "" : " -r") + std::string{" -d "} +
               shell_quoted(option.help) + "\n";
    }
    auto const what = first_argument(each);
    if (what == completes::file) out += "complete -c hvctl -n " + shell_quoted(condition) + " -F\n";
    if (auto const names = names_from(what); !names.empty()) {
        out += "complete -c hvctl -n " + shell_quoted(condition) + " -a " +
               shell_quoted("(" + names + ")") + "\n";
    }
    if (what == completes::shell) {
        out += "complete -c hvctl -n " + shell_quoted(condition) + " -a 'bash zsh fish'\n";
    }
    return out;
}

std::string fish() {
    std::string out = "# Completion of hvctl for fish, written by hvctl generate completion "
                      "fish.\ncomplete -c hvctl -f\n";
    for (auto const& each : common_options()) {
        out += "complete -c hvctl -l " + std::string{each.key()} + " -d " +
               shell_quoted(each.help) + "\n";
    }
    for (auto const& each : groups()) {
        out += "complete -c hvctl -n __fish_use_subcommand -a " + std::string{each.name} + " -d " +
               shell_quoted(each.summary) + "\n";
    }
    for (auto const& each : verbs()) {
        out += fish_verb(each);
    }
    return out;
}

}

int run_generate_completion(context& with, invocation const& what) {
    auto const& shell = what.text("SHELL");
    if (shell != "bash" && shell != "zsh" && shell != "fish") {
        throw usage_error{"SHELL: expected bash, zsh or fish"};
    }
    if (what.has("PROGRAM") && what.text("PROGRAM") == "hv-run") {
        with.print(hv_run_completion(shell));
        return done;
    }
    if (what.has("PROGRAM") && what.text("PROGRAM") != "hvctl") {
        throw usage_error{"PROGRAM: expected hvctl or hv-run"};
    }
    with.print(shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish());
    return done;
}

}

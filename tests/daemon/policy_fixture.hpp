// SPDX-License-Identifier: MIT
// What the tests of the policy compiler share.
#pragma once
#include "daemon/policy/compiler.hpp"

#include "temporary_folder.hpp"

namespace hv {

class fixed_symbols : public symbol_resolver {
public:
    symbol_table resolve(std::set<std::string> const& names) override {
        if (!unavailable.empty()) return {{}, {}, unavailable};
        symbol_table out;
        for (auto const& each : names) {
            if (auto const at = known.find(each); at != known.end())
                out.physical.insert(*at);
            else
                out.refused[each] = "the kernel has no symbol " + each;
        }
        return out;
    }
    function_table functions(std::set<std::string> const& names) override {
        if (!unavailable.empty()) return {{}, {}, unavailable};
        function_table out;
        for (auto const& each : names) {
            if (auto const at = known.find(each); at != known.end())
                out.functions[each] = {at->second, at->second + 0xf};
            else
                out.refused[each] = "the kernel has no symbol " + each;
        }
        return out;
    }
    std::map<std::string, std::uint64_t> known{{"_stext", 0x1000000},
                                               {"_etext", 0x1e00e67},
                                               {"small", 0x1000010},
                                               {"smaller", 0x1000100},
                                               {"idt_table", 0x3000000}};
    std::string unavailable;
};

inline std::string with_rules(std::string const& rules) {
    return "{\"version\":1,\"name\":\"p\",\"rules\":[\n" + rules + "]}";
}

inline compiled_policy compile(std::string const& text) {
    fixed_symbols symbols;
    return compile_policy("p.json", text, symbols);
}

inline hv_rule compile_rule(std::string const& rule) {
    return compile(with_rules(rule)).rules.at(0).rule;
}

/// What is said about a file, less the file's name.
inline std::string refused(std::string const& text) {
    auto const what = refusal_of<std::runtime_error>([&] { compile(text); });
    return what.starts_with("p.json:") ? what.substr(7) : what;
}

inline std::string refused_rule(std::string const& rule) { return refused(with_rules(rule)); }

}

// SPDX-License-Identifier: MIT
// Any bytes as a policy file: refused with one clean line, or compiled to rules that hold what
// hvcore/abi/policy.h promises, and that survive being saved.
#include <cstdlib>

#include "daemon/policy/compiler.hpp"
#include "daemon/policy/rule_book.hpp"

bool core_takes(hv_rule const& rule);    // core_takes.cpp

namespace {

class few_symbols : public hv::symbol_resolver {
public:
    hv::symbol_table resolve(std::set<std::string> const& names) override {
        hv::symbol_table out;
        for (auto const& each : names) {
            if (each.size() % 2 == 0) out.physical[each] = 0x1000000 + each.size() * 0x1234;
            if (each.size() % 2 == 1) out.refused[each] = "unknown";
        }
        if (names.contains("hidden")) out.unavailable = "hidden";
        return out;
    }
    hv::function_table functions(std::set<std::string> const& names) override {
        hv::function_table out;
        for (auto const& each : names) {
            if (each.size() % 2 == 0) out.functions[each] = {each.size(), each.size() * 2};
            if (each.size() % 2 == 1) out.refused[each] = "unknown";
        }
        if (names.contains("hidden")) out.unavailable = "hidden";
        return out;
    }
};

void require(bool truth) {
    if (!truth) std::abort();
}

void check_refusal(std::string const& line) {
    require(!line.empty());
    for (char const each : line) {
        auto const byte = static_cast<unsigned char>(each);
        require(byte >= 0x20 && byte != 0x7f);
    }
}

void check_policy(hv::compiled_policy const& policy) {
    auto const book = hv::rule_book{}.with(policy);
    auto const sets = book.rules();
    for (auto const& each : sets.at(0).rules) {
        require(core_takes(each));
    }
    auto const again = hv::rule_book::from_json(book.to_json());
    require(again.adjusted_to({false, 0, sets}).to_json() == book.to_json());
}

}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t bytes) {
    std::string const text{reinterpret_cast<char const*>(data), bytes};
    few_symbols symbols;
    try {
        auto const policy = hv::compile_policy("fuzz.json", text, symbols);
        if (policy.resolved) check_policy(policy);
    } catch (hv::document_error const& error) {
        check_refusal(error.what());
    } catch (hv::policy_error const& error) {
        check_refusal(error.what());
    }
    (void)hv::rule_book::from_json(text);
    return 0;
}

// SPDX-License-Identifier: MIT
// The schemas are for editors and people; hvd reads by its own code. These keep the two alike.
#include <filesystem>
#include <regex>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/policy/compiler.hpp"
#include "daemon/policy/names.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

nlohmann::json schema(std::string const& name) {
    return nlohmann::json::parse(read_policy_file(HV_TEST_CONFIGS "/schema/" + name));
}

class known_symbols : public symbol_resolver {
public:
    symbol_table resolve(std::set<std::string> const& names) override {
        symbol_table out;
        std::uint64_t at = 0x1000000;
        // Ends behind all starts, whatever the order of their names.
        for (auto const& each : names) {
            bool const ends = each.find("end") != each.npos || each.find("stop") != each.npos ||
                              each.starts_with("_e");
            out.physical[each] = (at += 0x100000) + (ends ? 0x10000000 : 0);
        }
        return out;
    }
    function_table functions(std::set<std::string> const& names) override {
        function_table out;
        for (auto const& each : names) {
            out.functions[each] = {1, 2};
        }
        return out;
    }
    machine_answer<place_answer> place(place_request const&) override {
        return {.answer = {{{0x40000000, 0x40000fff}}, 0}};
    }
    machine_answer<sha256_sum> sum(std::span<hv_range const>) override { return {}; }
};

std::string refused(nlohmann::json const& policy) {
    known_symbols symbols;
    return refusal_of<std::runtime_error>([&] { compile_policy("p", policy.dump(), symbols); });
}

nlohmann::json policy_of(nlohmann::json const& rule) {
    return {{"version", 1}, {"name", "p"}, {"rules", nlohmann::json::array({rule})}};
}

nlohmann::json sound_rule(std::string const& kind) {
    nlohmann::json rule{{"name", "r"}, {"kind", kind}, {"action", "log"}};
    if (kind == "msr") rule.update({{"msr", 1}, {"access", {"read"}}});
    if (kind == "dtr") rule["tables"] = {"gdt"};
    if (kind == "io") rule.update({{"ports", 0x70}, {"access", {"read"}}});
    if (kind == "xcr") rule.update({{"register", "xcr0"}, {"bits", {"avx"}}});
    if (kind == "cpuid") rule["leaf"] = 7;
    if (kind == "instruction") rule["instructions"] = {"wbinvd"};
    if (kind == "hash") rule["section"] = "idt";
    if (kind == "dr") rule["registers"] = {"dr7"};
    if (kind == "vm") rule.update({{"users", "all"}, {"vms", 1}});
    if (kind == "cr") rule.update({{"register", "cr4"}, {"bits", {"smep"}}});
    if (kind == "memory") {
        rule["access"] = {"write"};
        rule["range"] = {{"first", 0}, {"bytes", 4096}};
    }
    return rule;
}

/// Each of the values is one that the reader takes for the key.
void try_each(nlohmann::json const& values, std::string const& kind, std::string const& key,
              bool in_array) {
    for (auto const& each : values) {
        auto rule = sound_rule(kind);
        rule[key] = in_array ? nlohmann::json::array({each}) : each;
        EXPECT_EQ(refused(policy_of(rule)), "") << key << " " << each;
    }
}

TEST(policy_schema, every_example_is_sound) {
    unsigned count = 0;
    for (auto const& each : std::filesystem::directory_iterator{HV_TEST_CONFIGS "/policies"}) {
        known_symbols symbols;
        auto const path = each.path().string();
        auto const policy = compile_policy(path, read_policy_file(path), symbols);
        EXPECT_EQ(policy.name + ".json", each.path().filename());
        EXPECT_FALSE(policy.description.empty());
        ++count;
    }
    EXPECT_EQ(count, 8u);
}

TEST(policy_schema, requires_the_keys_that_the_reader_requires) {
    auto const definitions = schema("policy.schema.json")["$defs"];
    for (auto const* const kind :
         {"msr", "cr", "memory", "dtr", "io", "xcr", "cpuid", "instruction", "dr", "vm", "hash"}) {
        auto const& definition = definitions[std::string{kind} + "_rule"];
        ASSERT_EQ(refused(policy_of(sound_rule(kind))), "") << kind;
        for (auto const& key : definition["required"]) {
            auto rule = sound_rule(kind);
            rule.erase(key.get<std::string>());
            EXPECT_NE(refused(policy_of(rule)).find("is missing"), std::string::npos) << key;
        }
        auto strange = sound_rule(kind);
        strange["strange"] = 1;
        auto const said = refused(policy_of(strange));
        for (auto const& [key, unused] : definition["properties"].items()) {
            EXPECT_NE(said.find(key), std::string::npos) << key;
        }
        EXPECT_EQ(definition["additionalProperties"], false);
    }
}

TEST(policy_schema, lists_the_values_that_the_reader_takes) {
    auto const definitions = schema("policy.schema.json")["$defs"];
    try_each(definitions["action"]["enum"], "msr", "action", false);
    try_each(definitions["msr_rule"]["properties"]["access"]["items"]["enum"], "msr", "access",
             true);
    try_each(definitions["memory_rule"]["properties"]["access"]["items"]["enum"], "memory",
             "access", true);
    try_each(definitions["dtr_rule"]["properties"]["tables"]["items"]["enum"], "dtr", "tables",
             true);
    for (auto const& each : definitions["section"]["enum"]) {
        auto rule = sound_rule("memory");
        rule.erase("range");
        rule["section"] = each;
        EXPECT_EQ(refused(policy_of(rule)), "") << each;
    }
    for (auto const& each : definitions["module_memory"]["properties"]["part"]["enum"]) {
        auto rule = sound_rule("memory");
        rule.erase("range");
        rule["module"] = {{"name", "m"}, {"part", each}};
        EXPECT_EQ(refused(policy_of(rule)), "") << each;
    }
    std::set<std::string_view> bits;
    for (auto const& each : cr0_bits()) {
        bits.insert(each.name);
    }
    for (auto const& each : cr4_bits()) {
        bits.insert(each.name);
    }
    std::set<std::string> listed;
    for (auto const& each :
         definitions["cr_rule"]["properties"]["bits"]["oneOf"][0]["items"]["enum"]) {
        listed.insert(each.get<std::string>());
    }
    EXPECT_TRUE(std::equal(bits.begin(), bits.end(), listed.begin(), listed.end()));
}

TEST(policy_schema, lists_what_is_watched_of_instructions) {
    auto const definitions = schema("policy.schema.json")["$defs"];
    try_each(definitions["io_rule"]["properties"]["access"]["items"]["enum"], "io", "access", true);
    try_each(definitions["xcr_rule"]["properties"]["register"]["enum"], "xcr", "register", false);
    try_each(definitions["xcr_rule"]["properties"]["bits"]["oneOf"][0]["items"]["enum"], "xcr",
             "bits", true);
    try_each(definitions["instruction_rule"]["properties"]["instructions"]["items"]["enum"],
             "instruction", "instructions", true);
    EXPECT_EQ(
        instruction_bits().size(),
        definitions["instruction_rule"]["properties"]["instructions"]["items"]["enum"].size());
}

TEST(policy_schema, lists_what_is_kept_of_debug_registers_and_which_way_values_go) {
    auto const definitions = schema("policy.schema.json")["$defs"];
    auto const& debug = definitions["dr_rule"]["properties"];
    try_each(debug["registers"]["items"]["enum"], "dr", "registers", true);
    try_each(debug["bits"]["oneOf"][0]["items"]["enum"], "dr", "bits", true);
    EXPECT_EQ(debug["bits"]["oneOf"][0]["items"]["enum"].size(), dr7_bits().size());
    for (auto const* const kind : {"cr", "xcr"}) {
        try_each(definitions["direction"]["enum"], kind, "value", false);
    }
    for (auto const& each : definitions["guest_action"]["enum"]) {
        auto rule = sound_rule("io");
        rule["guests"] = "all";
        rule["action"] = each;
        EXPECT_EQ(refused(policy_of(rule)), "") << each;
    }
    for (auto const& each : definitions["when"]["oneOf"][0]["enum"]) {
        auto rule = sound_rule("dr");
        rule["when"] = each;
        EXPECT_EQ(refused(policy_of(rule)), "") << each;
    }
}

/// Names of all keys, and all words of short lists.
void collect_words(nlohmann::json const& node, std::set<std::string>& words) {
    if (node.is_object() && node.contains("properties")) {
        for (auto const& [key, value] : node["properties"].items()) {
            words.insert(key);
        }
    }
    if (node.is_object() && node.contains("enum") && node["enum"].size() < 20) {
        words.insert(node["enum"].begin(), node["enum"].end());
    }
    if (!node.is_structured()) return;
    for (auto const& each : node) {
        collect_words(each, words);
    }
}

TEST(policy_schema, the_manual_page_names_every_key_and_word) {
    auto const source = read_policy_file(HV_TEST_CONFIGS "/../docs/man/hv-policy.5");
    auto page = std::regex_replace(source, std::regex(R"(\\\(dq)"), "\"");
    std::erase(page, '\\');
    std::set<std::string> words;
    collect_words(schema("policy.schema.json"), words);
    EXPECT_GT(words.size(), 30U);
    for (auto const& each : words) {
        EXPECT_TRUE(std::regex_search(page, std::regex("\\b" + each + "\\b"))) << each;
    }
}

TEST(configuration_schema, has_the_defaults_of_the_installed_file) {
    auto const properties = schema("hvd.schema.json")["properties"];
    auto const installed = nlohmann::json::parse(read_policy_file(HV_TEST_CONFIGS "/hvd.json"));
    for (auto const& [key, value] : installed.items()) {
        if (value.is_object()) continue;
        EXPECT_EQ(properties.at(key).at("default"), value) << key;
    }
    for (auto const* const group : {"log", "vms"}) {
        auto const& known = properties[group]["properties"];
        for (auto const& [key, value] : installed[group].items()) {
            EXPECT_EQ(known.at(key).at("default"), value) << key;
        }
        EXPECT_EQ(known.size(), installed[group].size());
    }
    EXPECT_EQ(properties.size(), installed.size());
}

}
}

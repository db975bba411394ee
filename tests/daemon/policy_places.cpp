// SPDX-License-Identifier: MIT
// Memory that hv.ko finds: linear addresses, modules, the GDT, page tables; and sums of it.
#include <algorithm>
#include <cerrno>

#include <gtest/gtest.h>

#include "daemon/policy/machine_symbols.hpp"
#include "daemon/policy/rule_book.hpp"
#include "daemon/text/number.hpp"
#include "fake_device.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

class policy_places : public testing::Test {
protected:
    compiled_policy compile(std::string const& rules) {
        return compile_policy("p.json", with_rules(rules), symbols_);
    }
    std::string refused(std::string const& rules) {
        return refusal_of<std::runtime_error>([&] { compile(rules); });
    }
    static std::string memory(std::string const& object, std::string const& name = "r") {
        return R"({"name":")" + name + R"(","kind":"memory",)" + object +
               R"(,"access":["write"],"action":"deny"})";
    }
    static std::string hash(std::string const& object, std::string const& more = {}) {
        return R"({"name":"h","kind":"hash",)" + object + more + R"(,"action":"log"})";
    }

    fixed_symbols image_;
    fake_device device_;
    machine_symbols symbols_{image_, device_};
};

constexpr auto some_linear = R"("virtual":{"first":"0xffffc90000000000","bytes":16384})";
constexpr auto some_module = R"("module":{"name":"nf_tables","part":"text"})";

TEST_F(policy_places, linear_addresses_become_a_rule_for_each_piece) {
    device_.place_result.ranges = {{0x9000, 0x9fff}, {0x5000, 0x5fff}, {0x6000, 0x7fff}};
    auto const policy = compile(memory(some_linear));
    ASSERT_EQ(device_.places.size(), 1u);
    EXPECT_EQ(device_.places[0].place, HV_PLACE_LINEAR);
    EXPECT_EQ(device_.places[0].first, 0xffffc90000000000u);
    EXPECT_EQ(device_.places[0].bytes, 16384u);
    ASSERT_EQ(policy.rules.size(), 2u) << "what lies side by side is one piece";
    EXPECT_EQ(policy.rules[0].rule.first, 0x5000u);
    EXPECT_EQ(policy.rules[0].rule.last, 0x7fffu);
    EXPECT_EQ(policy.rules[1].rule.first, 0x9000u);
    EXPECT_EQ(policy.rules[1].rule.last, 0x9fffu);
    for (auto const& each : policy.rules) {
        EXPECT_EQ(each.name, "r");
        EXPECT_EQ(each.object, "memory virtual 0xffffc90000000000..0xffffc90000003fff");
        EXPECT_EQ(each.rule.kind, HV_RULE_MEMORY);
        EXPECT_EQ(each.rule.access, HV_ACCESS_WRITE);
        EXPECT_EQ(each.rule.action, HV_ACTION_DENY);
    }
    EXPECT_EQ(rule_count(policy), 1u);
    ASSERT_EQ(policy.notes.size(), 1u);
    EXPECT_NE(policy.notes[0].find("lies in 2 pieces"), std::string::npos) << policy.notes[0];
}

TEST_F(policy_places, linear_addresses_that_cannot_be_are_refused) {
    auto const said = [&](std::string const& first, std::string const& bytes) {
        return refused(memory(R"("virtual":{"first":")" + first + R"(","bytes":)" + bytes + "}"));
    };
    EXPECT_EQ(said("0x1000", "4096"),
              "p.json:2:48: rules[0].virtual.first: 0x1000 is no address of the kernel's half: "
              "expected 0x8000000000000000 or more");
    EXPECT_NE(said("0xffffc90000000800", "4096").find("not a multiple of the page size"),
              std::string::npos);
    EXPECT_NE(said("0xffffc90000000000", "0").find("protects no page"), std::string::npos);
    EXPECT_NE(said("0xffffc90000000000", "67112960").find("at most 0x4000000"), std::string::npos);
    EXPECT_NE(said("0xfffffffffffff000", "8192").find("beyond the last linear address"),
              std::string::npos);
    EXPECT_EQ(said("0xfffffffffffff000", "4096"), "") << "the last page there is";
    device_.refuse("place", EFAULT, "there is no page at 0xffffc90000001000");
    EXPECT_EQ(said("0xffffc90000000000", "8192"),
              "p.json:2:1: rules[0].virtual: there is no page at 0xffffc90000001000");
}

TEST_F(policy_places, a_rule_names_its_memory_once) {
    EXPECT_EQ(refused(memory(std::string{some_linear} + "," + some_module)),
              "p.json:2:1: rules[0]: expected one of \"range\", \"virtual\", \"symbols\", "
              "\"section\" and \"module\"");
}

TEST_F(policy_places, more_pieces_than_rules_are_refused) {
    device_.place_result.ranges.clear();
    for (std::uint64_t i = 0; i <= HV_MAX_RULES; ++i) {
        device_.place_result.ranges.push_back({i * 0x2000, i * 0x2000 + 0xfff});
    }
    EXPECT_EQ(refused(memory(some_linear)),
              "p.json:2:1: rules[0].virtual: lies in 1025 pieces of physical memory, and each "
              "takes one of the core's 1024 rules: name less");
    device_.place_result.ranges.pop_back();
    EXPECT_EQ(compile(memory(some_linear)).rules.size(), HV_MAX_RULES);
}

TEST_F(policy_places, a_modules_memory_holds_the_module) {
    device_.place_result.stamp = 0x1122334455667788;
    auto const policy = compile(
        memory(some_module) + "," +
        memory(R"("module":{"name":"nf_tables","part":"ro-after-init"})", "s"));
    EXPECT_EQ(device_.places.at(0).place, HV_PLACE_MODULE_TEXT);
    EXPECT_EQ(device_.places.at(1).place, HV_PLACE_MODULE_RO_AFTER_INIT);
    EXPECT_EQ(device_.places.at(0).module, "nf_tables");
    EXPECT_EQ(policy.rules.at(0).object, "memory nf_tables text");
    ASSERT_EQ(policy.modules.size(), 1u) << "once, however many rules are about it";
    EXPECT_STREQ(policy.modules[0].name, "nf_tables");
    EXPECT_EQ(policy.modules[0].stamp, 0x1122334455667788u);
    auto const book = rule_book{}.with(policy);
    ASSERT_EQ(book.rules().at(0).modules.size(), 1u);
    auto const again = rule_book{}.adjusted_to({false, false, book.rules()});
    ASSERT_EQ(again.rules().at(0).modules.size(), 1u) << "hv.ko tells a new hvd";
    EXPECT_STREQ(again.rules().at(0).modules[0].name, "nf_tables");
}

TEST_F(policy_places, modules_that_cannot_be_are_refused) {
    for (auto const* const name : {"", "../x", "a module"}) {
        EXPECT_NE(
            refused(memory(R"("module":{"name":")" + std::string{name} + R"(","part":"text"})"))
                .find("module.name: expected the name of a module as lsmod shows it"),
            std::string::npos)
            << name;
    }
    EXPECT_NE(refused(memory(R"("module":{"name":"a","part":"data"})"))
                  .find("expected one of \"text\", \"rodata\", \"ro-after-init\""),
              std::string::npos);
    device_.refuse("place", ESRCH, "no module nf_tables is loaded");
    EXPECT_EQ(refused(memory(some_module)),
              "p.json:2:1: rules[0].module: no module nf_tables is loaded");
}

TEST_F(policy_places, sections_that_no_symbol_bounds_are_hv_kos_to_find) {
    EXPECT_EQ(compile(memory(R"("section":"gdt")")).rules.at(0).object, "memory gdt");
    compile(memory(R"("section":"page-tables")"));
    EXPECT_EQ(device_.places.at(0).place, HV_PLACE_GDT);
    EXPECT_EQ(device_.places.at(1).place, HV_PLACE_IMAGE_TABLES);
    device_.refuse("place", EOPNOTSUPP, "on AMD CPUs each walk counts as a write");
    EXPECT_EQ(refused(memory(R"("section":"page-tables")")),
              "p.json:2:1: rules[0].section: on AMD CPUs each walk counts as a write");
}

TEST_F(policy_places, without_hv_ko_they_are_left_open_and_that_is_said) {
    device_.refuse("place", ENODEV, "hv.ko is not loaded: modprobe hv");
    auto const policy = compile(memory(some_linear) + "," + memory(some_module, "s"));
    EXPECT_FALSE(policy.resolved);
    ASSERT_EQ(policy.notes.size(), 1u);
    EXPECT_EQ(policy.notes[0], "addresses are not resolved: hv.ko is not loaded: modprobe hv");
    EXPECT_EQ(policy.rules.size(), 2u);
    EXPECT_TRUE(policy.modules.empty());
    auto const alone = compile_policy("p", with_rules(memory(some_linear)), image_);
    EXPECT_FALSE(alone.resolved);
}

TEST_F(policy_places, the_pieces_of_a_rule_keep_their_ids) {
    device_.place_result.ranges = {{0x5000, 0x5fff}, {0x9000, 0x9fff}};
    auto const first = rule_book{}.with(compile(memory(some_linear)));
    device_.place_result.ranges = {{0x9000, 0x9fff}, {0xb000, 0xbfff}};
    auto const second = first.with(compile(memory(some_linear)));
    auto const rules = second.rules().at(0).rules;
    ASSERT_EQ(rules.size(), 2u);
    EXPECT_EQ(rules[0].id, 2u);
    EXPECT_EQ(rules[1].id, 3u);
    EXPECT_EQ(second.name_of(3)->rule, "r");
}

TEST_F(policy_places, a_sum_is_no_rule_of_the_core) {
    device_.sum.fill(0xab);
    device_.place_result.ranges = {{0x9000, 0x9fff}, {0x5000, 0x5fff}};
    auto const policy = compile(hash(some_linear) + "," + memory(R"("section":"idt")"));
    EXPECT_EQ(policy.rules.size(), 1u);
    EXPECT_EQ(rule_count(policy), 2u);
    ASSERT_EQ(policy.hashes.size(), 1u);
    auto const& sum = policy.hashes[0];
    EXPECT_EQ(sum.name, "h");
    EXPECT_EQ(sum.sha256, hex(std::span{device_.sum}));
    ASSERT_EQ(device_.hashed.size(), 2u);
    EXPECT_EQ(device_.hashed[0].first, 0x9000u) << "in the order of the linear addresses";
    auto const book = rule_book{}.with(policy);
    auto const again = rule_book::from_json(book.to_json())
                           .adjusted_to({false, false, book.rules()});
    EXPECT_EQ(again.to_json(), book.to_json());
    EXPECT_EQ(again.find("p")->hashes.at(0).ranges.at(1).last, 0x5fffu);
}

TEST_F(policy_places, a_sum_other_than_the_files_is_refused_with_both) {
    auto const zeroes = std::string(64, '0');
    auto const object = std::string{R"("section":"idt")"};
    EXPECT_EQ(refused(hash(object, R"(,"sha256":")" + zeroes + "\"")), "");
    ASSERT_EQ(device_.hashed.size(), 1u);
    EXPECT_EQ(device_.hashed[0].first, 0x3000000u);
    EXPECT_EQ(device_.hashed[0].last, 0x3000fffu);
    device_.sum.back() = 1;
    EXPECT_EQ(refused(hash(object, R"(,"sha256":")" + zeroes + "\"")),
              "p.json:2:1: rules[0].sha256: the file says " + zeroes + ", but memory idt has " +
                  std::string(63, '0') + "1");
    EXPECT_NE(refused(hash(object, R"(,"sha256":"abc")")).find("64 of 0-9 and a-f"),
              std::string::npos);
    EXPECT_NE(refused(R"({"name":"h","kind":"hash","section":"idt","action":"deny"})")
                  .find("a sum keeps nobody from writing: expected \"log\""),
              std::string::npos);
    device_.refuse("hash", EFAULT, "0x3000000 is no RAM of Linux");
    EXPECT_NE(refused(hash(object)).find("0x3000000 is no RAM of Linux"), std::string::npos);
}

}
}

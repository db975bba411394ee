// SPDX-License-Identifier: MIT
#include "daemon/vm/vm_file.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/text/number.hpp"
#include "daemon/vm/vm_error.hpp"
#include "daemon/vm/vm_folder.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

constexpr auto least = R"({"version":1,"name":"web","kernel":"/k"})";

nlohmann::json schema() {
    return nlohmann::json::parse(read_vm_text(HV_TEST_CONFIGS "/schema/vm.schema.json"));
}
std::string refused(nlohmann::json const& vm) {
    return refusal_of<document_error>([&] { read_vm("vm.json", vm.dump()); });
}
nlohmann::json with(char const* key, nlohmann::json const& what) {
    auto out = nlohmann::json::parse(least);
    out[key] = what;
    return out;
}

TEST(vm_file, what_it_leaves_out_has_the_defaults_of_the_schema) {
    auto const vm = read_vm("", least);
    auto const properties = schema()["properties"];
    EXPECT_EQ(vm.command_line, properties["command_line"]["default"].get<std::string>());
    EXPECT_EQ(vm.cpus, properties["cpus"]["default"]);
    EXPECT_EQ(vm.memory_bytes, parse_bytes(properties["memory"]["default"].get<std::string>()));
    EXPECT_FALSE(vm.memory_limit || vm.cpu_limit);
}

TEST(vm_file, comes_back_as_it_was_written) {
    for (auto const& each : std::filesystem::directory_iterator{HV_TEST_CONFIGS "/vms"}) {
        auto const path = each.path().string();
        auto const vm = read_vm(path, read_vm_text(path));
        EXPECT_EQ(vm.name + ".json", each.path().filename());
        auto original = nlohmann::json::parse(read_vm_text(path));
        original.erase("$schema");
        EXPECT_EQ(nlohmann::json(vm_json(vm)), original);
        EXPECT_EQ(vm_json(read_vm("", vm_json(vm).dump())), vm_json(vm));
    }
}

TEST(vm_file, has_the_keys_of_the_schema) {
    auto const all = schema();
    for (auto const& key : all["required"]) {
        auto vm = nlohmann::json::parse(least);
        vm.erase(key.get<std::string>());
        EXPECT_NE(refused(vm).find("is missing"), std::string::npos) << key;
    }
    auto const said = refused(with("strange", 1));
    for (auto const& [key, unused] : all["properties"].items()) {
        EXPECT_NE(said.find(key), std::string::npos) << key;
    }
    auto const limits = refused(with("limits", {{"strange", 1}}));
    for (auto const& [key, unused] : all["properties"]["limits"]["properties"].items()) {
        EXPECT_NE(limits.find(key), std::string::npos) << key;
    }
}

TEST(vm_file, each_error_names_its_place) {
    EXPECT_EQ(refused(with("cpus", 0)).substr(0, 18), "vm.json:1:9: cpus:");
    EXPECT_NE(refused(with("cpus", 65)), "");
    EXPECT_NE(refused(with("kernel", "vmlinuz")).find("expected an absolute path"),
              std::string::npos);
    EXPECT_NE(refused(with("memory", "100")).find("expected whole MiB"), std::string::npos);
    EXPECT_NE(refused(with("memory", "2000G")).find("expected whole MiB"), std::string::npos);
    EXPECT_NE(refused(with("command_line", "a\nb")).find("expected one line"), std::string::npos);
    EXPECT_NE(refused(with("limits", {{"memory", "128M"}})).find("at least the VM's memory"),
              std::string::npos);
    EXPECT_NE(refused(with("version", 2)), "");
}

TEST(vm_file, names_are_fit_for_a_folder) {
    for (auto const* const each :
         {"", "Web", "-a", ".a", "a/b", "a b", "a\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
        EXPECT_NE(refused(with("name", each)), "") << each;
    }
    EXPECT_EQ(refused(with("name", "a-b_c.9")), "");
}

TEST(vm_file, a_name_given_beside_it_counts) {
    EXPECT_EQ(read_vm("", least, "other").name, "other");
    EXPECT_EQ(read_vm("", R"({"version":1,"kernel":"/k"})", "other").name, "other");
}

TEST(vm_folder, a_broken_file_is_told_and_the_others_are_read) {
    temporary_folder const folder;
    folder.write("a.json", R"({"version":1,"name":"a","kernel":"/k"})");
    folder.write("b.json", R"({"version":1,"name":"c","kernel":"/k"})");
    folder.write("d.json", "{");
    folder.write("notes.txt", "{");
    vm_folder const files{folder.path()};
    auto const found = files.read();
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].error, "");
    EXPECT_NE(found[1].error.find("call the file c.json"), std::string::npos);
    EXPECT_NE(found[2].error.find("d.json:1:"), std::string::npos);
    EXPECT_THROW(files.find("d"), vm_error);
    EXPECT_TRUE(vm_folder{"/none"}.read().empty());
}

TEST(parse_bytes, knows_units_and_no_overflow) {
    EXPECT_EQ(parse_bytes("3K"), 3072u);
    EXPECT_EQ(parse_bytes("3"), 3u);
    EXPECT_EQ(parse_bytes("17179869183G"), 17179869183ull << 30);
    for (auto const* const each : {"", "G", "17179869184G", "1T", "1k", "-1M"}) {
        EXPECT_FALSE(parse_bytes(each)) << each;
    }
}

}
}

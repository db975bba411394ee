// SPDX-License-Identifier: MIT
#include "daemon/api/configuration.hpp"

#include <gtest/gtest.h>

#include "daemon/text/document.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

std::string refused(std::string const& text) {
    return refusal_of<document_error>([&] { parse_configuration("hvd.json", text); });
}

TEST(configuration, an_empty_one_means_the_defaults) {
    auto const config = parse_configuration("hvd.json", "{}");
    EXPECT_EQ(config.socket, "/run/hv/hvd.sock");
    EXPECT_EQ(config.log.path, "/var/log/hv/events.jsonl");
    EXPECT_FALSE(config.hoist_at_start);
    EXPECT_TRUE(config.apply_at_start);
}

TEST(configuration, the_one_that_is_installed_says_just_the_defaults) {
    auto const installed = read_configuration(HV_TEST_CONFIGS "/hvd.json");
    configuration const defaults;
    EXPECT_EQ(installed.socket, defaults.socket);
    EXPECT_EQ(installed.state, defaults.state);
    EXPECT_EQ(installed.policies, defaults.policies);
    EXPECT_EQ(installed.group, defaults.group);
    EXPECT_EQ(installed.clients, defaults.clients);
    EXPECT_EQ(installed.hoist_at_start, defaults.hoist_at_start);
    EXPECT_EQ(installed.apply_at_start, defaults.apply_at_start);
    EXPECT_EQ(installed.journal, defaults.journal);
    EXPECT_EQ(installed.log.path, defaults.log.path);
    EXPECT_EQ(installed.log.rotate_bytes, defaults.log.rotate_bytes);
    EXPECT_EQ(installed.log.keep, defaults.log.keep);
    EXPECT_EQ(installed.log.sync, defaults.log.sync);
    EXPECT_EQ(installed.vms.folder, defaults.vms.folder);
    EXPECT_EQ(installed.vms.run, defaults.vms.run);
    EXPECT_EQ(installed.vms.node, defaults.vms.node);
    EXPECT_EQ(installed.vms.program, defaults.vms.program);
    EXPECT_EQ(installed.vms.first_uid, defaults.vms.first_uid);
}

TEST(configuration, reads_every_key) {
    auto const config = parse_configuration(
        "hvd.json", R"({"socket":"/a","state":"/b","policies":"/c","group":"g","clients":7,
        "hoist_at_start":true,"apply_at_start":false,"journal":false,
        "log":{"path":"/d","rotate_bytes":65536,"keep":0,"sync":false},
        "vms":{"folder":"/e","run":"/f","node":"/g","program":"/h","first_uid":1000}})");
    EXPECT_EQ(config.vms.folder + config.vms.run + config.vms.node + config.vms.program,
              "/e/f/g/h");
    EXPECT_EQ(config.vms.first_uid, 1000u);
    EXPECT_EQ(config.socket + config.state + config.policies + config.log.path, "/a/b/c/d");
    EXPECT_EQ(config.group, "g");
    EXPECT_EQ(config.clients, 7u);
    EXPECT_TRUE(config.hoist_at_start);
    EXPECT_FALSE(config.apply_at_start || config.journal || config.log.sync);
    EXPECT_EQ(config.log.rotate_bytes, 65536u);
    EXPECT_EQ(config.log.keep, 0u);
}

TEST(configuration, each_error_names_its_place) {
    EXPECT_EQ(refused(R"({"sockt":"/a"})").substr(0, 58),
              "hvd.json:1:2: unknown key \"sockt\" (nearest: socket), expec");
    EXPECT_EQ(refused(R"({"socket":"a"})"), "hvd.json:1:11: socket: expected an absolute path");
    EXPECT_EQ(refused(R"({"socket":"/)" + std::string(107, 'x') + R"("})"),
              "hvd.json:1:11: socket: expected at most 107 bytes");
    EXPECT_EQ(refused(R"({"log":{"rotate_bytes":1}})"),
              "hvd.json:1:24: log.rotate_bytes: expected a number from 65536 to 1099511627776, "
              "found 1");
    EXPECT_EQ(refused(R"({"clients":0})"),
              "hvd.json:1:12: clients: expected a number from 1 to 1024, found 0");
    EXPECT_EQ(refused(R"({"journal":"yes"})"),
              "hvd.json:1:12: journal: expected true or false, found \"yes\"");
}

}
}

// SPDX-License-Identifier: MIT
#include "daemon/policy/compiler.hpp"
#include "service_fixture.hpp"

namespace hv {
namespace {

constexpr auto sums_policy = R"({"version":1,"name":"sums","rules":[
  {"name":"page","kind":"hash","range":{"first":"0x2000","bytes":4096},"action":"log"},
  {"name":"area","kind":"hash","virtual":{"first":"0xffffc90000000000","bytes":4096},
   "action":"log"}]})";

class hashes_test : public service_fixture {
protected:
    void SetUp() override {
        service_fixture::SetUp();
        call("start");
    }
    nlohmann::ordered_json newest() { return call("logs.read", {{"last", 1}})["records"][0]; }
};

TEST_F(hashes_test, a_sum_is_taken_when_its_policy_is_applied) {
    device_.sum.fill(0x11);
    EXPECT_EQ(apply(sums_policy)["rules"], 2);
    EXPECT_EQ(device_.enforced.policies.at(0).rules.size(), 0u);
    EXPECT_EQ(call("policy.list")["policies"][0]["rules"], 2);
    auto const shown = call("policy.show", {{"name", "sums"}})["rules"];
    EXPECT_EQ(shown[0]["kind"], "hash");
    EXPECT_EQ(shown[0]["object"], "memory 0x2000..0x2fff");
    EXPECT_EQ(shown[0]["first"], "0x2000");
    EXPECT_EQ(shown[1]["last"], "0x5fff");
    EXPECT_EQ(shown[1]["sha256"].get<std::string>().substr(0, 4), "1111");
    auto const answer = call("policy.verify");
    EXPECT_EQ(answer["mismatches"], 0);
    EXPECT_EQ(answer["rules"].size(), 2u);
    EXPECT_EQ(answer["rules"][1]["agrees"], true);
    EXPECT_EQ(newest()["kind"], "policy_applied") << "no line where all is well";
}

TEST_F(hashes_test, what_changed_is_told_and_logged) {
    apply(sums_policy);
    device_.sum.front() = 0xff;
    auto const answer = call("policy.verify", {{"name", "sums"}});
    EXPECT_EQ(answer["mismatches"], 2);
    EXPECT_EQ(answer["rules"][0]["agrees"], false);
    EXPECT_EQ(answer["rules"][0]["name"], "page");
    auto const line = newest();
    EXPECT_EQ(line["kind"], "hash_mismatch");
    EXPECT_EQ(line["level"], "error");
    EXPECT_EQ(line["policy"], "sums");
    EXPECT_NE(line["message"].get<std::string>().find(
                  "rule area: memory virtual 0xffffc90000000000..0xffffc90000000fff has the "
                  "SHA-256 ff00"),
              std::string::npos);
    apply(sums_policy);
    EXPECT_EQ(call("policy.verify")["mismatches"], 0) << "applied again, it is taken again";
}

TEST_F(hashes_test, a_new_hvd_knows_the_sums) {
    apply(sums_policy);
    restart();
    device_.sum.front() = 1;
    EXPECT_EQ(call("policy.verify")["mismatches"], 2);
}

TEST_F(hashes_test, only_what_is_in_force_is_compared) {
    EXPECT_EQ(call("policy.verify")["rules"].size(), 0u);
    EXPECT_NE(refused("policy.verify", {{"name", "nope"}}).second.find("no policy \"nope\""),
              std::string::npos);
    apply(sums_policy);
    call("policy.remove", {{"name", "sums"}});
    EXPECT_EQ(call("policy.verify")["rules"].size(), 0u);
    call("stop");
    EXPECT_NE(refused("policy.verify").second.find("not hoisted"), std::string::npos);
}

TEST_F(hashes_test, a_reader_does_not_make_hv_ko_work) {
    who_.may_change = false;
    EXPECT_EQ(refused("policy.verify").first, 2);
}

TEST_F(hashes_test, hv_kos_refusals_come_through) {
    apply(sums_policy);
    device_.refuse("hash", EFAULT, "Linux cannot read its page 0x2000");
    EXPECT_EQ(refused("policy.verify").second, "Linux cannot read its page 0x2000");
}

}
}

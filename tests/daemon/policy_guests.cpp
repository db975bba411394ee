// SPDX-License-Identifier: MIT
// Rules about guest VMs: what they may have, what their accesses come to, and whose they are.
#include <gtest/gtest.h>

#include "daemon/policy/machine_symbols.hpp"
#include "daemon/policy/rule_book.hpp"
#include "fake_device.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string vm(std::string const& more, std::string const& action = "deny",
               std::string const& name = "a") {
    return R"({"name":")" + name + R"(","kind":"vm","action":")" + action + "\"," + more + "}";
}
std::string io(std::string const& more, std::string const& action = "deny",
               std::string const& name = "a") {
    return R"({"name":")" + name + R"(","kind":"io","ports":112,"access":["write"],"action":")" +
           action + "\"," + more + "}";
}
std::string msr(std::string const& which, std::string const& more = R"("guests":"all")",
                std::string const& action = "deny") {
    return R"({"name":"a","kind":"msr","msr":)" + which + R"(,"access":["read"],"action":")" +
           action + "\"," + more + "}";
}
std::string object_of(std::string const& text) {
    return compile(with_rules(text)).rules.at(0).object;
}
void expect_refusal(std::string const& text, std::string const& said) {
    EXPECT_EQ(refused_rule(text), said) << text;
}

/// hvd, which knows the users of its VMs.
class hvd_symbols : public fixed_symbols {
public:
    machine_answer<std::uint32_t> vm_user(std::string const& name) override {
        if (name == "none") return {.refused = "VM none has no user of its own"};
        return {.answer = name == "web" ? 5000u : 5001u};
    }
};
compiled_policy compile_in_hvd(std::string const& rule) {
    hvd_symbols symbols;
    return compile_policy("p.json", with_rules(rule), symbols);
}

TEST(policy_guests, a_limit_is_of_vms_vcpus_and_memory) {
    auto const all = compile_rule(vm(R"("users":"all","vms":2,"vcpus":8,"memory":"0x40000000")"));
    EXPECT_EQ(all.kind, HV_RULE_VM);
    EXPECT_EQ(all.access, std::uint32_t{HV_ACCESS_EXECUTE});
    EXPECT_EQ(all.first, 0u);
    EXPECT_EQ(all.last, 0xffffffffu);
    EXPECT_EQ(all.mask, 2u);
    EXPECT_EQ(all.pass_last, 8u);
    EXPECT_EQ(all.pass_first, 0x40000u) << "pages";
    EXPECT_EQ(all.flags, 0u);
    auto const none = compile_rule(vm(R"("users":1000,"vms":0)"));
    EXPECT_EQ(none.first, 1000u);
    EXPECT_EQ(none.last, 1000u);
    EXPECT_EQ(none.mask, 0u);
    EXPECT_EQ(none.pass_first, ~0ull);
    EXPECT_EQ(none.pass_last, ~0ull);
}

TEST(policy_guests, users_are_all_one_or_a_range) {
    EXPECT_EQ(compile_rule(vm(R"("users":"root","vms":1)")).last, 0u);
    EXPECT_EQ(compile_rule(vm(R"("users":"1001","vms":1)")).first, 1001u);
    auto const range = compile_rule(vm(R"("users":{"first":1000,"last":1999},"vms":1)"));
    EXPECT_EQ(range.first, 1000u);
    EXPECT_EQ(range.last, 1999u);
    auto const guest = compile_rule(io(R"("guests":{"users":{"first":1000,"last":1999}})"));
    EXPECT_EQ(guest.flags, std::uint32_t{HV_RULE_GUEST});
    EXPECT_EQ(guest.mask, 1000ull | 1999ull << 32);
    EXPECT_EQ(guest.first, 112u);
    EXPECT_EQ(compile_rule(io(R"("guests":"all")")).mask, 0xffffffffull << 32);
}

TEST(policy_guests, an_object_says_whose) {
    EXPECT_EQ(object_of(vm(R"("users":"all","vms":2,"vcpus":1)")),
              "all VMs: at most 2 VMs, 1 vcpu");
    EXPECT_EQ(object_of(vm(R"("users":1000,"memory":8192)")), "VMs of user 1000: at most 8 KiB");
    EXPECT_EQ(object_of(io(R"("guests":"all")")), "port 0x70 of all guests");
    EXPECT_EQ(object_of(io(R"("guests":{"users":{"first":1,"last":2}})")),
              "port 0x70 of guests of users 1..2");
    EXPECT_EQ(object_of(msr("\"ia32_misc_enable\"")), "ia32_misc_enable of all guests");
    EXPECT_EQ(object_of(io("\"rate\":{\"records\":1,\"per\":\"hour\"}")), "port 0x70");
}

TEST(policy_guests, a_vm_is_the_user_that_hvd_runs_it_as) {
    auto const limit = compile_in_hvd(vm(R"("vm":"web","vcpus":2)"));
    EXPECT_TRUE(limit.resolved);
    EXPECT_EQ(limit.rules.at(0).rule.first, 5000u);
    EXPECT_EQ(limit.rules.at(0).rule.last, 5000u);
    EXPECT_EQ(limit.rules.at(0).object, "VM web: at most 2 vcpus");
    auto const guest = compile_in_hvd(io(R"("guests":{"vm":"web"})"));
    EXPECT_EQ(guest.rules.at(0).rule.mask, 5000ull | 5000ull << 32);
    EXPECT_EQ(guest.rules.at(0).object, "port 0x70 of VM web");
    auto const book = rule_book{}.with(guest);
    EXPECT_EQ(book.vm_users(), (std::map<std::string, std::uint32_t>{{"web", 5000}}));
    auto const refusal = refusal_of<document_error>(
        [] { compile_in_hvd(io(R"("guests":{"vm":"none"})")); });
    EXPECT_EQ(refusal, "p.json:2:1: rules[0].guests.vm: VM none has no user of its own");
}

TEST(policy_guests, without_hvd_a_vm_is_unresolved) {
    auto const policy = compile(with_rules(io(R"("guests":{"vm":"web"})") + "," +
                                           io(R"("guests":{"users":0})", "log", "b")));
    EXPECT_FALSE(policy.resolved);
    EXPECT_EQ(policy.notes.at(0), "VMs are not resolved: only hvd knows the users that its VMs run "
                                  "as: start hvd");
    EXPECT_EQ(policy.rules.at(0).object, "port 0x70 of VM web");
    EXPECT_EQ(policy.rules.at(0).rule.mask, 0u);
    fake_device device;
    fixed_symbols image;
    machine_symbols symbols{image, device};
    EXPECT_FALSE(symbols.vm_user("web").unavailable.empty());
    symbols.ask_vms(
        [](std::string const&) -> machine_answer<std::uint32_t> { return {.answer = 7}; });
    EXPECT_EQ(symbols.vm_user("web").answer, 7u);
}

TEST(policy_guests, their_accesses_may_pause_or_kill_the_vm) {
    EXPECT_EQ(compile_rule(io(R"("guests":"all")", "pause")).action, HV_ACTION_PAUSE);
    EXPECT_EQ(compile_rule(msr("5", R"("guests":"all")", "kill")).action, HV_ACTION_KILL);
    auto const reporting = compile(R"({"version":1,"name":"p","mode":"report-only","rules":[)" +
                                   io(R"("guests":"all")", "kill") + "]}");
    EXPECT_EQ(action_text(reporting.rules.at(0)), "report-only");
    EXPECT_EQ(reporting.rules.at(0).rule.action, HV_ACTION_LOG);
    expect_refusal(io(R"("cpus":[0])", "pause"),
                   "2:65: rules[0].action: \"pause\" is for VMs, with \"guests\" in a rule of kind "
                   "io or msr: expected \"log\" or \"deny\"");
    expect_refusal(vm(R"("users":"all","vms":1)", "kill"),
                   "2:34: rules[0].action: \"kill\" is for VMs, with \"guests\" in a rule of kind "
                   "io or msr: expected \"log\" or \"deny\"");
    expect_refusal(io(R"("guests":"all")", "keep"),
                   "2:65: rules[0].action: nothing is kept of what guests do: expected \"log\", "
                   "\"deny\", \"report-only\", \"pause\" or \"kill\"");
    EXPECT_NE(refused_rule(vm(R"("users":"all","vms":1)", "keep"))
                  .find("rules[0].action: only what has a value can keep it"),
              std::string::npos);
}

TEST(policy_guests, any_msr_may_be_named_but_those_without_an_exit) {
    EXPECT_EQ(compile_rule(msr("\"0x40000000\"")).first, 0x40000000u);
    EXPECT_EQ(compile_rule(msr(R"({"first":"0xc0000105","last":"0xffffffff"})")).last, 0xffffffffu);
    for (auto const* each : {"16", "\"0x174\"", "\"0x176\"", "\"ia32_pat\"", "\"ia32_efer\"",
                             "\"ia32_lstar\"", "\"ia32_fmask\"", "\"ia32_kernel_gs_base\""}) {
        EXPECT_NE(refused_rule(msr(each)).find("without an exit, where no rule is asked"),
                  std::string::npos)
            << each;
    }
    expect_refusal(
        msr(R"({"first":0,"last":"0x200"})"),
        "2:32: rules[0].msr: guests have ia32_time_stamp_counter (0x10) without an exit, "
        "where no rule is asked: expected other MSRs");
}

TEST(policy_guests, errors_name_the_key_and_what_was_expected) {
    expect_refusal(vm(R"("vms":1)"), "2:1: rules[0]: expected one of \"users\" and \"vm\"");
    expect_refusal(vm(R"("users":"all","vm":"web","vms":1)"),
                   "2:1: rules[0]: expected one of \"users\" and \"vm\"");
    expect_refusal(vm(R"("users":"all")"),
                   "2:1: rules[0]: expected at least one of \"vms\", \"vcpus\" and \"memory\"");
    expect_refusal(vm(R"("users":"all","memory":5000)"),
                   "2:64: rules[0].memory: expected whole pages, a multiple of 4096 and at most "
                   "0x10000000000000, found 5000");
    expect_refusal(
        vm(R"("users":"all","vms":"0x100000000")"),
        "2:61: rules[0].vms: expected a number from 0 to 4294967295, found \"0x100000000\"");
    expect_refusal(
        vm(R"("users":"no_such_user","vms":1)"),
        "2:49: rules[0].users: no user is called \"no_such_user\" here: expected \"all\", "
        "a user's number or name, or {\"first\": …, \"last\": …}");
    expect_refusal(
        vm(R"("users":{"first":2,"last":1},"vms":1)"),
        "2:49: rules[0].users: the range ends before it starts: last 1 is below first 2");
    expect_refusal(vm(R"("users":"0x100000000","vms":1)"),
                   "2:49: rules[0].users: a user's number has 32 bits, found 0x100000000");
    expect_refusal(vm(R"("vm":"Web","vms":1)"),
                   "2:46: rules[0].vm: expected a name of a-z 0-9 - _ . that begins with a letter "
                   "or digit and has at most 32, found \"Web\"");
    expect_refusal(vm(R"("users":"all","vms":1,"cpus":[0])"),
                   "2:70: rules[0].cpus: a rule about guest VMs is for all CPUs, whichever runs "
                   "them: leave \"cpus\" out");
    expect_refusal(io(R"("guests":"all","cpus":[0])"),
                   "2:94: rules[0].cpus: a rule about guest VMs is for all CPUs, whichever runs "
                   "them: leave \"cpus\" out");
    expect_refusal(io(R"("guests":"some")"),
                   "2:81: rules[0].guests: expected \"all\", {\"users\": …} or {\"vm\": NAME}");
    expect_refusal(io(R"("guests":{})"),
                   "2:81: rules[0].guests: expected one of \"users\" and \"vm\"");
    EXPECT_NE(refused_rule(msr("5", R"("guests":"all","value":"unchanged")"))
                  .find("rules[0].value: is about Linux: a rule with \"guests\" has none"),
              std::string::npos);
}

TEST(policy_guests, rules_about_them_and_about_linux_never_contradict) {
    auto const two = [](std::string const& a, std::string const& b) {
        return refused(with_rules(a + "," + b));
    };
    auto const cpus = std::string{R"("lifetime":"revocable")"};
    EXPECT_EQ(two(io(R"("guests":"all")"), io(cpus, "log", "b")), "");
    EXPECT_EQ(two(io(R"("guests":{"users":1})"), io(R"("guests":{"users":2})", "log", "b")), "");
    EXPECT_NE(two(io(R"("guests":{"users":{"first":1,"last":5}})"),
                  io(R"("guests":{"users":{"first":3,"last":9}})", "kill", "b"))
                  .find("rule \"b\" (kill) contradicts rule \"a\" (deny) at p.json:2:1: both are "
                        "about port 0x70 of guests of users 3..5: change one of them"),
              std::string::npos);
    EXPECT_EQ(two(vm(R"("users":1,"vms":2)"), vm(R"("users":"all","vms":9)", "log", "b")), "")
        << "of two limits each holds";
}

TEST(policy_guests, survive_being_saved) {
    auto const policy = compile_in_hvd(vm(R"("vm":"web","vcpus":2)") + "," +
                                       io(R"("guests":"all")", "kill", "b"));
    auto const book = rule_book{}.with(policy);
    auto const again = rule_book::from_json(book.to_json());
    EXPECT_EQ(again.to_json(), book.to_json());
    EXPECT_EQ(again.vm_users(), book.vm_users());
    EXPECT_EQ(again.rules().at(0).rules.at(1).action, HV_ACTION_KILL);
    EXPECT_EQ(again.rules().at(0).rules.at(1).flags, std::uint32_t{HV_RULE_GUEST});
    EXPECT_EQ(cost_text(policy.rules[0].rule), "nothing but a sum when such a VM is given more");
    EXPECT_EQ(cost_text(policy.rules[1].rule), "nothing to Linux; guests a look-up per such exit");
    EXPECT_EQ(kind_text(HV_RULE_VM), "vm");
    // What the core holds is known by its numbers alone, but the VM's name is with the rule's.
    enforced_policies enforced{false, 0, again.rules()};
    auto const lost = again.emptied().adjusted_to(enforced);
    EXPECT_EQ(lost.vm_users(), book.vm_users());
    EXPECT_EQ(lost.policies().at(0).rules.at(0).object, "VMs of user 5000: at most 2 vcpus");
}

}
}

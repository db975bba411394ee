// SPDX-License-Identifier: MIT
#include "daemon/log/wording.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/log/exit_names.hpp"
#include "daemon/log/line_key.hpp"
#include "daemon/log/schema.hpp"
#include "fake_device.hpp"

namespace hv {
namespace {

std::string said(unsigned kind, std::function<void(hv_record&)> change = {},
                 rule_name const* rule = nullptr, std::string_view backend = "vmx") {
    auto record = make_record(0, kind);
    if (change) change(record);
    return record_message(record, rule, backend);
}

TEST(record_message, names_the_rule_the_core_or_the_number) {
    rule_name const rule{"kernel-entry", "lstar"};
    EXPECT_EQ(said(HV_RECORD_MSR_DENIED, {}, &rule),
              "write of 0x0 to ia32_lstar denied by kernel-entry/lstar");
    EXPECT_EQ(said(HV_RECORD_MSR_DENIED), "write of 0x0 to ia32_lstar denied by the core itself");
    EXPECT_EQ(said(HV_RECORD_MSR_LOGGED,
                   [](hv_record& record) {
                       record.rule = 9;
                       record.access = HV_ACCESS_READ;
                       record.address = 0x12345;
                   }),
              "read of msr 0x12345 logged by rule 9");
}

TEST(record_message, tells_of_ports_cpuid_xcr0_and_instructions) {
    rule_name const rule{"p", "r"};
    auto const with = [](std::uint64_t address, std::uint64_t value, std::uint64_t old,
                         std::uint32_t access) {
        return [=](hv_record& record) {
            record.address = address;
            record.value = value;
            record.old_value = old;
            record.access = access;
        };
    };
    EXPECT_EQ(said(HV_RECORD_IO_DENIED, with(0x70, 0x5678, 2, HV_ACCESS_WRITE), &rule),
              "OUT of 0x5678 to port 0x70 (2 bytes) denied by p/r");
    EXPECT_EQ(said(HV_RECORD_IO_LOGGED, with(0x71, 0, 1, HV_ACCESS_READ), &rule),
              "IN from port 0x71 (1 byte) logged by p/r");
    EXPECT_EQ(said(HV_RECORD_CPUID_DENIED, with(7ull << 32 | 1, 0, 0, HV_ACCESS_READ), &rule),
              "CPUID 0x7 sub-leaf 0x1 denied by p/r");
    EXPECT_EQ(said(HV_RECORD_XCR_DENIED, with(0, 3, 7, HV_ACCESS_WRITE), &rule),
              "xcr0 from 0x7 to 0x3 (avx) denied by p/r");
    EXPECT_EQ(said(HV_RECORD_XCR_KEPT, with(0, 3, 7, HV_ACCESS_WRITE), &rule),
              "xcr0 from 0x7 to 0x3 (avx) kept out by p/r");
    auto const wbinvd = with(HV_INSTRUCTION_WBINVD, 0, 0, HV_ACCESS_EXECUTE);
    EXPECT_EQ(said(HV_RECORD_EXECUTION_LOGGED, wbinvd, &rule), "wbinvd logged by p/r");
    EXPECT_EQ(said(HV_RECORD_EXECUTION_DENIED, with(99, 0, 0, 0), &rule),
              "instruction denied by p/r");
}

TEST(record_message, tells_of_markers_debug_registers_and_limits) {
    rule_name const rule{"p", "r"};
    auto const with = [](std::uint64_t address, std::uint64_t value, std::uint64_t old) {
        return [=](hv_record& record) {
            record.address = address;
            record.value = value;
            record.old_value = old;
        };
    };
    EXPECT_EQ(said(HV_RECORD_POLICY_MARKED, with(1, 4, 0)), "policy sealed: 4 rules in the set");
    EXPECT_EQ(said(HV_RECORD_POLICY_MARKED, with(5, 1, 0)), "marker 5 reached: 1 rule in the set");
    auto marked = make_record(0, HV_RECORD_POLICY_MARKED);
    marked.address = 5;
    EXPECT_EQ(record_message(marked, nullptr, "vmx", "up"),
              "marker up reached: 0 rules in the set");
    EXPECT_EQ(said(HV_RECORD_DR_KEPT, with(0, 0x10, 0), &rule),
              "dr0 from 0x0 to 0x10 kept out by p/r");
    EXPECT_EQ(said(HV_RECORD_DR_DENIED, with(7, 0x10401, 0x400), &rule),
              "dr7 from 0x400 to 0x10401 (l0 rw0) denied by p/r");
    EXPECT_EQ(said(HV_RECORD_VM_DENIED, with(1000, HV_VM_COUNT, 3), &rule),
              "a VM of user 1000, 3 VMs in all, denied by p/r");
    EXPECT_EQ(said(HV_RECORD_VM_LOGGED, with(1000, HV_VM_VCPUS, 1), &rule),
              "a vcpu for a VM of user 1000, 1 vcpu in all, logged by p/r");
    EXPECT_EQ(said(HV_RECORD_VM_DENIED, with(0, HV_VM_PAGES, 512), &rule),
              "memory for a VM of user 0, 2 MiB in all, denied by p/r");
    EXPECT_EQ(said(HV_RECORD_DTR_DENIED, with(HV_TABLE_TR, 5, 5), &rule),
              "tr with another selector or limit denied by p/r");
    EXPECT_EQ(said(HV_RECORD_DTR_KEPT, with(HV_TABLE_LDT, 5, 0), &rule),
              "ldt from 0x0 to 0x5 kept out by p/r");
    EXPECT_EQ(said(HV_RECORD_DTR_KEPT, with(99, 5, 0), &rule),
              "table 99 from 0x0 to 0x5 kept out by p/r");
}

hv_record guests_record(unsigned kind, std::uint64_t address, unsigned bytes) {
    auto record = make_record(0, kind);
    record.address = address;
    record.value = 0xfe;
    record.old_value = 1000ull << 32 | bytes;
    return record;
}

TEST(record_message, tells_which_guest_did_what_and_what_came_of_it) {
    rule_name const rule{"p", "r"};
    rule_name const reports{"p", "r", {.report_only = true}};
    auto const io = guests_record(HV_RECORD_GUEST_DENIED, 0x70, 1);
    EXPECT_EQ(record_message(io, &rule, "vmx"),
              "guest of user 1000: OUT of 0xfe to port 0x70 (1 byte) denied by p/r");
    EXPECT_EQ(record_message(guests_record(HV_RECORD_GUEST_PAUSED, 0x70, 2), &rule, "vmx", "web"),
              "guest of user 1000 (web): OUT of 0xfe to port 0x70 (2 bytes), VM paused by p/r");
    EXPECT_EQ(record_message(guests_record(HV_RECORD_GUEST_KILLED, 0x1a0, 0), &rule, "vmx"),
              "guest of user 1000: write of 0xfe to ia32_misc_enable, VM killed by p/r");
    EXPECT_EQ(record_message(guests_record(HV_RECORD_GUEST_LOGGED, 0x70, 1), &reports, "vmx"),
              "guest of user 1000: OUT of 0xfe to port 0x70 (1 byte) would be stopped by p/r");
}

TEST(record_json, of_a_guest_names_its_user) {
    auto const record = guests_record(HV_RECORD_GUEST_PAUSED, 0x70, 1);
    auto const json = record_json(record, {"t", "vmx", 1, 0, nullptr, {}, {}, "web"});
    EXPECT_EQ(json["vm"], "user 1000 (web)");
    EXPECT_EQ(json["object"], "guest");
    EXPECT_EQ(json["old"], "0x1");
    EXPECT_EQ(json["level"], "warning");
    EXPECT_EQ(json["kind"], "guest_paused");
    auto const level = [](unsigned kind) {
        return record_json(make_record(0, kind), {"t", "vmx", 1, 0, nullptr})["level"];
    };
    for (auto const kind : {HV_RECORD_GUEST_KILLED, HV_RECORD_GUEST_DENIED, HV_RECORD_VM_DENIED,
                            HV_RECORD_DR_DENIED, HV_RECORD_DR_KEPT}) {
        EXPECT_EQ(level(kind), "warning") << kind;
    }
    for (auto const kind : {HV_RECORD_GUEST_LOGGED, HV_RECORD_VM_LOGGED, HV_RECORD_POLICY_MARKED}) {
        EXPECT_EQ(level(kind), "info") << kind;
    }
    EXPECT_EQ(level_of("vm_paused"), log_level::info) << "somebody's wish";
}

TEST(record_message, knows_amds_own_msrs) {
    EXPECT_EQ(said(HV_RECORD_MSR_DENIED,
                   [](hv_record& record) {
                       record.address = 0xc0010114;
                       record.value = 0x10;
                   }),
              "write of 0x10 to vm_cr denied by the core itself");
}

TEST(record_message, says_which_bits_would_have_changed) {
    EXPECT_EQ(said(HV_RECORD_CR_DENIED,
                   [](hv_record& record) {
                       record.address = 4;
                       record.old_value = 0x3006f0;
                       record.value = 0x2006f0;
                   }),
              "cr4 from 0x3006f0 to 0x2006f0 (smep) denied by the core itself");
}

TEST(record_message, names_the_table_and_where_it_would_have_been) {
    auto const to = [](std::uint64_t base) {
        return [base](hv_record& record) {
            record.address = HV_TABLE_IDT;
            record.old_value = 0xfffffe0000000000;
            record.value = base;
        };
    };
    EXPECT_EQ(said(HV_RECORD_DTR_DENIED, to(0xffffc90000123000)),
              "idt from 0xfffffe0000000000 to 0xffffc90000123000 denied by the core itself");
    EXPECT_EQ(said(HV_RECORD_DTR_LOGGED, to(0xfffffe0000000000)),
              "idt with another limit logged by the core itself");
}

TEST(record_message, has_words_for_every_kind) {
    for (unsigned kind = 1; kind < HV_RECORD_KIND_COUNT; ++kind) {
        EXPECT_NE(said(kind), record_kind_name(kind)) << record_kind_name(kind);
    }
    EXPECT_EQ(said(999), "kind_999");
}

TEST(record_json, has_every_field_and_the_key_first) {
    rule_name const rule{"p", "r"};
    auto record = make_record(17);
    record.rule = 4;
    record.value = 0xdead;
    auto const json = record_json(record, {"2025-01-31T12:00:00.000001Z",
                                           "vmx",
                                           0xabc,
                                           1,
                                           &rule,
                                           "native_write_msr+0x4/0x20",
                                           {812, "insmod"}});
    EXPECT_EQ(json.dump(),
              R"({"time":"2025-01-31T12:00:00.000001Z","session":"0xabc","ring":1,"sequence":17,)"
              R"("schema":1,"level":"warning","kind":"msr_denied","cpu":0,"vm":"root",)"
              R"("reason":"msr_write","policy":"p","rule":"r","rule_id":4,"object":"msr",)"
              R"("address":"0xc0000082","value":"0xdead","old":"0x0","access":"write",)"
              R"("rip":"0xffffffff81001234","symbol":"native_write_msr+0x4/0x20",)"
              R"("process":"insmod","pid":812,"tsc":0,)"
              R"("message":"write of 0xdead to ia32_lstar denied by p/r"})");
    auto const key = read_line_key(json.dump());
    ASSERT_TRUE(key);
    EXPECT_EQ(key->session, 0xabcu);
    EXPECT_EQ(key->ring, 1u);
    EXPECT_EQ(key->sequence, 17u);
}

TEST(record_json, of_a_rule_that_only_reports_is_a_warning) {
    rule_name const rule{"p", "r", {.report_only = true}};
    auto const json = record_json(make_record(1, HV_RECORD_MSR_LOGGED), {"t", "vmx", 1, 0, &rule});
    EXPECT_EQ(json["kind"], "msr_logged");
    EXPECT_EQ(json["level"], "warning");
    EXPECT_EQ(json["message"], "write of 0x0 to ia32_lstar would be denied by p/r");
    rule_name const plain{"p", "r"};
    auto const logged = record_json(make_record(1, HV_RECORD_MSR_LOGGED),
                                    {"t", "vmx", 1, 0, &plain});
    EXPECT_EQ(logged["level"], "info");
}

TEST(record_json, a_record_without_exit_or_rule_says_null) {
    auto record = make_record(0, HV_RECORD_LAUNCHED);
    record.reason = 0xffff;
    auto const json = record_json(record, {"t", "vmx", 1, 0, nullptr});
    EXPECT_TRUE(json["reason"].is_null());
    EXPECT_TRUE(json["process"].is_null());
    EXPECT_TRUE(json["pid"].is_null());
    EXPECT_TRUE(json["policy"].is_null());
    EXPECT_TRUE(json["rule"].is_null());
}

TEST(line_key, is_only_in_lines_that_stand_for_records) {
    for (auto const* const line :
         {"", "{}", "{\"time\":\"x", "{\"time\":\"x\"}", "{\"time\":\"x\",\"kind\":\"start\"}",
          "{\"time\":\"x\",\"session\":\"zz\",\"ring\":1,\"sequence\":1,",
          "{\"time\":\"x\",\"session\":\"0x1\",\"ring\":4294967296,\"sequence\":1,"}) {
        EXPECT_FALSE(read_line_key(line)) << line;
    }
    auto const key = read_line_key(
        "{\"time\":\"x\",\"session\":\"0x1\",\"ring\":2,\"dropped_total\":5,\"kind\":");
    ASSERT_TRUE(key);
    EXPECT_FALSE(key->sequence);
    EXPECT_EQ(key->dropped_total, 5u);
}

TEST(record_message, names_an_exit_as_its_manual_does) {
    auto const exit = [](unsigned reason, std::uint64_t detail) {
        return [reason, detail](hv_record& record) {
            record.reason = static_cast<std::uint16_t>(reason);
            record.address = detail;
        };
    };
    EXPECT_EQ(said(HV_RECORD_UNEXPECTED_EXIT, exit(14, 0x7f000), nullptr, "vmx"),
              "unexpected exit: invlpg, qualification 0x7f000");
    EXPECT_EQ(said(HV_RECORD_UNEXPECTED_EXIT, exit(0x79, 0x7f000), nullptr, "svm"),
              "unexpected exit: invlpg, exit information 0x7f000");
    EXPECT_EQ(said(HV_RECORD_INSTRUCTION_DENIED, exit(27, 0), nullptr, "vmx"),
              "virtualization instruction refused: vmxon");
    EXPECT_EQ(said(HV_RECORD_INSTRUCTION_DENIED, exit(0x80, 0), nullptr, "svm"),
              "virtualization instruction refused: vmrun");
    EXPECT_EQ(said(HV_RECORD_INSTRUCTION_DENIED, exit(0xffff, 0), nullptr, "svm"),
              "virtualization instruction refused");
    EXPECT_EQ(said(HV_RECORD_ENTRY_FAILED, exit(0xffff, 0x1c), nullptr, "svm"),
              "VM entry failed, exit information 0x1c");
}

TEST(record_json, of_svm_says_which_access_to_an_msr_it_was) {
    auto record = make_record(0);
    record.reason = 0x7c;
    EXPECT_EQ(record_json(record, {"t", "svm", 1, 0, nullptr})["reason"], "msr_write");
    record.access = HV_ACCESS_READ;
    EXPECT_EQ(record_json(record, {"t", "svm", 1, 0, nullptr})["reason"], "msr_read");
}

TEST(record_json, of_svm_tells_an_entry_that_failed_from_no_exit) {
    auto record = make_record(0, HV_RECORD_ENTRY_FAILED);
    record.reason = 0xffff;
    EXPECT_EQ(record_json(record, {"t", "svm", 1, 0, nullptr})["reason"],
              "entry_failed_guest_state");
    record.kind = HV_RECORD_LAUNCHED;
    EXPECT_TRUE(record_json(record, {"t", "svm", 1, 0, nullptr})["reason"].is_null());
}

TEST(now_text, orders_as_text) {
    auto const a = now_text();
    auto const b = now_text();
    EXPECT_EQ(a.size(), 27u);
    EXPECT_LE(a, b);
    EXPECT_EQ(a.back(), 'Z');
}

}
}

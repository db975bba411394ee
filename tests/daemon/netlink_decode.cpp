// SPDX-License-Identifier: MIT
#include <cerrno>

#include <gtest/gtest.h>

#include "daemon/device/decode.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/device/message.hpp"
#include "kmod/abi/netlink.h"
#include "netlink_bytes.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

constexpr std::uint16_t family = 0x22;

netlink_bytes whole_status() {
    netlink_bytes cpu;
    cpu.number(HV_ATTR_CPU_ID, 3u).number<std::uint8_t>(HV_ATTR_HOISTED, 1);
    cpu.number<std::uint64_t>(HV_ATTR_EXITS, 77).number(HV_ATTR_RING, 1u);
    cpu.number<std::uint64_t>(HV_ATTR_WRITTEN, 5).number<std::uint64_t>(HV_ATTR_DROPPED, 6);
    netlink_bytes out;
    std::array<std::uint8_t, 32> hash{};
    hash.fill(0xee);
    out.number<std::uint8_t>(HV_ATTR_HOISTED, 1).text(HV_ATTR_BACKEND, "vmx");
    out.text(HV_ATTR_VERSION, "0.1.0").attribute_bytes(HV_ATTR_CORE_SHA256, hash.data(), 32);
    out.number<std::uint64_t>(HV_ATTR_RESERVED, 4096).number<std::uint8_t>(HV_ATTR_LOCKED, 0);
    out.attribute_bytes(HV_ATTR_PAD, nullptr, 0).number<std::uint64_t>(HV_ATTR_SESSION, 99);
    out.number<std::uint64_t>(HV_ATTR_MARKERS, 0x22);
    out.number(HV_ATTR_VMS, 0u).text(HV_ATTR_DMA, "not protected").nest(HV_ATTR_CPU, cpu);
    return out;
}

TEST(decode_state, reads_every_attribute) {
    machine_state state;
    decode_state(whole_status().span(), state);
    EXPECT_TRUE(state.hoisted);
    EXPECT_EQ(state.backend, "vmx");
    EXPECT_EQ(state.version, "0.1.0");
    EXPECT_EQ(state.core_sha256[31], 0xee);
    EXPECT_EQ(state.reserved_bytes, 4096u);
    EXPECT_EQ(state.session, 99u);
    EXPECT_EQ(state.markers, 0x22u);
    EXPECT_EQ(state.dma, "not protected");
    ASSERT_EQ(state.cpus.size(), 1u);
    EXPECT_EQ(state.cpus[0].id, 3u);
    EXPECT_EQ(state.cpus[0].ring, 1u);
    EXPECT_EQ(state.cpus[0].exits, 77u);
    EXPECT_EQ(state.cpus[0].dropped, 6u);
}

TEST(decode_state, refuses_every_truncation_without_reading_beyond) {
    auto const whole = whole_status();
    for (std::size_t bytes = 0; bytes < whole.span().size(); ++bytes) {
        // A copy of just that size: the sanitizer sees the first byte too many.
        std::vector<std::byte> const cut{whole.span().begin(),
                                         whole.span().begin() + static_cast<std::ptrdiff_t>(bytes)};
        machine_state state;
        auto const code = code_of([&] { decode_state(cut, state); });
        EXPECT_TRUE(code == 0 || code == EBADMSG) << bytes;
    }
}

TEST(decode_state, refuses_wrong_sizes_values_and_strangers) {
    auto const code = [](netlink_bytes const& bytes) {
        return code_of([&] {
            machine_state state;
            decode_state(bytes.span(), state);
        });
    };
    EXPECT_EQ(code(netlink_bytes{}.number(HV_ATTR_HOISTED, 1u)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.number<std::uint8_t>(HV_ATTR_HOISTED, 2)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.number<std::uint16_t>(HV_ATTR_SESSION, 2)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.number<std::uint8_t>(HV_ATTR_MARKERS, 2)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.attribute_bytes(HV_ATTR_BACKEND, "vmx", 3)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.attribute_bytes(HV_ATTR_BACKEND, "v\0x", 4)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.text(HV_ATTR_BACKEND, "\x1b[31m")), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.text(HV_ATTR_VERSION, std::string(300, 'v'))), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.number(HV_ATTR_COUNT, 1u)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.number(HV_ATTR_ABI, HV_ABI_VERSION + 1)), EBADMSG);
    EXPECT_EQ(code(netlink_bytes{}.number(HV_ATTR_ABI, HV_ABI_VERSION)), 0);
    std::vector<std::uint64_t> const counters(HV_COUNTERS + 1);
    netlink_bytes cpu;
    cpu.attribute_bytes(HV_ATTR_COUNTERS, counters.data(), counters.size() * 8);
    EXPECT_EQ(code(netlink_bytes{}.nest(HV_ATTR_CPU, cpu)), EBADMSG);
}

TEST(decode_policies, needs_sound_names_and_whole_rules) {
    auto const decode = [](std::string const& name, std::size_t bytes) {
        std::vector<std::byte> const rules(bytes);
        netlink_bytes inner;
        inner.text(HV_ATTR_NAME, name).attribute_bytes(HV_ATTR_RULES, rules.data(), bytes);
        return code_of([&] {
            enforced_policies out;
            decode_policies(netlink_bytes{}.nest(HV_ATTR_POLICY, inner).span(), out);
            EXPECT_EQ(out.policies.at(0).rules.size(), bytes / sizeof(hv_rule));
        });
    };
    EXPECT_EQ(decode("kernel-entry", 0), 0);
    EXPECT_EQ(decode("kernel-entry", 2 * sizeof(hv_rule)), 0);
    EXPECT_EQ(decode("kernel-entry", sizeof(hv_rule) - 1), EBADMSG);
    EXPECT_EQ(decode("Kernel", 0), EBADMSG);
    EXPECT_EQ(decode("", 0), EBADMSG);
    EXPECT_EQ(decode(std::string(HV_NAME_BYTES, 'a'), 0), EBADMSG);
}

// A thousand rules of 64 bytes are more than an attribute holds.
TEST(decode_policies, a_policy_goes_on_under_the_same_name) {
    std::vector<hv_rule> rules(HV_NEST_RULES + 1);
    auto const part = [&](std::string const& name, std::size_t count) {
        netlink_bytes inner;
        inner.text(HV_ATTR_NAME, name)
            .attribute_bytes(HV_ATTR_RULES, rules.data(), count * sizeof(hv_rule));
        return netlink_bytes{}.nest(HV_ATTR_POLICY, inner);
    };
    auto const decode = [&](std::vector<netlink_bytes> const& parts) {
        netlink_bytes all;
        for (auto const& each : parts) all.append(each);
        enforced_policies out;
        decode_policies(all.span(), out);
        return out.policies;
    };
    auto const two = decode({part("a", HV_NEST_RULES), part("a", 3), part("b", 1)});
    ASSERT_EQ(two.size(), 2u);
    EXPECT_EQ(two[0].rules.size(), HV_NEST_RULES + 3u);
    EXPECT_EQ(two[1].rules.size(), 1u);
    EXPECT_EQ(code_of([&] { decode({part("a", HV_NEST_RULES + 1)}); }), EBADMSG);
    EXPECT_EQ(code_of([&] {
                  decode({part("a", HV_NEST_RULES), part("a", HV_NEST_RULES), part("a", 1)});
              }),
              EBADMSG);
}

TEST(decode_dump, wants_the_struct_of_this_abi) {
    hv_cpu_dump dump{};
    dump.version = HV_ABI_VERSION;
    dump.size = sizeof(dump);
    dump.rip = 5;
    std::optional<hv_cpu_dump> out;
    decode_dump(netlink_bytes{}.attribute_bytes(HV_ATTR_DUMP, &dump, sizeof(dump)).span(), out);
    EXPECT_EQ(out->rip, 5u);
    dump.version = HV_ABI_VERSION + 1;
    EXPECT_EQ(code_of([&] {
                  decode_dump(
                      netlink_bytes{}.attribute_bytes(HV_ATTR_DUMP, &dump, sizeof(dump)).span(),
                      out);
              }),
              EBADMSG);
}

TEST(read_answer, ends_with_the_acknowledgement) {
    auto bytes = netlink_bytes::generic(family, HV_CMD_STATUS, whole_status(), 7);
    auto part = read_answer(bytes.span(), family, 7);
    EXPECT_EQ(part.messages.size(), 1u);
    EXPECT_FALSE(part.complete);
    bytes.append(netlink_bytes::outcome(0, "", 7));
    part = read_answer(bytes.span(), family, 7);
    EXPECT_EQ(part.messages.size(), 1u);
    EXPECT_TRUE(part.complete);
    EXPECT_TRUE(read_answer(bytes.span(), family, 8).messages.empty())
        << "a late answer to an earlier request";
}

TEST(read_answer, carries_the_kernels_number_and_words) {
    auto const bytes = netlink_bytes::outcome(-EBUSY, "kvm_intel is loaded: rmmod kvm_intel");
    try {
        (void)read_answer(bytes.span(), family, 1);
        FAIL() << "no error";
    } catch (device_error const& error) {
        EXPECT_EQ(error.code(), EBUSY);
        EXPECT_STREQ(error.what(), "kvm_intel is loaded: rmmod kvm_intel");
    }
}

TEST(read_answer, refuses_broken_messages) {
    auto const code = [](netlink_bytes const& bytes) {
        return code_of([&] { (void)read_answer(bytes.span(), family, 1); });
    };
    auto sound = netlink_bytes::outcome(-EBUSY, "words");
    for (std::size_t bytes = 1; bytes < sound.span().size(); ++bytes) {
        netlink_bytes cut;
        cut.put(sound.span().data(), bytes);
        EXPECT_EQ(code(cut), EBADMSG) << bytes;
    }
    EXPECT_EQ(code(netlink_bytes::outcome(5, "")), EBADMSG);
    EXPECT_EQ(code(netlink_bytes::outcome(-5000, "")), EBADMSG);
    auto short_length = netlink_bytes::outcome(0, "");
    short_length.raw()[0] = std::byte{3};
    EXPECT_EQ(code(short_length), EBADMSG);
}

TEST(read_events, tells_records_state_and_the_modules_coming) {
    auto const record = std::vector<hv_record>(2);
    netlink_bytes content;
    content.number(HV_ATTR_RING, 1u).number<std::uint64_t>(HV_ATTR_DROPPED, 3);
    content.number<std::uint64_t>(HV_ATTR_SESSION, 9).number<std::uint64_t>(HV_ATTR_SEQUENCE, 7);
    content.attribute_bytes(HV_ATTR_RECORDS, record.data(), 2 * sizeof(hv_record));
    content.attribute_bytes(HV_ATTR_SYMBOLS, "cr4_init+0x8/0x90\0", 19);
    std::vector<hv_process> const processes{{812, "insmod"}, {}};
    content.attribute_bytes(HV_ATTR_PROCESSES, processes.data(), 2 * sizeof(hv_process));
    auto bytes = netlink_bytes::generic(family, HV_CMD_RECORDS, content);
    bytes.append(netlink_bytes::generic(family, HV_CMD_STATE,
                                        netlink_bytes{}
                                            .number<std::uint8_t>(HV_ATTR_HOISTED, 1)
                                            .number<std::uint64_t>(HV_ATTR_SESSION, 9)));
    bytes.append(netlink_bytes::generic(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY,
                                        netlink_bytes{}
                                            .text(CTRL_ATTR_FAMILY_NAME, "hv")
                                            .number<std::uint16_t>(CTRL_ATTR_FAMILY_ID, family)));
    bytes.append(netlink_bytes::generic(GENL_ID_CTRL, CTRL_CMD_DELFAMILY,
                                        netlink_bytes{}.text(CTRL_ATTR_FAMILY_NAME, "other")));
    auto const events = read_events(bytes.span(), family);
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(std::get<record_batch>(events[0]).records.size(), 2u);
    EXPECT_EQ(std::get<record_batch>(events[0]).dropped, 3u);
    EXPECT_EQ(std::get<record_batch>(events[0]).released, 7u);
    EXPECT_EQ(std::get<record_batch>(events[0]).symbols,
              (std::vector<std::string>{"cr4_init+0x8/0x90", ""}));
    EXPECT_EQ(std::get<record_batch>(events[0]).processes.at(0).pid, 812);
    EXPECT_TRUE(std::get<state_change>(events[1]).hoisted);
    EXPECT_TRUE(std::get<module_change>(events[2]).loaded);
}

TEST(decode_place, takes_whole_pages_and_nothing_else) {
    auto const place = [](std::vector<hv_range> const& ranges) {
        netlink_bytes bytes;
        bytes.attribute_bytes(HV_ATTR_RANGES, ranges.data(), ranges.size() * sizeof(hv_range));
        bytes.number<std::uint64_t>(HV_ATTR_STAMP, 77);
        std::optional<place_answer> answer;
        decode_place(bytes.span(), answer);
        return *answer;
    };
    auto const sound = place({{0x1000, 0x1fff}, {0x5000, 0x8fff}});
    EXPECT_EQ(sound.ranges.at(1).last, 0x8fffu);
    EXPECT_EQ(sound.stamp, 77u);
    EXPECT_EQ(code_of([&] { place({}); }), EBADMSG);
    EXPECT_EQ(code_of([&] { place({{0x1000, 0x1ffe}}); }), EBADMSG);
    EXPECT_EQ(code_of([&] { place({{0x1001, 0x1fff}}); }), EBADMSG);
    EXPECT_EQ(code_of([&] { place({{0x5000, 0x1fff}}); }), EBADMSG);
}

TEST(decode_hash, is_32_bytes) {
    std::optional<sha256_sum> sum;
    std::array<std::uint8_t, 33> bytes{};
    bytes.fill(7);
    netlink_bytes whole;
    decode_hash(whole.attribute_bytes(HV_ATTR_SHA256, bytes.data(), 32).span(), sum);
    EXPECT_EQ(sum->back(), 7);
    netlink_bytes longer;
    longer.attribute_bytes(HV_ATTR_SHA256, bytes.data(), 33);
    EXPECT_EQ(code_of([&] { decode_hash(longer.span(), sum); }), EBADMSG);
    netlink_bytes other;
    EXPECT_EQ(code_of([&] { decode_hash(other.number(HV_ATTR_RING, 1u).span(), sum); }), EBADMSG);
}

TEST(decode_policies, a_held_modules_name_has_an_end) {
    hv_module_stamp module{};
    std::memcpy(module.name, "nf_tables", 9);
    module.stamp = 5;
    auto const decoded = [&] {
        netlink_bytes nest;
        nest.text(HV_ATTR_NAME, "p").attribute_bytes(HV_ATTR_RULES, nullptr, 0);
        nest.attribute_bytes(HV_ATTR_MODULES, &module, sizeof(module));
        enforced_policies out;
        decode_policies(netlink_bytes{}.nest(HV_ATTR_POLICY, nest).span(), out);
        return out;
    };
    EXPECT_STREQ(decoded().policies.at(0).modules.at(0).name, "nf_tables");
    EXPECT_EQ(decoded().policies.at(0).modules.at(0).stamp, 5u);
    std::memset(module.name, 'a', sizeof(module.name));
    EXPECT_EQ(code_of([&] { decoded(); }), EBADMSG);
}

}
}

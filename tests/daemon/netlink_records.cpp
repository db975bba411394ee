// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <iterator>

#include <gtest/gtest.h>

#include "daemon/device/decode.hpp"
#include "netlink_bytes.hpp"

namespace hv {
namespace {

TEST(decode_records, wants_a_symbol_for_each_record) {
    auto const refused = [](std::string_view symbols) {
        std::vector<hv_record> const records(2);
        netlink_bytes content;
        content.attribute_bytes(HV_ATTR_RECORDS, records.data(), 2 * sizeof(hv_record));
        content.attribute_bytes(HV_ATTR_SYMBOLS, symbols.data(), symbols.size());
        std::vector<hv_process> const processes(2);
        content.attribute_bytes(HV_ATTR_PROCESSES, processes.data(), 2 * sizeof(hv_process));
        return code_of([&] { (void)decode_records(content.span()); });
    };
    using namespace std::literals;
    EXPECT_EQ(refused(""), EBADMSG);
    EXPECT_EQ(refused("one\0"sv), EBADMSG);
    EXPECT_EQ(refused("one\0two"sv), EBADMSG) << "no NUL at the end";
    EXPECT_EQ(refused("one\0two\0\0"sv), EBADMSG) << "three";
    EXPECT_EQ(refused("one\0t\nwo\0"sv), EBADMSG) << "not printable";
    EXPECT_EQ(refused(std::string(HV_SYMBOL_BYTES, 'x') + "\0two\0"s), EBADMSG) << "too long";
}

TEST(decode_records, wants_a_process_for_each_record) {
    auto const refused = [](std::vector<hv_process> const& processes) {
        std::vector<hv_record> const records(2);
        netlink_bytes content;
        content.attribute_bytes(HV_ATTR_RECORDS, records.data(), 2 * sizeof(hv_record));
        content.attribute_bytes(HV_ATTR_SYMBOLS, "\0", 2);
        content.attribute_bytes(HV_ATTR_PROCESSES, processes.data(),
                                processes.size() * sizeof(hv_process));
        return code_of([&] { (void)decode_records(content.span()); });
    };
    hv_process const sound{1, "init"};
    hv_process endless{1, {}};
    std::fill(std::begin(endless.name), std::end(endless.name), 'x');
    EXPECT_EQ(refused({sound, sound}), 0);
    EXPECT_EQ(refused({sound}), EBADMSG);
    EXPECT_EQ(refused({sound, sound, sound}), EBADMSG);
    EXPECT_EQ(refused({sound, endless}), EBADMSG);
}

}
}

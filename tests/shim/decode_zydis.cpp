// SPDX-License-Identifier: MIT
// Held against Debian's Zydis: wherever the decoder accepts, they see the same instruction; and it
// accepts every instruction of its list that Zydis finds.
#include "encodings.hpp"
#include "zydis_peer.hpp"
#include <gtest/gtest.h>

namespace {

constexpr std::array modes{HVK_MODE_16, HVK_MODE_32, HVK_MODE_64};

registers random_registers(random_bits& random) {
    registers gpr;
    for (auto& value : gpr) value = random();
    return gpr;
}

/// Stops telling after a few, so that a broken table stays readable.
class verdict {
public:
    void take(std::string const& difference) {
        ++compared_;
        if (difference.empty()) return;
        if (++different_ <= 20) ADD_FAILURE() << difference;
    }
    [[nodiscard]] unsigned compared() const { return compared_; }
    [[nodiscard]] unsigned different() const { return different_; }

private:
    unsigned compared_ = 0;
    unsigned different_ = 0;
};

/// Opcode after each set of prefixes, with every ModRM; what follows is arbitrary.
void every_modrm(hvk_mode mode, encoding const& prefixes, encoding const& opcode, verdict& v) {
    random_bits random{opcode.back() + 256u * prefixes.size()};
    auto const gpr = random_registers(random);
    auto const rip = random();
    encoding bytes = prefixes;
    bytes.insert(bytes.end(), opcode.begin(), opcode.end());
    auto const at = bytes.size();
    bytes.resize(15);
    for (unsigned modrm = 0; modrm < 256; ++modrm) {
        bytes[at] = static_cast<std::uint8_t>(modrm);
        for (auto i = at + 1; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random());
        v.take(difference_from_zydis(bytes, mode, gpr, rip));
    }
}

void every_opcode(hvk_mode mode, encoding const& prefixes, verdict& v) {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        auto const byte = static_cast<std::uint8_t>(opcode);
        every_modrm(mode, prefixes, {byte}, v);
        every_modrm(mode, prefixes, {0x0f, byte}, v);
    }
}

TEST(decode_zydis, agrees_on_every_opcode_and_modrm_under_each_prefix) {
    verdict v;
    for (auto const mode : modes)
        for (auto const* prefixes : {"", "66", "67", "f0", "f2", "f3", "2e", "65", "66 67 f3 36"})
            every_opcode(mode, from_hex(prefixes), v);
    EXPECT_EQ(v.compared(), 3u * 9u * 512u * 256u);
    EXPECT_EQ(v.different(), 0u);
}

TEST(decode_zydis, agrees_on_every_rex) {
    verdict v;
    for (unsigned rex = 0x40; rex < 0x50; ++rex)
        every_opcode(HVK_MODE_64, {static_cast<std::uint8_t>(rex)}, v);
    for (auto const* prefixes : {"66 48", "67 4f", "f0 4c", "48 66", "4f 2e 41", "64 66 67 47"})
        every_opcode(HVK_MODE_64, from_hex(prefixes), v);
    EXPECT_EQ(v.different(), 0u);
}

/// A load and a store with an immediate behind the address, through every ModRM and SIB.
void every_sib(hvk_mode mode, encoding const& prefixes, random_bits& random, verdict& v) {
    for (auto const opcode : {std::uint8_t{0x8b}, std::uint8_t{0xc7}}) {
        encoding bytes = prefixes;
        bytes.push_back(opcode);
        auto const at = bytes.size();
        bytes.resize(15);
        for (unsigned both = 0; both < 0x10000; ++both) {
            bytes[at] = static_cast<std::uint8_t>(both >> 8);
            bytes[at + 1] = static_cast<std::uint8_t>(both);
            for (auto i = at + 2; i < bytes.size(); ++i)
                bytes[i] = static_cast<std::uint8_t>(random());
            v.take(difference_from_zydis(bytes, mode, random_registers(random), random()));
        }
    }
}

TEST(decode_zydis, agrees_on_every_address) {
    verdict v;
    random_bits random{4};
    for (auto const mode : modes)
        for (auto const* prefixes : {"", "67", "64", "66 2e"})
            every_sib(mode, from_hex(prefixes), random, v);
    for (auto const* prefixes : {"41", "42", "43", "67 43", "4f"})
        every_sib(HVK_MODE_64, from_hex(prefixes), random, v);
    EXPECT_EQ(v.different(), 0u);
}

TEST(decode_zydis, agrees_on_random_encodings) {
    constexpr unsigned wanted = 2'000'000;
    verdict v;
    random_bits random{20240607};
    unsigned accepted = 0;
    for (unsigned i = 0; i < wanted; ++i) {
        auto const mode = modes[random() % modes.size()];
        auto const bytes = random_encoding(random, mode);
        v.take(difference_from_zydis(bytes, mode, random_registers(random), random()));
        hvk_insn insn;
        accepted += decode(bytes, mode, insn) == HVK_DECODED;
    }
    EXPECT_EQ(v.different(), 0u);
    EXPECT_GT(accepted, wanted / 4);    // or it would compare refusals
}

TEST(decode_zydis, agrees_on_random_bytes) {
    verdict v;
    random_bits random{7};
    for (unsigned i = 0; i < 1'000'000; ++i) {
        encoding bytes(random() % 18);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        v.take(difference_from_zydis(bytes, modes[i % 3], random_registers(random), random()));
    }
    EXPECT_EQ(v.different(), 0u);
}

}    // namespace

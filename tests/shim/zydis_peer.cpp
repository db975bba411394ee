// SPDX-License-Identifier: MIT
#include "zydis_peer.hpp"
#include <Zydis/Zydis.h>
#include <map>
#include <sstream>

namespace {

struct zydis_view {
    bool valid;
    ZydisDecodedInstruction insn;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
};

ZydisDecoder make_decoder(ZydisMachineMode mode, ZydisStackWidth width) {
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, mode, width);
    return decoder;
}

zydis_view view(encoding const& bytes, hvk_mode mode) {
    static ZydisDecoder const decoders[] = {
        make_decoder(ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16),
        make_decoder(ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32),
        make_decoder(ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)};
    zydis_view v{};
    v.valid = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoders[mode], bytes.data(), bytes.size(),
                                                  &v.insn, v.operands.data()));
    return v;
}

using names = std::map<ZydisMnemonic, hvk_op>;

/// Every mnemonic of ours. Strings, push and pop are moves and comparisons there.
names const& mnemonics() {
    static names const known{
        {ZYDIS_MNEMONIC_ADD, HVK_ADD},         {ZYDIS_MNEMONIC_OR, HVK_OR},
        {ZYDIS_MNEMONIC_ADC, HVK_ADC},         {ZYDIS_MNEMONIC_SBB, HVK_SBB},
        {ZYDIS_MNEMONIC_AND, HVK_AND},         {ZYDIS_MNEMONIC_SUB, HVK_SUB},
        {ZYDIS_MNEMONIC_XOR, HVK_XOR},         {ZYDIS_MNEMONIC_CMP, HVK_CMP},
        {ZYDIS_MNEMONIC_TEST, HVK_TEST},       {ZYDIS_MNEMONIC_MOV, HVK_MOV},
        {ZYDIS_MNEMONIC_MOVZX, HVK_MOV},       {ZYDIS_MNEMONIC_MOVNTI, HVK_MOV},
        {ZYDIS_MNEMONIC_MOVSX, HVK_MOVSX},     {ZYDIS_MNEMONIC_MOVSXD, HVK_MOVSX},
        {ZYDIS_MNEMONIC_XCHG, HVK_XCHG},       {ZYDIS_MNEMONIC_XADD, HVK_XADD},
        {ZYDIS_MNEMONIC_CMPXCHG, HVK_CMPXCHG}, {ZYDIS_MNEMONIC_BT, HVK_BT},
        {ZYDIS_MNEMONIC_BTS, HVK_BTS},         {ZYDIS_MNEMONIC_BTR, HVK_BTR},
        {ZYDIS_MNEMONIC_BTC, HVK_BTC},         {ZYDIS_MNEMONIC_INC, HVK_INC},
        {ZYDIS_MNEMONIC_DEC, HVK_DEC},         {ZYDIS_MNEMONIC_NOT, HVK_NOT},
        {ZYDIS_MNEMONIC_NEG, HVK_NEG},         {ZYDIS_MNEMONIC_PUSH, HVK_MOV},
        {ZYDIS_MNEMONIC_POP, HVK_MOV},         {ZYDIS_MNEMONIC_MOVSB, HVK_MOV},
        {ZYDIS_MNEMONIC_MOVSW, HVK_MOV},       {ZYDIS_MNEMONIC_MOVSD, HVK_MOV},
        {ZYDIS_MNEMONIC_MOVSQ, HVK_MOV},       {ZYDIS_MNEMONIC_STOSB, HVK_MOV},
        {ZYDIS_MNEMONIC_STOSW, HVK_MOV},       {ZYDIS_MNEMONIC_STOSD, HVK_MOV},
        {ZYDIS_MNEMONIC_STOSQ, HVK_MOV},       {ZYDIS_MNEMONIC_LODSB, HVK_MOV},
        {ZYDIS_MNEMONIC_LODSW, HVK_MOV},       {ZYDIS_MNEMONIC_LODSD, HVK_MOV},
        {ZYDIS_MNEMONIC_LODSQ, HVK_MOV},       {ZYDIS_MNEMONIC_INSB, HVK_MOV},
        {ZYDIS_MNEMONIC_INSW, HVK_MOV},        {ZYDIS_MNEMONIC_INSD, HVK_MOV},
        {ZYDIS_MNEMONIC_OUTSB, HVK_MOV},       {ZYDIS_MNEMONIC_OUTSW, HVK_MOV},
        {ZYDIS_MNEMONIC_OUTSD, HVK_MOV},       {ZYDIS_MNEMONIC_CMPSB, HVK_CMP},
        {ZYDIS_MNEMONIC_CMPSW, HVK_CMP},       {ZYDIS_MNEMONIC_CMPSD, HVK_CMP},
        {ZYDIS_MNEMONIC_CMPSQ, HVK_CMP},       {ZYDIS_MNEMONIC_SCASB, HVK_CMP},
        {ZYDIS_MNEMONIC_SCASW, HVK_CMP},       {ZYDIS_MNEMONIC_SCASD, HVK_CMP},
        {ZYDIS_MNEMONIC_SCASQ, HVK_CMP}};
    return known;
}

/// Memory that the instruction names: not the stack of push and pop.
bool is_memory(ZydisDecodedInstruction const& insn, ZydisDecodedOperand const& operand) {
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) return false;
    bool const stack = insn.mnemonic == ZYDIS_MNEMONIC_PUSH || insn.mnemonic == ZYDIS_MNEMONIC_POP;
    return !stack || operand.visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
}

bool is_segment_register(ZydisDecodedOperand const& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

/// Whether an instruction that hvk_decode does not know ought to be one of its.
bool ours(zydis_view const& v) {
    if (!v.valid || !mnemonics().contains(v.insn.mnemonic)) return false;
    // Of the two manuals' 16-bit movsxd one reads two bytes, the other four.
    if (v.insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD && v.insn.operand_width == 16) return false;
    bool memory = false;
    for (unsigned i = 0; i < v.insn.operand_count; ++i) {
        auto const& operand = v.operands[i];
        if (is_segment_register(operand)) return false;
        if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_XMM)
            return false;    // movsd and cmpsd of SSE2
        memory |= is_memory(v.insn, operand);
    }
    return memory;
}

/// Collects what differs, as "name ours/Zydis's".
class comparison {
public:
    void same(std::string_view what, std::uint64_t mine, std::uint64_t theirs) {
        if (mine != theirs)
            text_ << ' ' << what << ' ' << std::hex << mine << '/' << theirs << std::dec;
    }
    [[nodiscard]] std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
};

/// Zydis's register in our numbers.
std::uint8_t number(ZydisRegister reg) {
    if (reg == ZYDIS_REGISTER_NONE) return HVK_NO_REGISTER;
    if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_IP) return HVK_RIP;
    if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
        return static_cast<std::uint8_t>(HVK_HIGH_BYTE | (reg - ZYDIS_REGISTER_AH));
    auto const whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    return static_cast<std::uint8_t>(ZydisRegisterGetId(whole));
}

std::uint8_t scale(ZydisDecodedOperandMem const& memory) {
    return memory.index == ZYDIS_REGISTER_NONE ? std::uint8_t{1} : memory.scale;
}

struct context {
    registers const& gpr;
    std::uint64_t rip;
};

ZydisRegisterContext zydis_registers(registers const& gpr) {
    ZydisRegisterContext all{};
    for (unsigned i = 0; i < HVK_REGISTERS; ++i) {
        auto const name = [i](ZydisRegister first) {
            return static_cast<ZydisRegister>(static_cast<unsigned>(first) + i);
        };
        all.values[name(ZYDIS_REGISTER_RAX)] = gpr[i];
        all.values[name(ZYDIS_REGISTER_EAX)] = gpr[i] & 0xffffffff;
        all.values[name(ZYDIS_REGISTER_AX)] = gpr[i] & 0xffff;
    }
    return all;
}

/// Zydis 4.0 takes r13d for a base where the SIB byte says that there is none (with 67 and REX.B);
/// processors do not, as decode_cpu shows.
bool wrong_base(zydis_view const& v, ZydisDecodedOperand const& operand) {
    return operand.mem.base == ZYDIS_REGISTER_R13D && v.insn.raw.modrm.rm == 4 &&
           v.insn.raw.modrm.mod == 0;
}

void compare_address(comparison& c, hvk_insn const& insn, hvk_address const& mine,
                     zydis_view const& v, ZydisDecodedOperand const& theirs, context const& at) {
    c.same("memory bytes", insn.bytes, theirs.size / 8u);
    c.same("address bytes", mine.bytes, v.insn.address_width / 8u);
    if (wrong_base(v, theirs)) return;
    c.same("segment", mine.segment,
           static_cast<std::uint64_t>(theirs.mem.segment - ZYDIS_REGISTER_ES));
    c.same("base", mine.base, number(theirs.mem.base));
    c.same("index", mine.index, number(theirs.mem.index));
    c.same("scale", mine.scale, scale(theirs.mem));
    c.same("displacement", hvk_zero_extend(mine.displacement, mine.bytes),
           hvk_zero_extend(static_cast<std::uint64_t>(theirs.mem.disp.value), mine.bytes));
    hvk_insn plain = insn;    // Zydis does not add what bt and pop do
    plain.flags = static_cast<std::uint8_t>(plain.flags & ~HVK_BIT_STRING);
    plain.other = HVK_OTHER_NONE;
    auto const all = zydis_registers(at.gpr);
    ZyanU64 address = 0;
    bool const found = ZYAN_SUCCESS(
        ZydisCalcAbsoluteAddressEx(&v.insn, &theirs, at.rip, &all, &address));
    c.same("address known", 1, found);
    c.same("address", hvk_effective_address(&plain, &mine, at.gpr.data(), at.rip),
           hvk_zero_extend(address, mine.bytes));
}

void compare_effects(comparison& c, hvk_insn const& insn, zydis_view const& v,
                     ZydisDecodedOperand const& memory) {
    bool const reads = (memory.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
    bool const writes = (memory.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    c.same("reads", (insn.flags & HVK_READS) != 0, reads);
    c.same("writes", (insn.flags & HVK_WRITES) != 0, writes);
    bool const locked = (v.insn.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0;
    bool const exchange = v.insn.mnemonic == ZYDIS_MNEMONIC_XCHG;
    c.same("locked", (insn.flags & HVK_LOCKED) != 0, locked || exchange);
    ZydisAccessedFlagsMask changed = 0;
    if (auto const* flags = v.insn.cpu_flags)
        changed = flags->modified | flags->set_0 | flags->set_1 | flags->undefined;
    if (insn.op >= HVK_BT && insn.op <= HVK_BTC) changed = HVK_RFLAGS_CF;    // others stay
    c.same("rflags", insn.rflags, changed);
}

/// Processors do not tell repne from rep where no comparison ends the loop; decode_cpu shows it.
hvk_rep rep_of(zydis_view const& v, hvk_op op) {
    auto const has = v.insn.attributes;
    if ((has & ZYDIS_ATTRIB_HAS_REPE) != 0) return HVK_REPE;
    if ((has & ZYDIS_ATTRIB_HAS_REPNE) != 0) return op == HVK_CMP ? HVK_REPNE : HVK_REP;
    return (has & ZYDIS_ATTRIB_HAS_REP) != 0 ? HVK_REP : HVK_REP_NONE;
}

/// The first visible or hidden operand of a type, other than skipped ones.
ZydisDecodedOperand const* find(zydis_view const& v, ZydisOperandType type) {
    for (unsigned i = 0; i < v.insn.operand_count; ++i)
        if (v.operands[i].type == type) return &v.operands[i];
    return nullptr;
}

void compare_other(comparison& c, hvk_insn const& insn, zydis_view const& v) {
    auto const* const reg = find(v, ZYDIS_OPERAND_TYPE_REGISTER);
    auto const* const immediate = find(v, ZYDIS_OPERAND_TYPE_IMMEDIATE);
    if (insn.other == HVK_OTHER_REGISTER) {
        c.same("has register", 1, reg != nullptr);
        if (reg == nullptr) return;
        c.same("register", insn.reg, number(reg->reg.value));
        c.same("register bytes", insn.other_bytes, reg->size / 8u);
    }
    c.same("has immediate", insn.other == HVK_OTHER_IMMEDIATE, immediate != nullptr);
    if (insn.other == HVK_OTHER_IMMEDIATE && immediate != nullptr) {
        auto const bytes = insn.other_bytes;
        bool const bit = insn.op >= HVK_BT && insn.op <= HVK_BTC;    // a number of 8 bits
        c.same("immediate", hvk_zero_extend(insn.immediate, bit ? 1 : bytes),
               hvk_zero_extend(immediate->imm.value.u, bit ? 1 : bytes));
    }
    bool const stack = v.insn.mnemonic == ZYDIS_MNEMONIC_PUSH ||
                       v.insn.mnemonic == ZYDIS_MNEMONIC_POP;
    c.same("stack", insn.other == HVK_OTHER_STACK, stack);
    bool const port = v.insn.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
    c.same("port", insn.other == HVK_OTHER_PORT, port);
    bool const string = port || v.insn.meta.category == ZYDIS_CATEGORY_STRINGOP;
    c.same("string", (insn.flags & HVK_STRING) != 0, string);
}

/// Which operand comes first is which one is written.
void compare_direction(comparison& c, hvk_insn const& insn, unsigned first) {
    bool const swaps = insn.op == HVK_XCHG || insn.op == HVK_TEST;
    if (!swaps) c.same("to memory", (insn.flags & HVK_TO_MEMORY) != 0, first == 0);
}

std::string compare(hvk_insn const& insn, zydis_view const& v, context const& at) {
    comparison c;
    c.same("length", insn.length, v.insn.length);
    auto const name = mnemonics().find(v.insn.mnemonic);
    if (name == mnemonics().end())
        return c.text() + " is " + ZydisMnemonicGetString(v.insn.mnemonic);
    c.same("operation", insn.op, static_cast<std::uint64_t>(name->second));
    unsigned memories = 0;
    for (unsigned i = 0; i < v.insn.operand_count; ++i) {
        auto const& operand = v.operands[i];
        if (!is_memory(v.insn, operand)) continue;
        bool const first = memories++ == 0;
        compare_address(c, insn, first ? insn.memory : insn.second, v, operand, at);
        if (first) compare_effects(c, insn, v, operand);
        if (first && insn.other != HVK_OTHER_STACK) compare_direction(c, insn, i);
    }
    c.same("memory operands", insn.other == HVK_OTHER_MEMORY ? 2 : 1, memories);
    c.same("rep", insn.rep, rep_of(v, static_cast<hvk_op>(insn.op)));
    compare_other(c, insn, v);
    return c.text();
}

}    // namespace

std::string difference_from_zydis(encoding const& bytes, hvk_mode mode, registers const& gpr,
                                  std::uint64_t rip) {
    hvk_insn insn;
    auto const decoded = decode(bytes, mode, insn);
    auto const v = view(bytes, mode);
    std::string wrong;
    if (decoded == HVK_DECODED)
        wrong = v.valid ? compare(insn, v, {gpr, rip}) : " no instruction of Zydis's";
    else if (ours(v))
        wrong = " refused with " + std::to_string(decoded) + ", Zydis has " +
                ZydisMnemonicGetString(v.insn.mnemonic);
    else if (v.valid && decoded != HVK_DECODE_REGISTER && decoded != HVK_DECODE_UNKNOWN)
        wrong = " refused as no instruction, Zydis has " +
                std::string{ZydisMnemonicGetString(v.insn.mnemonic)};
    return wrong.empty() ? wrong : hex(bytes) + " mode " + std::to_string(mode) + ':' + wrong;
}

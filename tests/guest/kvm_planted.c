// SPDX-License-Identifier: MIT
#include "kvm_planted.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

enum {
    legacy_bytes = 416,    // of FXSAVE's image, up to XMM15
    mask_at = 28,          // MXCSR_MASK there, which the CPU writes and nobody loads
    header_at = 512,       // XSAVE's header: which states are in the image
    header_bytes = 64,
    cpuid_osxsave = 1 << 27,
    cpuid_ospke = 1 << 4,
    cpuid_rdtscp = 1 << 27,
    signature_tcgt = 0x54474354,
    guest_states = 0xe7,    // of XCR0: x87, SSE, AVX, AVX-512
};

// KVM_RUN with the registers of `in`; what they hold afterwards is in `out`. `states` as XSAVE
// takes them, or 0. The result is the kernel's.
long run_with(long vcpu, struct client_state const* in, struct client_state* out, uint32_t states);
asm(R"(
    .pushsection .text
run_with:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx
    push %rcx
    mov %ecx, %eax
    )" RESTORE_VECTORS R"(
    mov 3072(%rsi), %rbx
    mov 3080(%rsi), %rbp
    mov 3088(%rsi), %r8
    mov 3096(%rsi), %r9
    mov 3104(%rsi), %r10
    mov 3112(%rsi), %r12
    mov 3120(%rsi), %r13
    mov 3128(%rsi), %r14
    mov 3136(%rsi), %r15
    mov $0xae80, %esi
    mov $16, %eax
    syscall
    mov 8(%rsp), %rsi
    mov %rbx, 3072(%rsi)
    mov %rbp, 3080(%rsi)
    mov %r8, 3088(%rsi)
    mov %r9, 3096(%rsi)
    mov %r10, 3104(%rsi)
    mov %r12, 3112(%rsi)
    mov %r13, 3120(%rsi)
    mov %r14, 3128(%rsi)
    mov %r15, 3136(%rsi)
    mov %rax, %rbx
    mov (%rsp), %eax
    xor %edx, %edx
    test %eax, %eax
    jnz 1f
    fxsave64 (%rsi)
    jmp 2f
1:  xsave64 (%rsi)
2:  fninit
    push $0x1f80
    ldmxcsr (%rsp)
    pop %rcx
    mov %rbx, %rax
    pop %rcx
    pop %rdx
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .popsection
)");
_Static_assert(offsetof(struct client_state, general) == 3072, "run_with");

struct abilities abilities_of(bool xsave) {
    struct abilities has = {0};
    unsigned a, b, c, d;

    __cpuid(0x80000001, a, b, c, d);
    has.tsc_aux = d & cpuid_rdtscp;
    // QEMU 7.2 takes the breakpoints of one world for those of the other, and dies of it.
    __cpuid(0x40000000, a, b, c, d);
    has.dr7 = b != signature_tcgt;
    __cpuid(1, a, b, c, d);
    if (!xsave || !(c & cpuid_osxsave)) return has;
    asm("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    has.states = a & guest_states;
    __cpuid_count(7, 0, a, b, c, d);
    has.pkru = c & cpuid_ospke;
    return has;
}

static void fill(unsigned char* at, unsigned bytes, unsigned seed) {
    for (unsigned i = 0; i < bytes; ++i) at[i] = (unsigned char)(i * 7 + seed * 31 + 1);
}

// FXSAVE's image, and XSAVE's where there are states. Of the eight x87 registers, ten bytes each.
static void plant_vectors(unsigned char* image, struct abilities has, unsigned seed) {
    uint32_t const mxcsr = 0x1f80 | (seed & 3) << 13;
    uint16_t const control = (uint16_t)(0x7f | (seed & 3) << 10);

    memset(image, 0, vector_bytes);
    memcpy(image, &control, sizeof control);
    image[4] = 0xff;    // no x87 register is empty
    memcpy(image + 24, &mxcsr, sizeof mxcsr);
    for (unsigned i = 0; i < 8; ++i) fill(image + 32 + 16 * i, 10, seed + i);
    fill(image + 160, legacy_bytes - 160, seed);
    memcpy(image + header_at, &has.states, sizeof has.states);
    for (unsigned i = 2; i < 32; ++i) {
        unsigned bytes, offset, c, d;

        if (!(has.states >> i & 1)) continue;
        __cpuid_count(0xd, i, bytes, offset, c, d);
        need(offset + bytes <= vector_bytes, "an XSAVE image");
        fill(image + offset, bytes, seed + i);
    }
}

void plant_guest(struct keeper_state* s, struct abilities has, unsigned seed) {
    memset(s, 0, sizeof *s);
    plant_vectors(s->vectors, has, seed);
    s->rbp = 0x123400000000ull + seed;
    s->rsp = 0x123500000000ull + seed;
    for (unsigned i = 0; i < 8; ++i) s->r[i] = 0xfeed000000000000ull + seed * 0x1000 + i;
    for (unsigned i = 0; i < 4; ++i) s->dr[i] = (seed + 1) * 0x1000000ull + i * 0x1000;
    s->dr6 = 0xffff0ff0 | 1u << seed % 4;
    s->dr7 = 0x400;
    if (has.dr7) s->dr7 |= 1u << seed % 4 * 2;    // one is on, where no instruction is
    s->cr2 = 0x7fff00000000ull + seed * 0x1000;
    for (unsigned i = 0; i < 10; ++i) s->msr[i] = 0x123600000000ull + seed * 0x1000 + i;
    s->msr[0] = 0x10 * (seed + 1);     // SYSENTER_CS
    s->msr[6] = 0x100 * (seed + 1);    // FMASK
    s->xcr0 = has.states;
    s->with_tsc_aux = has.tsc_aux;
    s->with_pkru = has.pkru;
    if (has.tsc_aux) s->tsc_aux = 0x1000 + seed;
    if (has.pkru) s->pkru = 0x55550000 + 4 * seed;
}

void plant_start(struct keeper_state* s, struct abilities has) {
    uint16_t const control = 0x37f;
    uint32_t const mxcsr = 0x1f80;

    memset(s, 0, sizeof *s);
    memcpy(s->vectors, &control, sizeof control);
    memcpy(s->vectors + 24, &mxcsr, sizeof mxcsr);
    s->rsp = stack;
    s->dr6 = 0xffff0ff0;
    s->dr7 = 0x400;
    s->xcr0 = has.states;
}

void plant_client(struct client_state* s, struct abilities has, unsigned seed) {
    memset(s, 0, sizeof *s);
    plant_vectors(s->vectors, has, seed);
    for (unsigned i = 0; i < 9; ++i) s->general[i] = 0xc11e000000000000ull + seed * 64 + i;
}

unsigned differences(struct keeper_state* found, struct keeper_state const* wanted, bool header) {
    unsigned char const* const a = (unsigned char*)found;
    unsigned char const* const b = (unsigned char const*)wanted;
    unsigned count = 0;

    memcpy(found->vectors + mask_at, wanted->vectors + mask_at, 4);
    if (!header) memcpy(found->vectors + header_at, wanted->vectors + header_at, header_bytes);
    for (unsigned i = 0; i < offsetof(struct keeper_state, with_tsc_aux); ++i) {
        if (a[i] == b[i]) continue;
        if (!count++) fprintf(stderr, "byte %u is %02x, not %02x; ", i, a[i], b[i]);
    }
    memset(found, 0, sizeof *found);
    return count;
}

bool run_changes(struct machine const* machine, struct client_state const* mine,
                 struct abilities has, long* result) {
    struct client_state after = {0};

    *result = run_with(machine->vcpu, mine, &after, has.states);
    memcpy(after.vectors + mask_at, mine->vectors + mask_at, 4);
    if (!memcmp(mine, &after, sizeof after)) return false;
    for (unsigned i = 0; i < sizeof after; ++i) {
        if (((unsigned char*)&after)[i] == ((unsigned char const*)mine)[i]) continue;
        fprintf(stderr, "byte %u of the client's has changed; ", i);
        break;
    }
    return true;
}

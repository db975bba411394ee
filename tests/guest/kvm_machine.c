// SPDX-License-Identifier: MIT
#include "kvm_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    cr0_pe = 1,
    cr0_et = 0x10,
    cr0_ne = 0x20,
    cr0_pg = 1u << 31,
    cr4_pae = 0x20,
    cr4_osfxsr = 0x600,    // with OSXMMEXCPT
    efer_lme = 0x100,
    efer_lma = 0x400,
    large = 0x80,
    table = 3,    // present, writable
    table_bytes = 0x1000,
    table_entries = 512,
    vectors = 32,
    handler_bytes = 16,
    most_leaves = 100,
};

void need(bool good, char const* step) {
    if (good) return;
    printf("%s: %s\n", step, strerror(errno));
    exit(EXIT_FAILURE);
}

int machine_vcpu(struct machine* machine, unsigned long request, void* argument) {
    int const result = ioctl(machine->vcpu, request, argument);

    return result < 0 ? -errno : result;
}

int machine_slot(struct machine* machine, unsigned id, uint64_t at, uint64_t bytes, void* from,
                 unsigned flags) {
    struct kvm_userspace_memory_region const slot = {.slot = id,
                                                     .flags = flags,
                                                     .guest_phys_addr = at,
                                                     .memory_size = bytes,
                                                     .userspace_addr = (uintptr_t)from};

    return ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &slot) ? -errno : 0;
}

static void give_cpuid(struct machine* machine) {
    struct kvm_cpuid2* const cpuid = calloc(1,
                                            sizeof *cpuid + most_leaves * sizeof cpuid->entries[0]);

    need(cpuid, "memory");
    cpuid->nent = most_leaves;
    need(!ioctl(machine->node, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
    need(!ioctl(machine->vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
    free(cpuid);
}

void machine_open(struct machine* machine, char const* node) {
    machine_open_with(machine, node, false);
}

void machine_open_with(struct machine* machine, char const* node, bool irqchip) {
    int bytes;

    memset(machine, 0, sizeof *machine);
    machine->node = open(node, O_RDWR | O_CLOEXEC);
    need(machine->node >= 0, node);
    machine->vm = ioctl(machine->node, KVM_CREATE_VM, 0);
    need(machine->vm >= 0, "KVM_CREATE_VM");
    machine->memory = mmap(NULL, memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                           -1, 0);
    need(machine->memory != MAP_FAILED, "memory");
    need(!machine_slot(machine, 0, 0, memory_bytes, machine->memory, 0),
         "KVM_SET_USER_MEMORY_REGION");
    need(!irqchip || !ioctl(machine->vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
    machine->vcpu = ioctl(machine->vm, KVM_CREATE_VCPU, 0);
    need(machine->vcpu >= 0, "KVM_CREATE_VCPU");
    bytes = ioctl(machine->node, KVM_GET_VCPU_MMAP_SIZE, 0);
    need(bytes > 0, "KVM_GET_VCPU_MMAP_SIZE");
    machine->run_bytes = (size_t)bytes;
    machine->run = mmap(NULL, machine->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu,
                        0);
    need(machine->run != MAP_FAILED, "mmap of the vcpu");
    give_cpuid(machine);
}

void machine_close(struct machine* machine) {
    munmap(machine->run, machine->run_bytes);
    munmap(machine->memory, memory_bytes);
    close(machine->vcpu);
    close(machine->vm);
    close(machine->node);
}

static struct kvm_segment flat(unsigned selector, unsigned type, bool long_mode) {
    return (struct kvm_segment){.limit = 0xffffffff,
                                .selector = (uint16_t)selector,
                                .type = (uint8_t)type,
                                .present = 1,
                                .s = 1,
                                .db = !long_mode,
                                .l = long_mode && type == 11,
                                .g = 1};
}

static void set_flat(struct kvm_sregs* special, bool long_mode) {
    struct kvm_segment const data = flat(16, 3, long_mode);

    special->cs = flat(8, 11, long_mode);
    special->ds = special->es = special->fs = special->gs = special->ss = data;
    special->idt.base = idt;
    special->idt.limit = vectors * (long_mode ? 16 : 8) - 1;
    special->gdt.base = gdt;
    special->gdt.limit = 3 * 8 - 1;
    special->cr0 = cr0_pe | cr0_et | cr0_ne;
    special->cr4 = cr4_osfxsr;
}

static void set_long(struct kvm_sregs* special) {
    special->cr0 |= cr0_pg;
    special->cr4 |= cr4_pae;
    special->cr3 = tables;
    special->efer = efer_lme | efer_lma;
}

// 1 GiB as it is, and the same again from 1 TiB on.
static void write_tables(unsigned char* memory) {
    uint64_t* const top = (uint64_t*)(memory + tables);
    uint64_t* const middle = top + table_entries;
    uint64_t* const last = middle + table_entries;

    top[0] = top[2] = (tables + table_bytes) | table;
    middle[0] = (tables + 2 * table_bytes) | table;
    for (unsigned i = 0; i < table_entries; ++i) last[i] = (uint64_t)i << 21 | large | table;
}

// mov $vector, %al; out %al, $0xe0; hlt
static void write_handler(unsigned char* memory, unsigned vector, bool long_mode) {
    unsigned const at = handlers + vector * handler_bytes;
    unsigned char const text[] = {0xb0, (unsigned char)vector, 0xe6, 0xe0, 0xf4};
    uint64_t const gate = (uint64_t)(at >> 16) << 48 | 0x8e00ull << 32 | 8u << 16 | (at & 0xffff);
    unsigned const gate_bytes = long_mode ? 16 : 8;

    memcpy(memory + at, text, sizeof text);
    memset(memory + idt + vector * gate_bytes, 0, gate_bytes);
    memcpy(memory + idt + vector * gate_bytes, &gate, sizeof gate);
}

static void write_descriptors(unsigned char* memory, bool long_mode) {
    uint64_t const descriptor[] = {0, long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
                                   0x00cf93000000ffff};

    memcpy(memory + gdt, descriptor, sizeof descriptor);
    for (unsigned vector = 0; vector < vectors; ++vector) write_handler(memory, vector, long_mode);
}

// In real mode a handler's address is all that a vector is.
static void write_vectors(unsigned char* memory) {
    for (unsigned vector = 0; vector < vectors; ++vector) {
        uint32_t const at = handlers + vector * handler_bytes;

        write_handler(memory, vector, false);
        memcpy(memory + 4 * vector, &at, sizeof at);
    }
}

void machine_load(struct machine* machine, struct blob const* blob) {
    struct kvm_regs const registers = {.rip = code, .rsp = stack, .rflags = 2};
    struct kvm_sregs special;

    memcpy(machine->memory + code, blob->start, (size_t)(blob->end - blob->start));
    need(!ioctl(machine->vcpu, KVM_GET_SREGS, &special), "KVM_GET_SREGS");
    if (blob->mode == real) {
        write_vectors(machine->memory);
        special.cs.base = 0;
        special.cs.selector = 0;
    } else {
        write_descriptors(machine->memory, blob->mode == long64);
        set_flat(&special, blob->mode == long64);
    }
    if (blob->mode == long64) {
        write_tables(machine->memory);
        set_long(&special);
    }
    need(!ioctl(machine->vcpu, KVM_SET_SREGS, &special), "KVM_SET_SREGS");
    need(!ioctl(machine->vcpu, KVM_SET_REGS, &registers), "KVM_SET_REGS");
}

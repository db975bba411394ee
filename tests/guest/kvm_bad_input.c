// SPDX-License-Identifier: MIT
#include "kvm_bad_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static void tell(char const* what, int result) {
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

static void slot(struct machine* machine, char const* what,
                 struct kvm_userspace_memory_region region) {
    tell(what, ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region));
}

static void bad_slots(struct machine* machine) {
    uint64_t const here = (uintptr_t)machine->memory;
    struct kvm_userspace_memory_region const good = {
        .slot = 1, .guest_phys_addr = 0x100000, .memory_size = 0x1000, .userspace_addr = here};
    struct kvm_userspace_memory_region region = good;

    region.flags = 1u << 7;
    slot(machine, "slot flags", region);
    region = good, region.guest_phys_addr += 1;
    slot(machine, "slot guest address", region);
    region = good, region.userspace_addr += 1;
    slot(machine, "slot client address", region);
    region = good, region.memory_size += 1;
    slot(machine, "slot size", region);
    region = good, region.userspace_addr = 0xffff800000000000;
    slot(machine, "slot of the kernel", region);
    region = good, region.guest_phys_addr = 0xfffffffffffff000, region.memory_size = 0x2000;
    slot(machine, "slot that wraps", region);
    region = good, region.guest_phys_addr = 0x7f000;
    slot(machine, "slot that overlaps", region);
    region = good, region.slot = 0x7fff;
    slot(machine, "slot number", region);
    region = good, region.slot = 1 | 7u << 16;
    slot(machine, "slot space", region);
    region = good, region.memory_size = 0;
    slot(machine, "slot that is not there", region);
    region = good, region.slot = 0, region.guest_phys_addr = 0;
    slot(machine, "slot of another size", region);
    region = good, region.guest_phys_addr = 1ull << 52;
    slot(machine, "slot above all memory", region);
}

static void bad_vcpus(struct machine* machine) {
    tell("vcpu twice", ioctl(machine->vm, KVM_CREATE_VCPU, 0));
    tell("vcpu number", ioctl(machine->vm, KVM_CREATE_VCPU, 1000000));
    tell("irqchip after vcpu", ioctl(machine->vm, KVM_CREATE_IRQCHIP, 0));
    tell("line without irqchip", ioctl(machine->vm, KVM_IRQ_LINE, &(struct kvm_irq_level){{1}, 1}));
    tell("vm type", ioctl(machine->node, KVM_CREATE_VM, 99));
    tell("api version", ioctl(machine->node, KVM_GET_API_VERSION, 1));
    tell("run argument", ioctl(machine->vcpu, KVM_RUN, 1));
    tell("null", ioctl(machine->vcpu, KVM_SET_REGS, NULL));
    tell("other type", ioctl(machine->vcpu, _IO('x', 0x80), 0));
    tell("size of registers", ioctl(machine->vcpu, _IOW(KVMIO, 0x82, char), 0));
    tell("mp state", machine_vcpu(machine, KVM_SET_MP_STATE, &(struct kvm_mp_state){9}));
    tell("boot vcpu late", ioctl(machine->vm, KVM_SET_BOOT_CPU_ID, 1));
}

static void try_sregs(struct machine* machine, char const* what, struct kvm_sregs const* special) {
    tell(what, ioctl(machine->vcpu, KVM_SET_SREGS, special));
}

static void bad_registers(struct machine* machine) {
    struct kvm_sregs good, special;
    struct kvm_debugregs debug;

    need(!ioctl(machine->vcpu, KVM_GET_SREGS, &good), "KVM_GET_SREGS");
    special = good, special.cr4 |= 1ull << 40;
    try_sregs(machine, "cr4", &special);
    special = good, special.efer |= 0x400;
    try_sregs(machine, "lma alone", &special);
    special = good, special.cr0 |= 0x80000001, special.efer |= 0x100;
    try_sregs(machine, "long mode without pae", &special);
    special = good, special.apic_base = 1 << 10;
    try_sregs(machine, "apic base", &special);
    need(!ioctl(machine->vcpu, KVM_GET_DEBUGREGS, &debug), "KVM_GET_DEBUGREGS");
    debug.dr7 = 1ull << 40;
    tell("dr7", ioctl(machine->vcpu, KVM_SET_DEBUGREGS, &debug));
}

static void bad_lists(struct machine* machine) {
    struct kvm_cpuid2 cpuid = {.nent = 0};
    struct kvm_msr_list list = {.nmsrs = 0};
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry[2];
    } msrs = {.head = {.nmsrs = 2}, .entry = {{.index = 0x10}, {.index = 0x12345}}};

    tell("no room for cpuid", ioctl(machine->node, KVM_GET_SUPPORTED_CPUID, &cpuid));
    cpuid.nent = 1000;
    tell("too much cpuid", ioctl(machine->vcpu, KVM_SET_CPUID2, &cpuid));
    tell("no room for msrs", ioctl(machine->node, KVM_GET_MSR_INDEX_LIST, &list));
    printf("told how many: %d\n", list.nmsrs > 10);
    printf("one msr of two: %d\n", ioctl(machine->vcpu, KVM_GET_MSRS, &msrs));
    msrs.head.nmsrs = 100000;
    tell("too many msrs", ioctl(machine->vcpu, KVM_GET_MSRS, &msrs));
}

void bad_input(struct machine* machine) {
    bad_slots(machine);
    bad_vcpus(machine);
    bad_registers(machine);
    bad_lists(machine);
}

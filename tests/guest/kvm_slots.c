// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
#include "kvm_slots.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_blobs.h"
#include "kvm_exits.h"

enum { page = 0x1000, large = 1 << 21, small_at = 0x100000, large_at = 2 * large };

// Tells what is at %esi.
BLOB(peek, 32, "mov (%esi), %eax\n out %eax, $0x70\n jmp blob_peek");
static struct blob const peek = ENTRY(peek, protected32);

static unsigned char* memory_of(size_t bytes) {
    void* const memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                              0);

    need(memory != MAP_FAILED, "memory");
    return memory;
}

static unsigned char* small_page(void) { return memset(memory_of(page), 0x33, page); }

void read_only_slot(struct machine* machine) {
    void* const memory = small_page();

    printf("slot: %d\n", machine_slot(machine, 1, small_at, page, memory, KVM_MEM_READONLY));
    machine_load(machine, blob_named("write_read_only"));
    machine_run(machine);
    machine_tell_registers(machine);
    munmap(memory, page);
}

// Added, changed by the client, moved away and deleted while the guest uses it.
void changed_slots(struct machine* machine) {
    unsigned char* const memory = small_page();

    machine_load(machine, blob_named("touch"));
    printf("add: %d\n", machine_slot(machine, 1, small_at, page, memory, 0));
    machine_step(machine);
    machine_step(machine);
    memory[3] = 0x44;
    machine_step(machine);
    printf("move: %d\n", machine_slot(machine, 1, 2 * small_at, page, memory, 0));
    machine_step(machine);
    printf("back: %d\n", machine_slot(machine, 1, small_at, page, memory, 0));
    machine_step(machine);
    machine_step(machine);
    madvise(memory, page, MADV_DONTNEED);
    machine_step(machine);
    machine_step(machine);
    printf("delete: %d\n", machine_slot(machine, 1, small_at, 0, memory, 0));
    machine_step(machine);
    machine_step(machine);
    printf("client sees %02x\n", memory[0]);
    munmap(memory, page);
}

static void tell_byte_at(struct machine* machine, uint64_t at) {
    struct kvm_regs registers;

    machine_load(machine, &peek);
    need(!machine_vcpu(machine, KVM_GET_REGS, &registers), "KVM_GET_REGS");
    registers.rsi = at;
    need(!machine_vcpu(machine, KVM_SET_REGS, &registers), "KVM_SET_REGS");
    machine_step(machine);
}

// Linux may go on holding the page whole when the client has given a part of it back. What then
// stands at that part is another page.
void large_page_in_part(struct machine* machine) {
    enum { part = 17 * page };
    unsigned char* const both = memory_of(2 * large);
    unsigned char* const memory = both + (large - (uintptr_t)both % large);

    madvise(memory, large, MADV_HUGEPAGE);
    memset(memory, 0x11, large);
    printf("add: %d\n", machine_slot(machine, 1, large_at, large, memory, 0));
    tell_byte_at(machine, large_at + part);
    madvise(memory + part, page, MADV_DONTNEED);
    printf("delete: %d\n", machine_slot(machine, 1, large_at, 0, memory, 0));
    printf("again: %d\n", machine_slot(machine, 1, large_at, large, memory, 0));
    tell_byte_at(machine, large_at);
    memory[part] = 0x22;
    tell_byte_at(machine, large_at + part);
    munmap(both, 2 * large);
}

// SPDX-License-Identifier: MIT
// tiny_vm [hold]: a VM of the kernel's own KVM that executes one HLT in real mode. With "hold" it
// stays until it is killed. One line says how far it came.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { memory_bytes = 4096, start = 0x100, hlt = 0xf4 };

static int stop_at(char const* step) {
    printf("%s: %s\n", step, strerror(errno));
    return EXIT_FAILURE;
}

static int set_up(int vm, unsigned char* memory) {
    struct kvm_userspace_memory_region const slot = {.memory_size = memory_bytes,
                                                     .userspace_addr = (unsigned long)memory};

    memory[start] = hlt;
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot);
}

static int set_registers(int vcpu) {
    struct kvm_regs const registers = {.rip = start, .rflags = 2};
    struct kvm_sregs special;

    if (ioctl(vcpu, KVM_GET_SREGS, &special)) return -1;
    special.cs.base = 0;
    special.cs.selector = 0;
    if (ioctl(vcpu, KVM_SET_SREGS, &special)) return -1;
    return ioctl(vcpu, KVM_SET_REGS, &registers);
}

int main(int count, char** argument) {
    char const* const mode = count > 1 ? argument[1] : "";
    int const kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) return stop_at("open");
    int const vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) return stop_at("KVM_CREATE_VM");
    void* const memory = mmap(NULL, memory_bytes, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || set_up(vm, memory)) return stop_at("memory");
    int const vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (vcpu < 0 || set_registers(vcpu)) return stop_at("vcpu");
    int const bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    struct kvm_run* const run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu,
                                     0);
    if (run == MAP_FAILED) return stop_at("mmap");
    if (ioctl(vcpu, KVM_RUN, 0)) return stop_at("KVM_RUN");
    printf("exit %u%s\n", run->exit_reason, run->exit_reason == KVM_EXIT_HLT ? " hlt" : "");
    fflush(stdout);
    while (!strcmp(mode, "hold")) pause();
    return run->exit_reason == KVM_EXIT_HLT ? EXIT_SUCCESS : EXIT_FAILURE;
}

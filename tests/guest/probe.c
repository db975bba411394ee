// SPDX-License-Identifier: MIT
// probe [TIMES]: executes in ring 3, each in a process of its own, what only a kernel or a
// hypervisor may, and prints what became of it, every time: "NAME signal N" or "NAME done".
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long memory[512] __attribute__((aligned(4096)));

#define TRY(name, ...) \
    static void name(void) { asm volatile(__VA_ARGS__); }

// gate: list
TRY(vmcall, "vmcall" ::"a"(0), "D"(0) : "memory")
TRY(vmcall_unhoist, "vmcall" ::"a"(1), "D"(0) : "memory")
TRY(vmcall_lock, "vmcall" ::"a"(7), "D"(0) : "memory")
TRY(vmmcall, "vmmcall" ::"a"(0), "D"(0) : "memory")
TRY(vmmcall_unhoist, "vmmcall" ::"a"(1), "D"(0) : "memory")
TRY(vmmcall_lock, "vmmcall" ::"a"(7), "D"(0) : "memory")
TRY(vmxon, "vmxon %0" ::"m"(memory[0]) : "memory")
TRY(vmclear, "vmclear %0" ::"m"(memory[0]) : "memory")
TRY(vmptrld, "vmptrld %0" ::"m"(memory[0]) : "memory")
TRY(vmptrst, "vmptrst %0" ::"m"(memory[0]) : "memory")
TRY(vmlaunch, "vmlaunch" :: : "memory")
TRY(vmresume, "vmresume" :: : "memory")
TRY(vmread, "vmread %0, %1" ::"r"(0x4402ul), "m"(memory[0]) : "memory")
TRY(vmwrite, "vmwrite %1, %0" ::"r"(0x681eul), "m"(memory[0]) : "memory")
TRY(vmxoff, "vmxoff" :: : "memory")
TRY(invept, "invept %0, %1" ::"m"(memory), "r"(2ul) : "memory")
TRY(invvpid, "invvpid %0, %1" ::"m"(memory), "r"(2ul) : "memory")
TRY(vmfunc, ".byte 0x0f, 0x01, 0xd4" ::"a"(0), "c"(0) : "memory")
TRY(getsec, ".byte 0x0f, 0x37" ::"a"(0), "b"(0) : "memory")
TRY(vmrun, "vmrun" ::"a"(memory) : "memory")
TRY(vmload, "vmload" ::"a"(memory) : "memory")
TRY(vmsave, "vmsave" ::"a"(memory) : "memory")
TRY(stgi, "stgi" :: : "memory")
TRY(clgi, "clgi" :: : "memory")
TRY(skinit, "skinit" ::"a"(0) : "memory")
TRY(invlpga, "invlpga" ::"a"(memory), "c"(0) : "memory")
TRY(invd, "invd" :: : "memory")
TRY(wbinvd, "wbinvd" :: : "memory")
TRY(xsetbv, "xsetbv" ::"a"(7), "d"(0), "c"(0) : "memory")
TRY(rdmsr, "rdmsr" ::"c"(0xc0000082) : "rax", "rdx")
TRY(wrmsr, "wrmsr" ::"c"(0xc0000082), "a"(0), "d"(0) : "memory")
TRY(write_cr4, "mov %0, %%cr4" ::"r"(0ul) : "memory")
TRY(read_cr0, "mov %%cr0, %%rax" :: : "rax")
TRY(clts, "clts" :: : "memory")
TRY(lmsw, "lmsw %%ax" ::"a"(1) : "memory")
TRY(hlt, "hlt" :: : "memory")
TRY(cli, "cli" :: : "memory")
TRY(out, "outb %%al, $0xf9" ::"a"(0) : "memory")
TRY(ltr, "ltr %%ax" ::"a"(0) : "memory")
TRY(lgdt, "lgdt %0" ::"m"(memory) : "memory")
TRY(icebp, ".byte 0xf1" :: : "memory")
TRY(ud2, "ud2" :: : "memory")
TRY(cpuid, "cpuid" :: : "rax", "rbx", "rcx", "rdx")

#define ENTRY(name) {#name, name}

static struct {
    char const* name;
    void (*run)(void);
} const probes[] = {
    ENTRY(vmcall),
    ENTRY(vmcall_unhoist),
    ENTRY(vmcall_lock),
    ENTRY(vmmcall),
    ENTRY(vmmcall_unhoist),
    ENTRY(vmmcall_lock),
    ENTRY(vmxon),
    ENTRY(vmclear),
    ENTRY(vmptrld),
    ENTRY(vmptrst),
    ENTRY(vmlaunch),
    ENTRY(vmresume),
    ENTRY(vmread),
    ENTRY(vmwrite),
    ENTRY(vmxoff),
    ENTRY(invept),
    ENTRY(invvpid),
    ENTRY(vmfunc),
    ENTRY(getsec),
    ENTRY(vmrun),
    ENTRY(vmload),
    ENTRY(vmsave),
    ENTRY(stgi),
    ENTRY(clgi),
    ENTRY(skinit),
    ENTRY(invlpga),
    ENTRY(invd),
    ENTRY(wbinvd),
    ENTRY(xsetbv),
    ENTRY(rdmsr),
    ENTRY(wrmsr),
    ENTRY(write_cr4),
    ENTRY(read_cr0),
    ENTRY(clts),
    ENTRY(lmsw),
    ENTRY(hlt),
    ENTRY(cli),
    ENTRY(out),
    ENTRY(ltr),
    ENTRY(lgdt),
    ENTRY(icebp),
    ENTRY(ud2),
    ENTRY(cpuid),
};

static int run(void (*try)(void)) {
    int status = 0;
    pid_t const child = fork();

    if (child < 0) exit(EXIT_FAILURE);
    if (!child) {
        try();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}

static void tell(char const* name, int status) {
    if (WIFSIGNALED(status))
        printf("%s signal %d\n", name, WTERMSIG(status));
    else
        printf("%s done\n", name);
}

int main(int count, char** argument) {
    struct rlimit const no_core = {0, 0};
    unsigned long const times = count > 1 ? strtoul(argument[1], NULL, 0) : 1;

    iopl(0);    // who starts this may have had more
    setrlimit(RLIMIT_CORE, &no_core);
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; ++i) {
        int const status = run(probes[i].run);
        tell(probes[i].name, status);
        for (unsigned long j = 1; j < times; ++j)
            if (run(probes[i].run) != status) printf("%s ends in several ways\n", probes[i].name);
    }
    return EXIT_SUCCESS;
}

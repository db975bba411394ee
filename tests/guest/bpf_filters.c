// SPDX-License-Identifier: MIT
// bpf_filters ROUNDS: classic and extended BPF programs, compiled by the kernel, on datagrams
// between two sockets: those that begin with 'n' are dropped. Prints how many came.
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { whole = 0xffff };

static struct sock_filter classic[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'n', 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0),
    BPF_STMT(BPF_RET | BPF_K, whole),
};

// The same: r6 is what LD_ABS takes the packet from.
static struct bpf_insn extended[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1},
    {.code = BPF_LD | BPF_ABS | BPF_B, .imm = 0},
    {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_0, .off = 2, .imm = 'n'},
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT},
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = whole},
    {.code = BPF_JMP | BPF_EXIT},
};

static bool attach(int to, bool new_kind) {
    if (!new_kind) {
        struct sock_fprog const program = {sizeof classic / sizeof classic[0], classic};
        return setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
    }
    union bpf_attr load;
    memset(&load, 0, sizeof load);
    load.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    load.insns = (unsigned long)extended;
    load.insn_cnt = sizeof extended / sizeof extended[0];
    load.license = (unsigned long)"GPL";
    int const program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (program < 0) return false;
    bool const good = setsockopt(to, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) == 0;
    close(program);
    return good;
}

static int came(int from) {
    char buffer[8];
    int count = 0;

    while (recv(from, buffer, sizeof buffer, MSG_DONTWAIT) > 0) ++count;
    return count;
}

int main(int count, char** arguments) {
    int const rounds = count > 1 ? atoi(arguments[1]) : 1;
    int passed = 0;

    for (int i = 0; i < rounds; ++i) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) || !attach(ends[1], i % 2)) {
            perror("bpf_filters");
            return 1;
        }
        if (send(ends[0], "yes", 3, 0) != 3) return 1;
        send(ends[0], "no", 2, 0);    // the filter takes it
        passed += came(ends[1]);
        close(ends[0]);
        close(ends[1]);
    }
    printf("passed %d\n", passed);
    return 0;
}

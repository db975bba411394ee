// SPDX-License-Identifier: MIT
#include "kernel.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operation.h"

enum { answer_bytes = 16 << 10 };

uint64_t kernel_test(char const* command, char const* name) {
    static char answer[answer_bytes];
    int const file = open("/proc/hv_test", O_RDWR);

    if (file < 0) give_up("/proc/hv_test");
    if (write(file, command, strlen(command)) < 0) give_up(command);
    ssize_t const bytes = pread(file, answer, sizeof answer - 1, 0);
    close(file);
    if (bytes < 0) give_up(command);
    answer[bytes] = 0;
    if (!name) return 0;
    size_t const length = strlen(name);
    for (char const* line = answer; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, length) && line[length] == ' ')
            return strtoull(line + length, NULL, 0);
    }
    fprintf(stderr, "%s: no %s in the answer\n", command, name);
    exit(1);
}

static void add_counters(struct nlattr const* nest, struct exits* exits) {
    char const* at = (char const*)nest + NLA_HDRLEN;
    char const* end = (char const*)nest + nest->nla_len;

    while (at + NLA_HDRLEN <= end) {
        struct nlattr const* each = (struct nlattr const*)at;
        uint64_t counter[HV_COUNTERS];
        if (each->nla_len < NLA_HDRLEN) return;
        at += NLA_ALIGN(each->nla_len);
        if ((each->nla_type & NLA_TYPE_MASK) != HV_ATTR_COUNTERS) continue;
        memcpy(counter, (char const*)each + NLA_HDRLEN, sizeof counter);
        for (unsigned i = 0; i < HV_COUNTERS; ++i) exits->by_reason[i] += counter[i];
    }
}

static void check(struct hv_link const* link, int error, char const* what) {
    if (!error) return;
    fprintf(stderr, "%s: error %d: %s\n", what, -error, link->message);
    exit(1);
}

void exits_read(struct hv_link* link, struct exits* exits) {
    static struct hv_reply reply;

    memset(exits, 0, sizeof *exits);
    check(link, link_command(link, HV_CMD_STATS, &reply), "stats");
    for (size_t at = 0; at + NLA_HDRLEN <= reply.bytes;) {
        struct nlattr const* each = (struct nlattr const*)(reply.attributes + at);
        if (each->nla_len < NLA_HDRLEN) return;
        if ((each->nla_type & NLA_TYPE_MASK) == HV_ATTR_CPU) add_counters(each, exits);
        at += NLA_ALIGN(each->nla_len);
    }
}

void hoist(struct hv_link* link) { check(link, link_command(link, HV_CMD_START, NULL), "start"); }

void unhoist(struct hv_link* link) { check(link, link_command(link, HV_CMD_STOP, NULL), "stop"); }

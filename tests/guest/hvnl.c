// SPDX-License-Identifier: MIT
// hvnl WHAT: one netlink request after the other, without hvd and hvctl between.
//   start | stop | lock | audit | abi NUMBER | raw COMMAND | cycle COUNT | mark [NUMBER]
//   set [RULE…]      replaces the policy; RULE is kind,action,access,first,last,mask as numbers
//   random SETS RULES SEED BLOCK…    sets of random memory rules in 2 MiB blocks, audited
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/call.h"
#include "netlink.h"

enum { block_pages = 512, audit_every = 16 };

static int tell(struct hv_link const* link, int error) {
    if (error) printf("error %d: %s\n", -error, link->message);
    return error != 0;
}

static int cycle(struct hv_link* link, unsigned long count) {
    for (unsigned long i = 0; i < count; ++i) {
        int error = link_command(link, HV_CMD_START, NULL);
        if (!error) error = link_command(link, HV_CMD_STOP, NULL);
        if (error) {
            printf("cycle %lu of %lu: ", i + 1, count);
            return tell(link, error);
        }
    }
    return 0;
}

static int audit(struct hv_link* link, bool quiet) {
    static struct hv_reply reply;
    int const error = link_command(link, HV_CMD_AUDIT, &reply);
    struct hv_audit const* found = error ? NULL : reply_find(&reply, HV_ATTR_AUDIT, NULL);

    if (error || !found) return tell(link, error ? error : -1) || 1;
    if (!quiet || found->findings)
        printf("tables %" PRIu64 "\nleaves_4k %" PRIu64 "\nleaves_2m %" PRIu64
               "\nleaves_1g %" PRIu64 "\ncore_frames %" PRIu64 "\nfindings %" PRIu64
               "\nfirst_finding %#" PRIx64 " kind %" PRIu64 "\npool %" PRIu64 " of %" PRIu64 "\n",
               found->tables, found->leaves_4k, found->leaves_2m, found->leaves_1g,
               found->core_frames, found->findings, found->first_finding, found->finding_kind,
               found->pool_free, found->pool_total);
    return found->findings != 0;
}

static struct hv_rule read_rule(char const* text, unsigned id) {
    uint64_t number[6] = {0};

    for (unsigned i = 0; i < 6 && *text; ++i) {
        char* end;
        number[i] = strtoull(text, &end, 0);
        text = *end ? end + 1 : end;
    }
    return (struct hv_rule){.id = id,
                            .kind = (uint16_t)number[0],
                            .action = (uint16_t)number[1],
                            .access = (uint32_t)number[2],
                            .first = number[3],
                            .last = number[4],
                            .mask = number[5]};
}

static int set(struct hv_link* link, char** texts, int count) {
    static struct hv_rule rules[HV_MAX_RULES];

    for (int i = 0; i < count; ++i) rules[i] = read_rule(texts[i], (unsigned)i + 1);
    return tell(link, link_set_rules(link, rules, (unsigned)count));
}

static uint64_t next_random(uint64_t* state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

static struct hv_rule random_rule(uint64_t* state, uint64_t const* blocks, unsigned count) {
    uint64_t const r = next_random(state);
    uint64_t const block = blocks[r % count];
    uint64_t const page = r >> 8 & (block_pages - 1);
    uint64_t pages = r >> 20 & (r >> 60 ? 7 : block_pages - 1);

    if (pages >= block_pages - page) pages = block_pages - page - 1;
    return (struct hv_rule){.kind = HV_RULE_MEMORY,
                            .action = HV_ACTION_DENY,
                            .access = (uint32_t[]){2, 4, 6}[(r >> 32) % 3],
                            .first = block + page * HV_PAGE_BYTES,
                            .last = block + (page + pages + 1) * HV_PAGE_BYTES - 1};
}

static int load_random(struct hv_link* link, unsigned long sets, unsigned rules, uint64_t seed,
                       uint64_t const* blocks, unsigned count) {
    static struct hv_rule rule[HV_MAX_RULES];
    unsigned long refused = 0, changes = 0;

    for (unsigned long i = 0; i < sets; ++i) {
        for (unsigned j = 0; j < rules; ++j) {
            rule[j] = random_rule(&seed, blocks, count);
            rule[j].id = j + 1;
        }
        int const error = link_set_rules(link, rule, rules);
        if (error && error != -12 && tell(link, error)) return 1;
        refused += error != 0;
        changes += error ? 0 : rules;
        if (i % audit_every == 0 && audit(link, true)) return 1;
    }
    printf("sets %lu\nchanges %lu\nno_memory %lu\n", sets, changes, refused);
    return audit(link, false);
}

static int random_sets(struct hv_link* link, char** argument, int count) {
    uint64_t blocks[64];
    unsigned known = 0;

    for (int i = 3; i < count && known < 64; ++i) blocks[known++] = strtoull(argument[i], NULL, 0);
    if (!known) return 2;
    return load_random(link, strtoul(argument[0], NULL, 0), (unsigned)strtoul(argument[1], NULL, 0),
                       strtoull(argument[2], NULL, 0), blocks, known);
}

static int plain(struct hv_link* link, uint8_t command, uint32_t abi) {
    static struct hv_request request;

    request_begin(&request, link, command, abi);
    return tell(link, link_ask(link, &request, NULL));
}

static int mark(struct hv_link* link, char const* number) {
    static struct hv_request request;
    uint32_t const marker = number ? (uint32_t)strtoul(number, NULL, 0) : 0;

    request_begin(&request, link, HV_CMD_POLICY_MARK, HV_ABI_VERSION);
    if (number) request_put(&request, HV_ATTR_MARKER, &marker, sizeof marker);
    return tell(link, link_ask(link, &request, NULL));
}

static int run(struct hv_link* link, char const* what, char** argument, int count) {
    if (!strcmp(what, "start")) return plain(link, HV_CMD_START, HV_ABI_VERSION);
    if (!strcmp(what, "stop")) return plain(link, HV_CMD_STOP, HV_ABI_VERSION);
    if (!strcmp(what, "lock")) return plain(link, HV_CMD_POLICY_LOCK, HV_ABI_VERSION);
    if (!strcmp(what, "audit")) return audit(link, false);
    if (!strcmp(what, "mark") && count < 2) return mark(link, count ? argument[0] : NULL);
    if (!strcmp(what, "set")) return set(link, argument, count);
    if (!strcmp(what, "random") && count > 3) return random_sets(link, argument, count);
    if (count != 1) return 2;
    if (!strcmp(what, "abi")) return plain(link, HV_CMD_STATUS, (uint32_t)atoi(argument[0]));
    if (!strcmp(what, "raw")) return plain(link, (uint8_t)atoi(argument[0]), HV_ABI_VERSION);
    if (!strcmp(what, "cycle")) return cycle(link, strtoul(argument[0], NULL, 0));
    return 2;
}

int main(int count, char** argument) {
    static struct hv_link link;

    if (count < 2) return 2;
    link_open(&link);
    return run(&link, argument[1], argument + 2, count - 2);
}

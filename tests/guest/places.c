// SPDX-License-Identifier: MIT
// places WHAT: what hv.ko says of memory, and to requests that hvd never makes.
//   linear FIRST BYTES | kind NUMBER [MODULE] | hash FIRST LAST… | hold MODULE STAMP
// Prints the ranges, the stamp, the sum; or "error NUMBER: why".
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

static struct hv_request request;
static struct hv_reply reply;

static uint64_t number(char const* text) { return strtoull(text, NULL, 0); }

static int answered(struct hv_link* link) {
    int const error = link_ask(link, &request, &reply);
    size_t bytes = 0;

    if (error) {
        printf("error %d: %s\n", -error, link->message);
        return 1;
    }
    struct hv_range const* ranges = reply_find(&reply, HV_ATTR_RANGES, &bytes);
    for (size_t i = 0; ranges && i < bytes / sizeof *ranges; ++i)
        printf("range 0x%" PRIx64 " 0x%" PRIx64 "\n", ranges[i].first, ranges[i].last);
    uint64_t stamp;
    void const* found = reply_find(&reply, HV_ATTR_STAMP, NULL);
    if (found) printf("stamp 0x%" PRIx64 "\n", *(uint64_t*)memcpy(&stamp, found, sizeof stamp));
    unsigned char const* sum = reply_find(&reply, HV_ATTR_SHA256, &bytes);
    for (size_t i = 0; sum && i < bytes; ++i) printf("%02x%s", sum[i], i + 1 < bytes ? "" : "\n");
    return 0;
}

static int linear(struct hv_link* link, char** argument) {
    uint32_t const place = HV_PLACE_LINEAR;
    uint64_t const first = number(argument[0]), bytes = number(argument[1]);

    request_begin(&request, link, HV_CMD_PLACE, HV_ABI_VERSION);
    request_put(&request, HV_ATTR_PLACE, &place, sizeof place);
    request_put(&request, HV_ATTR_FIRST, &first, sizeof first);
    request_put(&request, HV_ATTR_BYTES, &bytes, sizeof bytes);
    return answered(link);
}

static int kind(struct hv_link* link, char** argument, int count) {
    uint32_t const place = (uint32_t)number(argument[0]);

    request_begin(&request, link, HV_CMD_PLACE, HV_ABI_VERSION);
    request_put(&request, HV_ATTR_PLACE, &place, sizeof place);
    if (count > 1) request_put(&request, HV_ATTR_MODULE, argument[1], strlen(argument[1]) + 1);
    return answered(link);
}

static int hash(struct hv_link* link, char** argument, int count) {
    uint64_t bounds[64];
    int used = 0;

    for (; used < count && used < 64; ++used) bounds[used] = number(argument[used]);
    request_begin(&request, link, HV_CMD_HASH, HV_ABI_VERSION);
    request_put(&request, HV_ATTR_RANGES, bounds, (size_t)used * sizeof *bounds);
    return answered(link);
}

// A policy without rules, which holds a module all the same.
static int hold(struct hv_link* link, char** argument) {
    struct hv_module_stamp module = {.stamp = number(argument[1])};
    size_t nest;

    memcpy(module.name, argument[0], strnlen(argument[0], sizeof module.name));
    request_begin(&request, link, HV_CMD_POLICY_SET, HV_ABI_VERSION);
    nest = request_nest(&request, HV_ATTR_POLICY);
    request_put(&request, HV_ATTR_NAME, "test", sizeof "test");
    request_put(&request, HV_ATTR_RULES, "", 0);
    request_put(&request, HV_ATTR_MODULES, &module, sizeof module);
    request_end_nest(&request, nest);
    return answered(link);
}

int main(int count, char** argument) {
    static struct hv_link link;

    if (count < 2) return 2;
    link_open(&link);
    if (!strcmp(argument[1], "linear") && count == 4) return linear(&link, argument + 2);
    if (!strcmp(argument[1], "kind") && count > 2) return kind(&link, argument + 2, count - 2);
    if (!strcmp(argument[1], "hash")) return hash(&link, argument + 2, count - 2);
    if (!strcmp(argument[1], "hold") && count == 4) return hold(&link, argument + 2);
    return 2;
}

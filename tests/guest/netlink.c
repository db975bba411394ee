// SPDX-License-Identifier: MIT
#include "netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

enum { exit_no_family = 3 };

static struct nlmsghdr* header_of(struct hv_request* request) {
    return (struct nlmsghdr*)request->bytes;
}

static void begin(struct hv_request* request, struct hv_link* link, uint16_t type,
                  uint8_t command) {
    struct genlmsghdr const generic = {.cmd = command, .version = HV_NETLINK_VERSION};

    memset(request->bytes, 0, NLMSG_HDRLEN + GENL_HDRLEN);
    header_of(request)->nlmsg_type = type;
    header_of(request)->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header_of(request)->nlmsg_seq = ++link->sequence;
    memcpy(request->bytes + NLMSG_HDRLEN, &generic, sizeof generic);
    request->used = NLMSG_HDRLEN + GENL_HDRLEN;
}

void request_put(struct hv_request* request, uint16_t type, void const* data, size_t bytes) {
    struct nlattr const head = {.nla_len = (uint16_t)(NLA_HDRLEN + bytes), .nla_type = type};
    size_t const whole = NLA_ALIGN(NLA_HDRLEN + bytes);

    if (whole > sizeof request->bytes - request->used) abort();
    memset(request->bytes + request->used, 0, whole);
    memcpy(request->bytes + request->used, &head, sizeof head);
    memcpy(request->bytes + request->used + NLA_HDRLEN, data, bytes);
    request->used += whole;
}

size_t request_nest(struct hv_request* request, uint16_t type) {
    size_t const at = request->used;

    request_put(request, type | NLA_F_NESTED, "", 0);
    return at;
}

void request_end_nest(struct hv_request* request, size_t nest) {
    ((struct nlattr*)(request->bytes + nest))->nla_len = (uint16_t)(request->used - nest);
}

void request_begin(struct hv_request* request, struct hv_link* link, uint8_t command,
                   uint32_t abi) {
    begin(request, link, link->family, command);
    request_put(request, HV_ATTR_ABI, &abi, sizeof abi);
}

// The text of an extended ack behind struct nlmsgerr.
static void keep_message(struct hv_link* link, struct nlmsghdr const* answer) {
    struct nlmsgerr const* error = NLMSG_DATA(answer);
    size_t at = NLMSG_HDRLEN + sizeof *error;

    link->message[0] = 0;
    if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS)) return;
    if (!(answer->nlmsg_flags & NLM_F_CAPPED)) at += error->msg.nlmsg_len - sizeof error->msg;
    while (at + NLA_HDRLEN <= answer->nlmsg_len) {
        struct nlattr const* each = (struct nlattr const*)((char const*)answer + at);
        if (each->nla_len < NLA_HDRLEN || at + each->nla_len > answer->nlmsg_len) return;
        if (each->nla_type == NLMSGERR_ATTR_MSG)
            snprintf(link->message, sizeof link->message, "%.*s", each->nla_len - NLA_HDRLEN,
                     (char const*)each + NLA_HDRLEN);
        at += NLA_ALIGN(each->nla_len);
    }
}

static void keep_reply(struct hv_reply* reply, struct nlmsghdr const* answer) {
    size_t const bytes = answer->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;

    if (!reply || bytes > sizeof reply->attributes) return;
    memcpy(reply->attributes, (char const*)NLMSG_DATA(answer) + GENL_HDRLEN, bytes);
    reply->bytes = bytes;
}

int link_ask(struct hv_link* link, struct hv_request* request, struct hv_reply* reply) {
    static _Alignas(8) char answers[128 << 10];

    header_of(request)->nlmsg_len = (uint32_t)request->used;
    if (reply) reply->bytes = 0;
    if (send(link->socket, request->bytes, request->used, 0) < 0) return -errno;
    for (;;) {
        ssize_t left = recv(link->socket, answers, sizeof answers, 0);
        if (left < 0) return -errno;
        for (struct nlmsghdr* each = (struct nlmsghdr*)answers; NLMSG_OK(each, left);
             each = NLMSG_NEXT(each, left)) {
            if (each->nlmsg_seq != link->sequence) continue;
            if (each->nlmsg_type != NLMSG_ERROR) {
                keep_reply(reply, each);
                continue;
            }
            keep_message(link, each);
            return ((struct nlmsgerr*)NLMSG_DATA(each))->error;
        }
    }
}

void const* reply_find(struct hv_reply const* reply, uint16_t type, size_t* bytes) {
    for (size_t at = 0; at + NLA_HDRLEN <= reply->bytes;) {
        struct nlattr const* each = (struct nlattr const*)(reply->attributes + at);
        if (each->nla_len < NLA_HDRLEN || at + each->nla_len > reply->bytes) break;
        if ((each->nla_type & NLA_TYPE_MASK) == type) {
            if (bytes) *bytes = each->nla_len - NLA_HDRLEN;
            return (char const*)each + NLA_HDRLEN;
        }
        at += NLA_ALIGN(each->nla_len);
    }
    return NULL;
}

void link_open(struct hv_link* link) {
    static struct hv_request request;
    static struct hv_reply reply;
    int const on = 1;
    char const* name = getenv("HV_FAMILY");    // of an hv.ko by another name
    uint16_t const* family;

    memset(link, 0, sizeof *link);
    link->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
    setsockopt(link->socket, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(link->socket, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    begin(&request, link, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
    if (!name) name = HV_NETLINK_FAMILY;
    request_put(&request, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
    link_ask(link, &request, &reply);
    family = reply_find(&reply, CTRL_ATTR_FAMILY_ID, NULL);
    if (!family) {
        fprintf(stderr, "netlink: no family %s: is hv.ko loaded?\n", name);
        exit(exit_no_family);
    }
    link->family = *family;
}

int link_command(struct hv_link* link, uint8_t command, struct hv_reply* reply) {
    static struct hv_request request;

    request_begin(&request, link, command, HV_ABI_VERSION);
    return link_ask(link, &request, reply);
}

int link_set_rules(struct hv_link* link, struct hv_rule const* rules, unsigned count) {
    static struct hv_request request;
    request_begin(&request, link, HV_CMD_POLICY_SET, HV_ABI_VERSION);
    for (unsigned done = 0, part; done < count; done += part) {
        size_t const nest = request_nest(&request, HV_ATTR_POLICY);

        part = count - done < HV_NEST_RULES ? count - done : HV_NEST_RULES;
        request_put(&request, HV_ATTR_NAME, "test", sizeof "test");
        request_put(&request, HV_ATTR_RULES, rules + done, part * sizeof *rules);
        request_end_nest(&request, nest);
    }
    return link_ask(link, &request, NULL);
}

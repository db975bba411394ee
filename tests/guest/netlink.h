// SPDX-License-Identifier: MIT
// Generic netlink to hv.ko by hand: what a program can send that hvd never would.
#ifndef HV_TEST_NETLINK_H
#define HV_TEST_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include "abi/policy.h"
#include "kmod/abi/netlink.h"

enum { request_bytes = 68 << 10, reply_bytes = 68 << 10, message_bytes = 256 };

struct hv_link {
    int socket;
    uint16_t family;
    uint32_t sequence;
    char message[message_bytes];    // why the last request was refused, as hv.ko words it
};

struct hv_request {
    size_t used;
    _Alignas(8) unsigned char bytes[request_bytes];
};

struct hv_reply {
    size_t bytes;
    _Alignas(8) unsigned char attributes[reply_bytes];
};

// Ends the program with one line if the family is not there.
void link_open(struct hv_link* link);

void request_begin(struct hv_request* request, struct hv_link* link, uint8_t command, uint32_t abi);
void request_put(struct hv_request* request, uint16_t type, void const* data, size_t bytes);
size_t request_nest(struct hv_request* request, uint16_t type);
void request_end_nest(struct hv_request* request, size_t nest);

// Sends the request and waits for its end. 0, or -errno with link->message. reply may be null.
int link_ask(struct hv_link* link, struct hv_request* request, struct hv_reply* reply);

// A command that carries nothing but the ABI.
int link_command(struct hv_link* link, uint8_t command, struct hv_reply* reply);

// The whole policy: one named "test" with these rules, or none.
int link_set_rules(struct hv_link* link, struct hv_rule const* rules, unsigned count);

// First attribute of that type, null where there is none.
void const* reply_find(struct hv_reply const* reply, uint16_t type, size_t* bytes);

#endif

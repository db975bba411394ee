// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/device/attributes.hpp"
#include "daemon/device/device.hpp"

namespace hv {

// Answers of hv.ko, from their attribute streams. Each adds to what it is given, because a long
// answer may come as several messages; each throws device_error on anything that is not in
// kmod/abi/netlink.h.
void decode_state(byte_span stream, machine_state& into);
void decode_policies(byte_span stream, enforced_policies& into);
void decode_audit(byte_span stream, std::optional<hv_audit>& into);
void decode_dump(byte_span stream, std::optional<hv_cpu_dump>& into);

void decode_place(byte_span stream, std::optional<place_answer>& into);
void decode_hash(byte_span stream, std::optional<sha256_sum>& into);
record_batch decode_records(byte_span stream);
state_change decode_state_change(byte_span stream);

}

// SPDX-License-Identifier: MIT
#pragma once
// What a harness says to the prover. The translator (ir.py) turns these calls into CBMC's own.
#include "base/assert.hpp"
#include <cstdint>

extern "C" {
void prove_assume(bool held);
void prove_check(bool held, char const* what);
void prove_reach(char const* what);    // must be reachable: what says that a harness is not vacuous
void prove_show(char const* name, std::uint64_t value);    // a part of the request, for a trace
void prove_any_object(void* variable);                     // which then has any value
bool prove_any_bool();
std::uint8_t prove_any_u8();
std::uint16_t prove_any_u16();
std::uint32_t prove_any_u32();
std::uint64_t prove_any_u64();
}

namespace prove {

/// Any value of a plain type, the same in no two calls.
template <typename T> T any();
template <> inline bool any<bool>() { return prove_any_bool(); }
template <> inline std::uint8_t any<std::uint8_t>() { return prove_any_u8(); }
template <> inline std::uint16_t any<std::uint16_t>() { return prove_any_u16(); }
template <> inline std::uint32_t any<std::uint32_t>() { return prove_any_u32(); }
template <> inline std::uint64_t any<std::uint64_t>() { return prove_any_u64(); }

}    // namespace prove

/// Any value of a request, which a counter-example names: the prover wants a literal.
#define HV_INPUT(name) \
    __extension__({ \
        auto const hv_input = prove_any_u64(); \
        prove_show(name, hv_input); \
        hv_input; \
    })

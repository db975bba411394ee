// SPDX-License-Identifier: MIT
#pragma once
#include "decoder.hpp"
#include <array>

using registers = std::array<std::uint64_t, HVK_REGISTERS>;

/// What hvk_decode and Zydis see differently in bytes; empty where they agree. Addresses are
/// compared as they are with these registers.
std::string difference_from_zydis(encoding const& bytes, hvk_mode mode, registers const& gpr,
                                  std::uint64_t rip);

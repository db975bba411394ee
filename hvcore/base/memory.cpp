// SPDX-License-Identifier: MIT
// What compilers call on their own in freestanding code.
#include <cstddef>

extern "C" {

void* memset(void* to, int value, std::size_t bytes) {
    auto* at = static_cast<char volatile*>(to);
    for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<char>(value);
    return to;
}

void* memcpy(void* to, void const* from, std::size_t bytes) {
    auto* at = static_cast<char volatile*>(to);
    auto const* source = static_cast<char const*>(from);
    for (std::size_t i = 0; i < bytes; ++i) at[i] = source[i];
    return to;
}

void* memmove(void* to, void const* from, std::size_t bytes) {
    auto* at = static_cast<char volatile*>(to);
    auto const* source = static_cast<char const volatile*>(from);
    if (to < from)
        for (std::size_t i = 0; i < bytes; ++i) at[i] = source[i];
    else
        for (std::size_t i = bytes; i > 0; --i) at[i - 1] = source[i - 1];
    return to;
}

int memcmp(void const* a, void const* b, std::size_t bytes) {
    auto const* left = static_cast<unsigned char const*>(a);
    auto const* right = static_cast<unsigned char const*>(b);
    for (std::size_t i = 0; i < bytes; ++i)
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    return 0;
}
}

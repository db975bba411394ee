// SPDX-License-Identifier: MIT
// The translator itself: what C++ says of these operations, the prover must find true, and what is
// false it must refute (mutants.list).
#include "mem/rights.hpp"
#include "prove.hpp"

// instead _ZL5askedm in translator_instead: answered
// loop summed: i <= turns && sum == i * 3

namespace {

struct pair {
    std::uint8_t small;
    std::uint64_t large;
};
struct triple {
    pair inner;
    std::uint16_t more[4];
};

/// Any value, so that nothing is computed before the prover sees it, that is this one.
std::uint64_t is(std::uint64_t value) {
    auto const any = prove_any_u64();
    prove_assume(any == value);
    return any;
}

std::uint64_t by_switch(std::uint64_t of) {
    switch (of) {
    case 1:  return 10;
    case 2:  return 20;
    case 7:  return 70;
    default: return 0;
    }
}

pair doubled(pair p) { return {static_cast<std::uint8_t>(p.small * 2), p.large * 2}; }

std::uint64_t summed(std::uint64_t turns) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < turns; ++i) sum += 3;
    return sum;
}

void widths() {
    auto const a = is(0xffff'ffff'0000'0081);
    prove_check(static_cast<std::uint8_t>(a) == 0x81, "trunc");
    prove_check(static_cast<std::int64_t>(static_cast<std::int8_t>(a)) == -127, "sext");
    prove_check(static_cast<std::int32_t>(is(1) - is(2)) < 0, "a signed comparison");
    prove_check(is(1) - is(2) > 0, "an unsigned comparison");
    prove_check((static_cast<std::int64_t>(a) >> 60) == -1, "ashr");
    prove_check(a >> 60 == 15, "lshr");
    prove_check(is(3) << is(4) == 48, "shl");
    prove_check(is(47) / 16 == 2 && is(47) % 16 == 15, "division by a power of two");
    prove_check(is(47) / is(5) == 9 && is(47) % is(5) == 2, "division");
    prove_check(__builtin_popcountll(is(0xf0)) == 4, "ctpop");
    prove_check(__builtin_ctzll(is(0xf0)) == 4, "cttz");
}

void objects() {
    triple t{{1, is(5)}, {1, 2, 3, 4}};
    auto copy = t;
    copy.more[is(2)] = 9;
    prove_check(t.more[2] == 3 && copy.more[2] == 9, "a copy is a copy");
    auto const d = doubled(copy.inner);
    prove_check(d.small == 2 && d.large == 10 && copy.inner.large == 5, "a struct by value");
    auto& inner = copy.inner;
    inner.large = 6;
    prove_check(copy.inner.large == 6, "a reference");
    prove_check(by_switch(is(7)) == 70 && by_switch(is(3)) == 0, "a switch");
    prove_check(hv::includes(hv::all_rights, hv::rights::write) &&
                    !hv::includes(hv::rights::read, hv::read_write),
                "an enumeration");
}

}    // namespace

extern "C" void translator_operations() {
    widths();
    objects();
    prove_reach("the end of the operations");
}

extern std::uint64_t any_number;
extern "C" std::uint64_t answered(std::uint64_t of) { return of + 7; }
[[gnu::noinline]] static std::uint64_t asked(std::uint64_t of) { return of; }

extern "C" void translator_instead() {
    prove_check(asked(is(1)) == 8, "another function answers");
    if (any_number == 5) prove_reach("a variable of any value");
    std::uint32_t word = 6;
    prove_check(__atomic_exchange_n(&word, 3u, __ATOMIC_SEQ_CST) == 6 && word == 3, "xchg");
    prove_check(__atomic_fetch_or(&word, 4u, __ATOMIC_SEQ_CST) == 3 && word == 7, "or");
    prove_check(__atomic_fetch_add(&word, 2u, __ATOMIC_SEQ_CST) == 7 && word == 9, "add");
}

extern "C" void translator_loop() {
    auto const turns = prove_any_u64();
    prove_assume(turns <= 100);
    prove_check(summed(turns) == turns * 3, "a loop that is cut");
    prove_reach("the end of the loop");
}

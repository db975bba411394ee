// SPDX-License-Identifier: MIT
// The pool of pages: none is taken twice, and one that other CPUs may still walk is not taken
// before the shoot-down that ends this.
#include "mem/page_pool.hpp"
#include "prove.hpp"

// The bitmaps and the runs are followed at one place, any; what is elsewhere is any at each read.
// instead _ZN2hv5arrayImLm256EEixEm in pool_taken pool_given pool_retired pool_settled: a_word
// instead _ZNK2hv5arrayImLm256EEixEm in pool_given pool_retired: a_word
// instead page_of in pool_taken: page_of_bit
// instead bit_of in pool_given pool_retired: bit_of_page
// instead zero in pool_taken: zeroed
// instead _ZNK2hv5arrayINS_9page_pool3runELm64EEixEm in pool_numbers: a_run
// loop take: word <= 256 && untouched()
// loop settle: settled(word)
// loop page_of: i <= followed_run()
// loop bit_of: i <= followed_run()

using namespace hv;
/// Any runs of pages, any of them in use.
extern page_pool any_pool;

namespace {
struct followed {
    std::uint64_t bit;                       // of a page
    std::uint64_t old_used, old_retiring;    // the words of both bitmaps that it is in
    bool giving;
    std::uint64_t taken, zeroed;
    std::uint64_t run, offset;
    page_pool::run of;
};
constinit followed it{};
/// What changes.
struct cells {
    std::uint64_t used, retiring;
    std::uint64_t elsewhere, where;    // what was read last of the other words
    void* of;
    page_pool::run other;
};
constinit cells now{};

bool is(std::uint64_t word, std::uint64_t bit) { return (word >> bit % 64 & 1) != 0; }
}    // namespace

extern "C" {
std::uint64_t* a_word(void* self, std::size_t i) {
    prove_check(i < page_pool::max_pages / 64, "a word that is not there");
    if (i == it.bit / 64) return self == &any_pool.used_ ? &now.used : &now.retiring;
    if (i == now.where && self == now.of) return &now.elsewhere;
    now.where = i;
    now.of = self;
    now.elsewhere = prove_any_u64();
    // The page that is given back, where it is not the one that is followed.
    if (it.giving && i == it.taken / 64)
        prove_assume(is(now.elsewhere, it.taken) == (self == &any_pool.used_));
    return &now.elsewhere;
}
hpa page_of_bit(page_pool const* /*self*/, std::uint64_t bit) {
    prove_check(bit < any_pool.total_, "a bit without a page");
    it.taken = bit;
    return hpa{prove_any_u64()};
}
/// The page that is given is the one that is followed, or another.
std::uint64_t bit_of_page(page_pool const* /*self*/, hpa /*page*/) { return it.taken; }
void zeroed(page_pool const* /*self*/, hpa page) { it.zeroed = page.raw; }
bool untouched() { return now.used == it.old_used && now.retiring == it.old_retiring; }
bool settled(std::uint64_t word) {
    bool const done = word > it.bit / 64;
    return word <= 256 && now.retiring == (done ? 0 : it.old_retiring) &&
           now.used == (done ? it.old_used & ~it.old_retiring : it.old_used);
}
std::uint64_t followed_run() { return it.run; }
/// Runs do not share bits or pages.
page_pool::run* a_run(void* /*self*/, std::size_t i) {
    prove_check(i < any_pool.run_count_, "a run that is not there");
    if (i == it.run) return &it.of;
    auto& r = now.other;
    r = {hpa{prove_any_u64()}, prove_any_u64(), prove_any_u64()};
    prove_assume(r.pages >= 1 && r.pages <= page_pool::max_pages && r.bit < 1ull << 32 &&
                 r.first.aligned(page_bytes) && r.first.raw < 1ull << 52);
    auto const end = r.first.raw + r.pages * page_bytes;
    prove_assume(end <= it.of.first.raw ||
                 it.of.first.raw + it.of.pages * page_bytes <= r.first.raw);
    prove_assume(r.bit + r.pages <= it.of.bit || it.of.bit + it.of.pages <= r.bit);
    return &r;
}
}

namespace {

void any_pages() {
    it.bit = HV_INPUT("bit");
    now.used = it.old_used = prove_any_u64();
    now.retiring = it.old_retiring = prove_any_u64();
    it.taken = HV_INPUT("bit_that_is_given");
    prove_assume(any_pool.total_ <= page_pool::max_pages && it.bit < any_pool.total_);
    prove_assume(it.taken < any_pool.total_);
    prove_assume(any_pool.in_use_ <= any_pool.total_ && any_pool.retired_ <= any_pool.in_use_);
    // A page that retires is in use.
    prove_assume((now.retiring & ~now.used) == 0);
}
bool was_used() { return is(it.old_used, it.bit); }
bool is_used() { return is(now.used, it.bit); }
/// The caller has the page that it gives back, and gives it back once.
void given_once() {
    it.giving = true;
    if (it.taken / 64 == it.bit / 64)
        prove_assume(is(it.old_used, it.taken) && !is(it.old_retiring, it.taken));
}

}    // namespace

extern "C" void pool_taken() {
    any_pages();
    it.taken = ~0ull;
    auto const page = any_pool.take();
    if (page && it.taken == it.bit) {
        prove_reach("a page");
        prove_check(!was_used(), "a page that is taken twice");
        prove_check(is_used(), "a page that is taken and is free");
        prove_check(it.zeroed == page.value().raw, "a page that is not zeroed");
    } else {
        prove_check(is_used() == was_used(), "another page changes hands");
    }
    prove_check(now.retiring == it.old_retiring, "a page is to be given back");
}

extern "C" void pool_retired() {
    any_pages();
    given_once();
    any_pool.retire(hpa{prove_any_u64()});
    prove_check(now.used == it.old_used, "free before the shoot-down");
    bool const mine = it.bit == it.taken;
    prove_check(is(now.retiring, it.bit) == (mine || is(it.old_retiring, it.bit)),
                "a page that never comes back, or another that does");
    mine ? prove_reach("a page that retires") : prove_reach("another page");
}

extern "C" void pool_given() {
    any_pages();
    given_once();
    any_pool.give(hpa{prove_any_u64()});
    prove_check(is_used() == (was_used() && it.bit != it.taken), "another page is given");
    prove_reach("a page that is given back");
}

extern "C" void pool_settled() {
    any_pages();
    prove_assume(any_pool.retired_ != 0 || now.retiring == 0);
    any_pool.settle();
    bool const retiring = is(it.old_retiring, it.bit);
    prove_check(is_used() == (was_used() && !retiring), "what was given back is free");
    prove_check(!is(now.retiring, it.bit), "a page that is given back again");
    retiring ? prove_reach("a page that is free now") : prove_reach("a page that stays");
}

/// Pages and bits are each other's, whatever runs there are.
extern "C" void pool_numbers() {
    it.run = prove_any_u64();
    it.offset = HV_INPUT("page_of_the_run");
    it.of = {hpa{HV_INPUT("first")}, HV_INPUT("pages"), HV_INPUT("first_bit")};
    prove_assume(any_pool.run_count_ <= HV_MAX_CHUNKS && it.run < any_pool.run_count_);
    prove_assume(it.of.pages <= page_pool::max_pages && it.of.bit < 1ull << 32 &&
                 it.of.first.aligned(page_bytes) && it.of.first.raw < 1ull << 52);
    prove_assume(it.offset < it.of.pages);
    auto const page = any_pool.page_of(it.of.bit + it.offset);
    prove_reach("a page");
    prove_check(page == it.of.first + it.offset * page_bytes, "another page than the bit's");
    prove_check(any_pool.bit_of(page) == it.of.bit + it.offset, "another bit than the page's");
}

#include "mem/page_pool.cpp"

// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <cstdio>

/// How many calls or messages the inputs of a run came to: told at its end, and now and then, as a
/// run that is stopped by a signal does not get to its end.
class fuzz_count {
public:
    explicit fuzz_count(char const* what) : what_{what} {}
    fuzz_count(fuzz_count const&) = delete;
    fuzz_count& operator=(fuzz_count const&) = delete;
    ~fuzz_count() { tell(); }
    void one_more() {
        ++of_all_;
        if (++count_ % 10'000'000 == 0) tell();
    }
    static std::uint64_t of_all() { return of_all_; }

private:
    void tell() const {
        std::fprintf(stderr, "%s: %llu\n", what_, static_cast<unsigned long long>(count_));
    }
    char const* what_;
    std::uint64_t count_{};
    inline static std::uint64_t of_all_{};
};

// SPDX-License-Identifier: MIT
// In the place of libFuzzer, for very many calls: inputs at random, and kept inputs changed at
// random, without following what they cover, which costs most of a call's time.
//
//   TARGET CALLS SECONDS SEED FIRST [CORPUS]
//
// runs inputs FIRST, FIRST + 1, … until CALLS calls (fuzz_count.hpp) or SECONDS are over. An input
// follows from SEED and its number alone: what breaks something is found again by CALLS = 1 there.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz_count.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
// Whatever a sanitizer finds ends in SIGABRT. No call here is asked for the stack that allocated.
extern "C" char const* __asan_default_options() {
    return "abort_on_error=1:malloc_context_size=0:quarantine_size_mb=16";
}

namespace {

using bytes = std::vector<std::uint8_t>;
constexpr std::size_t most_bytes = 1u << 19;
constexpr unsigned most_changes = 16;

unsigned long long seed, number;

void tell_which(int) {
    std::fprintf(stderr, "broken by input %llu of seed %llu\n", number, seed);
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
}

std::vector<bytes> read_corpus(char const* folder) {
    std::vector<std::filesystem::path> names;
    for (auto const& each : std::filesystem::directory_iterator{folder})
        if (each.is_regular_file()) names.push_back(each.path());
    std::sort(names.begin(), names.end());
    std::vector<bytes> out;
    for (auto const& each : names) {
        std::ifstream file{each, std::ios::binary};
        out.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
        if (out.back().empty()) out.pop_back();
    }
    return out;
}

void change(bytes& input, std::mt19937_64& random) {
    auto const at = random() % input.size();
    switch (random() % 6) {
    case 0: input[at] ^= static_cast<std::uint8_t>(1u << random() % 8); break;
    case 1: input[at] = random() % 2 ? 0 : 0xff; break;
    case 2: input[at] = static_cast<std::uint8_t>(input[at] + random() % 9 - 4); break;
    case 3: input.insert(input.begin() + static_cast<long>(at), 1 + random() % 8, input[at]); break;
    case 4:
        std::copy_n(input.begin() + static_cast<long>(random() % input.size()), 1,
                    input.begin() + static_cast<long>(at));
        break;
    default: input[at] = static_cast<std::uint8_t>(random()); break;
    }
}

bytes make_input(std::vector<bytes> const& corpus) {
    std::seed_seq both{seed, number};
    std::mt19937_64 random{both};
    if (!corpus.empty()) {
        auto input = corpus[random() % corpus.size()];
        for (auto left = 1 + random() % most_changes; left > 0; --left) change(input, random);
        return input;
    }
    bytes input(1 + random() % most_bytes);
    std::generate(input.begin(), input.end(), [&] { return static_cast<std::uint8_t>(random()); });
    return input;
}

}

int main(int count, char** words) {
    if (count < 5) {
        std::fprintf(stderr, "usage: %s CALLS SECONDS SEED FIRST [CORPUS]\n", words[0]);
        return 2;
    }
    auto const calls = std::stoull(words[1]);
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds{std::stol(words[2])};
    seed = std::stoull(words[3]);
    auto const corpus = count > 5 ? read_corpus(words[5]) : std::vector<bytes>{};
    std::signal(SIGABRT, tell_which);
    number = std::stoull(words[4]);
    for (; fuzz_count::of_all() < calls && std::chrono::steady_clock::now() < end; ++number) {
        auto const input = make_input(corpus);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::fprintf(stderr, "seed %llu: the next input is %llu\n", seed, number);
    return 0;
}

// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log/chain.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/log/verify.hpp"
#include "full_disk.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

class log_chain : public testing::Test {
protected:
    log_options options(std::uint64_t rotate_bytes = 1u << 20) const {
        return {folder_.path("events.jsonl"), rotate_bytes, 3, false};
    }
    void write_lines(unsigned count, std::uint64_t rotate_bytes = 1u << 20) const {
        event_log log{options(rotate_bytes)};
        for (unsigned i = 0; i < count; ++i) {
            log.append("{\"time\":\"2025\",\"n\":" + std::to_string(i) + "}");
            log.commit();
        }
    }
    std::vector<std::string> lines(std::string const& name = "events.jsonl") const {
        std::vector<std::string> out;
        std::istringstream text{folder_.read(name)};
        for (std::string each; std::getline(text, each);) {
            out.push_back(each);
        }
        return out;
    }
    void put(std::vector<std::string> const& all, std::string const& name = "events.jsonl") const {
        std::string text;
        for (auto const& each : all) {
            text += each + "\n";
        }
        folder_.write(name, text);
    }
    /// FILE:LINE of the fault, or nothing.
    std::string fault() const {
        auto const found = verify_log(options().path).fault;
        if (!found) return {};
        return found->path.substr(found->path.rfind('/') + 1) + ":" + std::to_string(found->line);
    }
    chain_report report() const { return verify_log(options().path); }

    temporary_folder folder_;
};

TEST_F(log_chain, hashes_as_sha_256_does) {    // FIPS 180-2, B.1
    EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(log_chain, each_line_names_the_one_before_it) {
    write_lines(3);
    auto const all = lines();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(read_link(all[0])->before, first_hash());
    EXPECT_EQ(read_link(all[1])->before, read_link(all[0])->hash);
    EXPECT_EQ(read_link(all[2])->hash, hash_of(read_link(all[2])->hashed));
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(report().lines, 3u);
    EXPECT_TRUE(report().from_the_start);
    EXPECT_EQ(report().hash, read_link(all[2])->hash);
}

TEST_F(log_chain, goes_on_after_a_restart) {
    write_lines(3);
    write_lines(3);
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(report().lines, 6u);
}

TEST_F(log_chain, a_line_that_was_removed_shows) {
    write_lines(5);
    auto const all = lines();
    for (std::size_t gone = 0; gone + 1 < all.size(); ++gone) {
        auto left = all;
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(gone));
        put(left);
        // The first one may have been rotated away.
        EXPECT_EQ(fault(), gone == 0 ? "" : "events.jsonl:" + std::to_string(gone + 1));
        EXPECT_EQ(report().from_the_start, gone != 0);
    }
}

TEST_F(log_chain, a_line_that_was_altered_shows_wherever_it_was) {
    write_lines(4);
    auto const all = lines();
    for (std::size_t which = 0; which < all.size(); ++which) {
        for (std::size_t at = 0; at < all[which].size(); ++at) {
            auto changed = all;
            changed[which][at] = static_cast<char>(changed[which][at] ^ 1);
            put(changed);
            ASSERT_NE(fault(), "") << which << " at " << at;
        }
    }
}

TEST_F(log_chain, lines_that_changed_places_and_lines_that_were_added_show) {
    write_lines(4);
    auto all = lines();
    std::swap(all[1], all[2]);
    put(all);
    EXPECT_EQ(fault(), "events.jsonl:2");
    std::swap(all[1], all[2]);
    all.insert(all.begin() + 2, "{\"time\":\"2025\",\"forged\":1}");
    put(all);
    EXPECT_EQ(fault(), "events.jsonl:3");
    all[2] = chained("{\"time\":\"2025\",\"forged\":1}", read_link(all[1])->hash);
    put(all);
    EXPECT_EQ(fault(), "events.jsonl:4");
}

TEST_F(log_chain, goes_on_over_rotations) {
    write_lines(40, 1000);
    EXPECT_TRUE(std::filesystem::exists(options().path + ".3"));
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(report().files, 4u);
    EXPECT_FALSE(report().from_the_start);
    write_lines(1, 1000);
    EXPECT_EQ(fault(), "");
}

TEST_F(log_chain, a_rotation_that_a_crash_cut_short_keeps_it) {
    write_lines(3);
    std::filesystem::rename(options().path, options().path + ".1");
    write_lines(2);
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(report().lines, 5u);
}

TEST_F(log_chain, a_file_that_was_removed_between_two_shows) {
    write_lines(40, 1000);
    std::filesystem::remove(options().path + ".2");
    EXPECT_EQ(fault(), "events.jsonl.1:1");
}

TEST_F(log_chain, an_older_file_that_was_cut_short_shows) {
    write_lines(40, 1000);
    auto const text = folder_.read("events.jsonl.1");
    folder_.write("events.jsonl.1", text.substr(0, text.size() - 5));
    EXPECT_EQ(fault(), "events.jsonl.1:" + std::to_string(lines("events.jsonl.1").size()));
}

TEST_F(log_chain, lines_of_an_hvd_that_did_not_chain_are_taken_in) {
    folder_.write("events.jsonl", "{\"time\":\"2024\"}\n{\"time\":\"2024\",\"b\":1}\n");
    write_lines(2);
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(report().unchained, 2u);
    auto all = lines();
    all[1][10] = '5';
    put(all);
    EXPECT_EQ(fault(), "events.jsonl:3");
}

TEST_F(log_chain, a_file_cut_at_any_byte_verifies_to_its_last_whole_line_and_goes_on) {
    write_lines(4);
    auto const text = folder_.read("events.jsonl");
    for (std::size_t size = 0; size < text.size(); ++size) {
        folder_.write("events.jsonl", text.substr(0, size));
        auto const whole = static_cast<std::uint64_t>(
            std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
        auto const before = report();
        ASSERT_FALSE(before.fault) << size;
        ASSERT_EQ(before.lines, whole) << size;
        ASSERT_EQ(before.half_line, size != 0 && text[size - 1] != '\n') << size;
        write_lines(2);
        ASSERT_EQ(fault(), "") << size;
        ASSERT_EQ(report().lines, whole + 2) << size;
    }
}

/// Writes without end, as hvd in a flood, and a byte to `told` each time.
[[noreturn]] void write_for_ever(log_options const& options, int told) {
    std::string const filling(4000, 'x');
    event_log log{options};
    for (unsigned i = 0;; ++i) {
        if (write(told, "", 1) != 1) _exit(1);
        for (unsigned each = 0; each < 20; ++each) {
            log.append("{\"n\":" + std::to_string(i) + ",\"filling\":\"" + filling + "\"}");
        }
        log.commit();
    }
}

TEST_F(log_chain, a_writer_killed_in_a_flood_leaves_what_verifies_and_can_go_on) {
    std::minstd_rand random{1};    // NOLINT: the same numbers on each run are wanted
    for (unsigned round = 0; round < 40; ++round) {
        std::array<int, 2> ends{};
        ASSERT_EQ(pipe(ends.data()), 0);
        auto const child = fork();
        if (child == 0) write_for_ever(options(200'000), ends[1]);
        char byte{};
        for (auto left = 1 + random() % 30; left > 0 && ::read(ends[0], &byte, 1) == 1; --left) {}
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        close(ends[0]);
        close(ends[1]);
        ASSERT_EQ(fault(), "") << round;
    }
    write_lines(1);
    EXPECT_EQ(fault(), "");
}

TEST_F(log_chain, what_a_full_disk_refused_is_not_in_it) {
    event_log log{options()};
    log.append("{\"n\":1}");
    log.commit();
    log.append("{\"n\":2}");
    {
        full_disk const limit{folder_.read("events.jsonl").size() + 10};
        EXPECT_THROW(log.commit(), std::system_error);
    }
    log.append("{\"n\":3}");
    log.commit();
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(report().lines, 2u);
}

}
}

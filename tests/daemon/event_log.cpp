// SPDX-License-Identifier: MIT
#include "daemon/log/event_log.hpp"

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/log/log_reader.hpp"
#include "full_disk.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

// Of line(), chained.
constexpr std::size_t line_bytes = 195;

class event_log_test : public testing::Test {
protected:
    log_options options(std::uint64_t rotate_bytes = 1u << 20, unsigned keep = 2) const {
        return {folder_.path("log/events.jsonl"), rotate_bytes, keep, false};
    }
    static void write_lines(event_log& log, unsigned from, unsigned to) {
        for (auto i = from; i < to; ++i) {
            log.append(line(i));
            log.commit();
        }
    }
    static std::string line(unsigned i) {
        auto const number = std::to_string(1000 + i);
        return "{\"time\":\"2025-01-01T00:00:00." + number + "Z\",\"n\":" + number + "}";
    }
    /// Without its place in the chain, which log_chain's tests look at.
    static std::string plain(std::string_view line) {
        auto const at = line.rfind(",\"before\":");
        return at == line.npos ? std::string{line} : std::string{line.substr(0, at)} + "}";
    }
    std::string plain_text() const {
        std::istringstream text{folder_.read("log/events.jsonl")};
        std::string out;
        for (std::string each; std::getline(text, each);) {
            out += plain(each) + "\n";
        }
        return out;
    }
    static log_filter only_since(std::string const& since) {
        log_filter only;
        only.since = since;
        return only;
    }
    log_page read(std::string const& cursor = {}, std::string const& since = {},
                  std::size_t most = 1000) const {
        return read_log(options().path, 2, only_since(since), cursor, most, 1u << 20);
    }

    temporary_folder folder_;
};

TEST_F(event_log_test, is_made_with_its_folder_and_not_for_everybody) {
    event_log log{options()};
    struct stat about{};
    ASSERT_EQ(stat(options().path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777 & ~0027u, about.st_mode & 07777u);
}

TEST_F(event_log_test, what_is_not_committed_is_not_there) {
    event_log log{options()};
    log.append(line(1));
    EXPECT_EQ(folder_.read("log/events.jsonl"), "");
    log.commit();
    EXPECT_EQ(plain_text(), line(1) + "\n");
}

TEST_F(event_log_test, cuts_off_a_half_written_line) {
    folder_.write("log/events.jsonl", "one\ntwo\n{\"half\":");
    event_log log{options()};
    EXPECT_EQ(folder_.read("log/events.jsonl"), "one\ntwo\n");
    log.append(line(3));
    log.commit();
    EXPECT_EQ(plain_text(), "one\ntwo\n" + line(3) + "\n");
}

TEST_F(event_log_test, does_not_follow_a_link_put_in_its_place) {
    folder_.write("elsewhere", "precious");
    std::filesystem::create_directories(folder_.path("log"));
    std::filesystem::create_symlink(folder_.path("elsewhere"), options().path);
    EXPECT_THROW(event_log{options()}, std::system_error);
    EXPECT_EQ(folder_.read("elsewhere"), "precious");
}

TEST_F(event_log_test, rotates_whole_files_and_keeps_so_many) {
    event_log log{options(800, 2)};
    write_lines(log, 0, 40);
    EXPECT_TRUE(std::filesystem::exists(options().path + ".2"));
    EXPECT_FALSE(std::filesystem::exists(options().path + ".3"));
    EXPECT_LE(std::filesystem::file_size(options().path + ".1"), 800u);
    EXPECT_TRUE(plain_text().ends_with(line(39) + "\n"));
}

TEST_F(event_log_test, reads_back_over_rotated_files) {
    event_log log{options(800, 2)};
    write_lines(log, 0, 10);
    std::vector<std::string> seen;
    log.read_back(1u << 20, [&](std::string_view each) {
        seen.push_back(plain(each));
        return seen.size() < 6;
    });
    ASSERT_EQ(seen.size(), 6u);
    EXPECT_EQ(seen.front(), line(9));
    EXPECT_EQ(seen.back(), line(4));
}

TEST_F(event_log_test, reads_back_only_whole_lines_within_its_bound) {
    event_log log{options()};
    write_lines(log, 0, 10);
    unsigned count = 0;
    log.read_back(line_bytes + 10, [&](std::string_view each) {
        EXPECT_EQ(plain(each), line(9 - count));
        ++count;
        return true;
    });
    EXPECT_EQ(count, 1u);
}

TEST_F(event_log_test, a_full_disk_leaves_whole_lines_only) {
    event_log log{options()};
    write_lines(log, 0, 3);
    auto const before = folder_.read("log/events.jsonl");
    auto const plain_before = plain_text();
    {
        full_disk const limit{before.size() + 10};
        log.append(line(3));
        EXPECT_THROW(log.commit(), std::system_error);
    }
    EXPECT_EQ(folder_.read("log/events.jsonl"), before);
    log.append(line(4));
    log.commit();
    EXPECT_EQ(plain_text(), plain_before + line(4) + "\n");
}

TEST_F(event_log_test, pages_follow_one_another_over_rotations) {
    event_log log{options(800, 2)};
    write_lines(log, 0, 8);
    auto page = read({}, {}, 3);
    EXPECT_TRUE(page.more);
    write_lines(log, 8, 9);
    std::vector<std::string> seen = page.lines;
    while (page.more) {
        page = read(page.cursor, {}, 3);
        seen.insert(seen.end(), page.lines.begin(), page.lines.end());
    }
    ASSERT_EQ(seen.size(), 9u);
    for (unsigned i = 0; i < 9; ++i) {
        EXPECT_EQ(plain(seen[i]), line(i));
    }
    EXPECT_TRUE(read(page.cursor).lines.empty());
}

TEST_F(event_log_test, pages_are_bounded_by_bytes_too) {
    event_log log{options()};
    write_lines(log, 0, 10);
    auto const page = read_log(options().path, 2, {}, {}, 1000, 2 * line_bytes + 1);
    EXPECT_EQ(page.lines.size(), 2u);
    EXPECT_TRUE(page.more);
}

TEST_F(event_log_test, since_leaves_out_what_is_older) {
    event_log log{options(800, 2)};
    write_lines(log, 0, 9);
    auto const page = read({}, "2025-01-01T00:00:00.1006");
    ASSERT_EQ(page.lines.size(), 3u);
    EXPECT_EQ(plain(page.lines.front()), line(6));
    EXPECT_TRUE(read({}, "2026-01-01").lines.empty());
}

TEST_F(event_log_test, the_last_lines_can_lie_in_older_files) {
    event_log log{options(800, 2)};
    write_lines(log, 0, 8);
    auto const page = read(tail_of_log(options().path, 2, {}, 5));
    ASSERT_EQ(page.lines.size(), 5u);
    EXPECT_EQ(plain(page.lines.front()), line(3));
    EXPECT_TRUE(read(tail_of_log(options().path, 2, {}, 0)).lines.empty());
    EXPECT_EQ(read(tail_of_log(options().path, 2, {}, 100)).lines.size(), 8u);
}

TEST_F(event_log_test, a_cursor_of_a_file_that_is_gone_starts_with_what_is_left) {
    event_log log{options()};
    write_lines(log, 0, 2);
    EXPECT_EQ(read("1:5").lines.size(), 2u);
    EXPECT_THROW(read("nonsense"), std::invalid_argument);
    EXPECT_THROW(read("1:2:3"), std::invalid_argument);
    EXPECT_THROW(read(":"), std::invalid_argument);
}

}
}

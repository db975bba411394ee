// SPDX-License-Identifier: MIT
#include "daemon/log/recorder.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "fake_device.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

class recorder_test : public testing::Test {
protected:
    /// A new hvd over the same log.
    void restart() { limit({.per_second = 1000, .burst = 10'000}); }
    void limit(rate_options const& most) {
        recorder_.reset();
        log_ = std::make_unique<event_log>(
            log_options{folder_.path("events.jsonl"), 1u << 20, 2, false});
        recorder_ = std::make_unique<recorder>(device_, *log_, names_, most);
        recorder_->set_session(0x1234, "vmx");
    }
    void SetUp() override { restart(); }
    void take(std::vector<record_batch> const& batches) { EXPECT_TRUE(recorder_->take(batches)); }

    std::vector<nlohmann::json> lines() const {
        std::vector<nlohmann::json> out;
        std::istringstream text{folder_.read("events.jsonl")};
        for (std::string line; std::getline(text, line);) {
            out.push_back(nlohmann::json::parse(line));
        }
        return out;
    }
    std::vector<std::uint64_t> sequences() const {
        std::vector<std::uint64_t> out;
        for (auto const& each : lines()) {
            if (each.contains("sequence")) out.push_back(each["sequence"]);
        }
        return out;
    }
    std::uint64_t acknowledged(std::uint32_t ring = 0, std::uint64_t session = 0x1234) const {
        auto const at = device_.acks.find({session, ring});
        return at == device_.acks.end() ? 0 : at->second;
    }

    temporary_folder folder_;
    fake_device device_;
    rule_book names_;
    std::unique_ptr<event_log> log_;
    std::unique_ptr<recorder> recorder_;
};

using sequence_list = std::vector<std::uint64_t>;

TEST_F(recorder_test, writes_then_acknowledges) {
    take({make_batch(0, 2), make_batch(2, 1)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2}));
    EXPECT_EQ(acknowledged(), 3u);
    EXPECT_EQ(device_.calls("records_ack"), 1u) << "one for all that were taken at once";
}

TEST_F(recorder_test, writes_a_record_that_comes_again_only_once) {
    take({make_batch(0, 3)});
    take({make_batch(1, 4)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2, 3, 4}));
    EXPECT_EQ(acknowledged(), 5u);
}

TEST_F(recorder_test, after_a_kill_before_the_acknowledgement_nothing_is_twice_or_missing) {
    device_.refuse("records_ack", ESTALE, "killed here");
    take({make_batch(0, 3)});
    device_.allow("records_ack");
    restart();
    take({make_batch(0, 5)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2, 3, 4}));
    EXPECT_EQ(acknowledged(), 5u);
}

TEST_F(recorder_test, after_a_kill_in_the_middle_of_a_line_that_record_is_written_again) {
    take({make_batch(0, 3)});
    auto const text = folder_.read("events.jsonl");
    for (std::size_t cut = 1; cut < text.size(); cut += 7) {
        folder_.write("events.jsonl", text.substr(0, text.size() - cut));
        restart();
        take({make_batch(0, 4)});
        EXPECT_EQ(sequences(), (sequence_list{0, 1, 2, 3})) << cut;
    }
}

TEST_F(recorder_test, what_was_written_but_not_acknowledged_is_acknowledged_after_a_restart) {
    take({make_batch(0, 3)});
    device_.acks.clear();
    restart();
    take({make_batch(0, 3)});
    EXPECT_EQ(acknowledged(), 3u);
    EXPECT_EQ(sequences().size(), 3u);
}

TEST_F(recorder_test, keeps_records_of_two_hoists_apart) {
    take({make_batch(0, 2, 0, 0x1111), make_batch(0, 2, 0, 0x2222)});
    restart();
    take({make_batch(1, 2, 0, 0x1111), make_batch(0, 3, 0, 0x2222)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 0, 1, 2, 2}));
    EXPECT_EQ(acknowledged(0, 0x1111), 3u);
    EXPECT_EQ(acknowledged(0, 0x2222), 3u);
}

TEST_F(recorder_test, counts_what_the_ring_dropped_once) {
    take({make_batch(0, 1, 5)});
    take({make_batch(1, 1, 5)});
    restart();
    take({make_batch(2, 1, 8)});
    std::vector<std::uint64_t> counts;
    for (auto const& each : lines()) {
        if (each["kind"] == "dropped") counts.push_back(each["count"]);
    }
    EXPECT_EQ(counts, (sequence_list{5, 3}));
}

TEST_F(recorder_test, says_when_records_went_missing_on_the_way) {
    take({make_batch(0, 2)});
    take({make_batch(5, 1, 0, 0x1234, 5)});
    auto const all = lines();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[2]["kind"], "lost");
    EXPECT_EQ(all[2]["count"], 3);
}

TEST_F(recorder_test, a_reader_that_comes_late_misses_nothing_it_could_have_had) {
    take({make_batch(100, 1, 0, 0x1234, 100)});
    EXPECT_EQ(lines().size(), 1u) << "an earlier reader took the first hundred";
}

TEST_F(recorder_test, what_begins_behind_records_that_are_still_held_is_neither_taken_nor_lost) {
    take({make_batch(0, 2)});
    restart();
    EXPECT_FALSE(recorder_->take(std::vector{make_batch(5, 3, 4, 0x1234, 2), make_batch(8, 1)}))
        << "sent before this reader was one";
    EXPECT_EQ(lines().size(), 2u);
    EXPECT_EQ(acknowledged(), 2u);
    take({make_batch(2, 7, 4, 0x1234, 2)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(lines().back()["kind"], "dropped");
    EXPECT_EQ(acknowledged(), 9u);
}

TEST_F(recorder_test, a_reader_without_a_log_takes_what_is_held_from_its_beginning) {
    EXPECT_FALSE(recorder_->take(std::vector{make_batch(103, 2, 0, 0x1234, 100)}));
    EXPECT_EQ(acknowledged(), 0u);
    take({make_batch(100, 5, 0, 0x1234, 100)});
    EXPECT_EQ(sequences(), (sequence_list{100, 101, 102, 103, 104}));
}

TEST_F(recorder_test, a_flood_of_a_rule_is_limited_and_counted_and_another_rule_is_not) {
    limit({.per_second = 1, .burst = 3});
    auto batch = make_batch(0, 10);
    for (auto& each : batch.records) {
        each.rule = 7;
    }
    batch.records[9].rule = 8;
    take({batch});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2, 9, 9}));
    auto const last = lines().back();
    EXPECT_EQ(last["kind"], "limited");
    EXPECT_EQ(last["rule_id"], 7);
    EXPECT_EQ(last["count"], 6);
    EXPECT_EQ(acknowledged(), 10u) << "what is left out is not asked for again";
    restart();
    take({make_batch(8, 4)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2, 9, 9, 10, 11}));
}

TEST_F(recorder_test, a_rule_has_a_rate_of_its_own) {
    compiled_policy policy;
    policy.name = "p";
    policy.rules.resize(2);
    policy.rules[0].name = "rare";
    policy.rules[0].terms.rate = {2, 3600};
    policy.rules[1].name = "often";
    names_ = names_.with(policy);
    limit({.per_second = 1, .burst = 5});
    auto batch = make_batch(0, 10);
    for (std::size_t i = 0; i < 10; ++i) {
        batch.records[i].rule = i < 6 ? 1 : 2;
    }
    take({batch});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 6, 7, 8, 9, 9}));
    auto const last = lines().back();
    EXPECT_EQ(last["kind"], "limited");
    EXPECT_EQ(last["rule"], "rare");
    EXPECT_EQ(last["count"], 4);
}

TEST_F(recorder_test, what_the_core_itself_says_of_the_machine_is_never_limited) {
    limit({.per_second = 1, .burst = 1});
    auto batch = make_batch(0, 5);
    for (auto& each : batch.records) {
        each.kind = HV_RECORD_LAUNCHED;
    }
    take({batch});
    EXPECT_EQ(sequences().size(), 5u);
}

TEST(rate_limit, fills_up_again_with_time) {
    using std::chrono::milliseconds;
    rate_limit limit{{.per_second = 10, .burst = 2}};
    rate_limit::instant const start{};
    EXPECT_TRUE(limit.allows(1, start));
    EXPECT_TRUE(limit.allows(1, start));
    EXPECT_FALSE(limit.allows(1, start));
    EXPECT_TRUE(limit.allows(2, start));
    EXPECT_FALSE(limit.allows(1, start + milliseconds{50}));
    EXPECT_TRUE(limit.allows(1, start + milliseconds{101}));
    EXPECT_FALSE(limit.allows(1, start + milliseconds{102}));
    EXPECT_TRUE(limit.allows(1, start + milliseconds{10'000}));
    EXPECT_TRUE(limit.allows(1, start + milliseconds{10'000}));
    EXPECT_FALSE(limit.allows(1, start + milliseconds{10'000})) << "never more than the burst";
}

TEST_F(recorder_test, acknowledges_nothing_that_could_not_be_written) {
    take({make_batch(0, 1)});
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    getrlimit(RLIMIT_FSIZE, &old);
    rlimit const small{folder_.read("events.jsonl").size(), old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_THROW(take({make_batch(1, 2)}), std::system_error);
    setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_EQ(acknowledged(), 1u);
    take({make_batch(1, 2)});
    EXPECT_EQ(sequences(), (sequence_list{0, 1, 2}));
    EXPECT_EQ(acknowledged(), 3u);
}

TEST_F(recorder_test, tells_its_listener_after_the_line_is_written) {
    std::vector<std::string> heard;
    recorder_->listen([&](std::string const& line) {
        EXPECT_NE(folder_.read("events.jsonl").find(line), std::string::npos);
        heard.push_back(line);
    });
    take({make_batch(0, 2)});
    recorder_->note("start", "hoisted");
    EXPECT_EQ(heard.size(), 3u);
}

TEST_F(recorder_test, knows_whether_it_has_all_records) {
    EXPECT_TRUE(recorder_->has(0, 0));
    EXPECT_FALSE(recorder_->has(0, 3));
    take({make_batch(0, 3)});
    EXPECT_TRUE(recorder_->has(0, 3));
    EXPECT_FALSE(recorder_->has(0, 4));
    EXPECT_FALSE(recorder_->has(1, 1));
}

}
}

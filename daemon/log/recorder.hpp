// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "daemon/device/device.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/log/rate_limit.hpp"
#include "daemon/policy/rule_book.hpp"

namespace hv {

/// What a line of hvd's own is about, besides its message.
struct note_subject {
    std::string vm{};
    std::string policy{};
    std::string process{};
    int pid{};    // that asked for it; 0: none
};

/// Takes records from hv.ko to the log: each once, in order, and only then tells hv.ko that it may
/// forget them. After a restart the log itself says what is already in it.
class recorder {
public:
    using listener = std::function<void(std::string const& line)>;
    /// The name of the VM that runs as this user; "": it has none.
    using user_names = std::function<std::string(std::uint32_t user)>;

    recorder(device& from, event_log& to, rule_book const& names, rate_options limit = {});

    /// Who hears of each line once it is written.
    void listen(listener who) { listener_ = std::move(who); }
    void name_users(user_names by) { users_ = std::move(by); }
    /// The hoist that hv.ko is in, for what comes next.
    void set_session(std::uint64_t session, std::string backend);
    /// Writes and acknowledges. False: a batch began behind records that hv.ko still holds (they
    /// went to an earlier reader, or overran this one). Its ring was left as it is, and hv.ko has
    /// to be told to send from there. Errors: std::system_error when the log cannot be written;
    /// nothing is acknowledged then, so hv.ko keeps the records.
    [[nodiscard]] bool take(std::span<record_batch const> batches);
    /// A line of hvd's own.
    void note(std::string const& kind, std::string const& message, note_subject const& about = {});
    /// True when the log has every record of this hoist before `written`.
    bool has(std::uint32_t ring, std::uint64_t written) const;

private:
    // hv.ko keeps what an earlier hoist left behind until it was read, so there can be several.
    using ring_of_session = std::pair<std::uint64_t, std::uint32_t>;
    struct ring_mark {
        std::optional<std::uint64_t> next;    // sequence that is due
        std::uint64_t dropped{};
    };

    void learn();
    void add(nlohmann::ordered_json const& line);
    void add_gap(record_batch const& of, char const* kind, std::uint64_t count,
                 char const* message);
    bool follows(record_batch const& batch) const;
    bool allows(std::uint32_t rule, rule_name const* known, rate_limit::instant now);
    void add_batch(record_batch const& batch);
    /// Counts of records by their rule, and by whose doing they were.
    using left_out = std::map<std::pair<std::uint32_t, std::string>, std::uint64_t>;
    void add_limited(record_batch const& of, std::uint64_t last, left_out const& counts);
    std::string called(hv_record const& record) const;
    void commit();
    void acknowledge(std::span<record_batch const> batches);

    device& device_;
    event_log& log_;
    rule_book const& names_;
    listener listener_;
    user_names users_;
    std::map<ring_of_session, ring_mark> marks_;
    std::vector<std::string> lines_;
    rate_limit limit_;
    std::uint64_t session_{};
    std::string backend_;
};

}

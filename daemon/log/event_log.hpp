// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace hv {

struct log_options {
    std::string path = "/var/log/hv/events.jsonl";
    std::uint64_t rotate_bytes = 16u << 20;
    unsigned keep = 4;    // older files: path.1 (the youngest) … path.N
    bool sync = true;     // on the disk before hv.ko may forget a record
};

/// The log file: whole lines only, also after a crash or on a full disk, each chained to the one
/// before it, over rotations too. Readable by the group of its folder.
class event_log {
public:
    /// Makes the folder, opens the file, cuts off a line that a crash left half written.
    /// Errors: std::system_error.
    explicit event_log(log_options options);
    ~event_log();
    event_log(event_log const&) = delete;
    event_log& operator=(event_log const&) = delete;

    log_options const& options() const { return options_; }
    /// `object` is a line without its place in the chain; as it is written it comes back.
    std::string append(std::string_view object);
    /// Everything appended is written, or, with std::system_error, nothing of it.
    void commit();

    /// Calls back with each line from the last one backwards over at most `bytes`, until it
    /// returns false.
    void read_back(std::uint64_t bytes, std::function<bool(std::string_view)> const& each) const;

private:
    void open();
    void repair();
    void learn_hash();
    void rotate();
    void undo_to(std::uint64_t size);
    [[noreturn]] void give_up(std::uint64_t size);

    log_options options_;
    std::string pending_;
    std::string hash_;            // of the last line that is written
    std::string pending_hash_;    // of the last that is appended
    std::uint64_t size_{};
    int file_ = -1;
};

}

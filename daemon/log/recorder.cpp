// SPDX-License-Identifier: MIT
#include "daemon/log/recorder.hpp"

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "daemon/device/device_error.hpp"
#include "daemon/log/line_key.hpp"
#include "daemon/log/schema.hpp"
#include "daemon/log/wording.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

// More than all unread records of 64 CPUs can take.
constexpr std::uint64_t look_back_bytes = 8u << 20;

constexpr std::size_t most_marks = 4096;

/// What rules bring about, and what the core itself refuses: anybody can do that without end.
bool may_be_limited(hv_record const& record) {
    return record.rule != 0 || level_of(record_kind_name(record.kind)) == log_level::warning;
}

}

recorder::recorder(device& from, event_log& to, rule_book const& names, rate_options limit)
    : device_{from}, log_{to}, names_{names}, limit_{limit} {
    learn();
}

/// Where each ring's lines in the log end.
void recorder::learn() {
    log_.read_back(look_back_bytes, [&](std::string_view line) {
        auto const key = read_line_key(line);
        if (!key) return true;
        auto& mark = marks_[{key->session, key->ring}];
        if (key->sequence && !mark.next) mark.next = *key->sequence + 1;
        mark.dropped = std::max(mark.dropped, key->dropped_total);
        return marks_.size() < most_marks;
    });
}

void recorder::set_session(std::uint64_t session, std::string backend) {
    session_ = session;
    backend_ = std::move(backend);
    if (marks_.size() >= most_marks) {
        std::erase_if(marks_, [&](auto const& each) { return each.first.first != session; });
    }
}

/// Whether the log may go on with it: an acknowledgement covers all records before it as well.
bool recorder::follows(record_batch const& batch) const {
    if (batch.records.empty()) return true;
    auto const at = marks_.find({batch.session, batch.ring});
    auto const next = at == marks_.end() ? 0 : at->second.next.value_or(0);
    return batch.records.front().sequence <= std::max(next, batch.released);
}

bool recorder::take(std::span<record_batch const> batches) {
    if (batches.empty()) return true;
    auto const marks = marks_;
    bool all = true;
    try {
        for (auto const& each : batches) {
            if (follows(each)) {
                add_batch(each);
            } else {
                all = false;
            }
        }
        commit();
    } catch (std::system_error const&) {
        marks_ = marks;
        throw;
    }
    acknowledge(batches);
    return all;
}

void recorder::add_batch(record_batch const& batch) {
    auto& mark = marks_[{batch.session, batch.ring}];
    record_context context{now_text(), backend_, batch.session, batch.ring, nullptr, {}, {}, {}};
    auto const now = std::chrono::steady_clock::now();
    left_out beyond;
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
        auto const& each = batch.records[i];
        if (mark.next && each.sequence < *mark.next) continue;
        if (mark.next && each.sequence > *mark.next) {
            add_gap(batch, "lost", each.sequence - *mark.next,
                    "records were lost between hv.ko and hvd");
        }
        mark.next = each.sequence + 1;
        context.rule = names_.name_of(each.rule);
        context.called = called(each);
        if (may_be_limited(each) && !allows(each.rule, context.rule, now)) {
            ++beyond[{each.rule, record_vm(each, context.called)}];
            continue;
        }
        context.symbol = batch.symbols.at(i);
        context.process = batch.processes.at(i);
        add(record_json(each, context));
    }
    if (!beyond.empty()) add_limited(batch, *mark.next - 1, beyond);
    if (batch.dropped > mark.dropped) {
        add_gap(batch, "dropped", batch.dropped - mark.dropped,
                "records were dropped: the ring was full");
        mark.dropped = batch.dropped;
    }
}

/// The name that we have for what the record tells by number.
std::string recorder::called(hv_record const& record) const {
    if (record.kind == HV_RECORD_POLICY_MARKED) {
        return names_.marker_name(static_cast<std::uint32_t>(record.address));
    }
    if (!is_of_guest(record) || !users_) return {};
    return users_(user_of(record));
}

bool recorder::allows(std::uint32_t rule, rule_name const* known, rate_limit::instant now) {
    auto const rate = known == nullptr ? rule_rate{} : known->terms.rate;
    if (rate.records == 0) return limit_.allows(rule, now);
    return limit_.allows(
        rule, now,
        {static_cast<double>(rate.records) / static_cast<double>(rate.seconds), rate.records});
}

void recorder::add_gap(record_batch const& of, char const* kind, std::uint64_t count,
                       char const* message) {
    ordered_json line{{"time", now_text()},
                      {"session", hex(of.session)},
                      {"ring", of.ring},
                      {"dropped_total", of.dropped}};
    add_common_fields(line, kind);
    line["count"] = count;
    line["message"] = std::to_string(count) + " " + message;
    add(line);
}

/// In the same commit as the records around them, so before hv.ko may forget any. `last` stands
/// for all records up to it, for who looks for the place where the log ends.
void recorder::add_limited(record_batch const& of, std::uint64_t last, left_out const& counts) {
    for (auto const& [what, count] : counts) {
        auto const& [rule, vm] = what;
        ordered_json line{{"time", now_text()},
                          {"session", hex(of.session)},
                          {"ring", of.ring},
                          {"sequence", last}};
        add_common_fields(line, "limited");
        line["vm"] = vm;
        auto name = rule == 0 ? std::string{"the core"} : "rule " + std::to_string(rule);
        if (auto const* const known = names_.name_of(rule)) {
            line["policy"] = known->policy;
            line["rule"] = known->rule;
            name = known->policy + "/" + known->rule;
        }
        line["rule_id"] = rule;
        line["count"] = count;
        line["message"] = counted(count, "record") + " of " + name + " left out: too many at once";
        add(line);
    }
}

void recorder::add(ordered_json const& line) {
    lines_.push_back(
        log_.append(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

void recorder::commit() {
    auto const lines = std::exchange(lines_, {});
    log_.commit();
    if (!listener_) return;
    for (auto const& each : lines) {
        listener_(each);
    }
}

void recorder::acknowledge(std::span<record_batch const> batches) {
    std::map<ring_of_session, std::uint64_t> due;
    for (auto const& each : batches) {
        auto const& mark = marks_[{each.session, each.ring}];
        if (mark.next && !each.records.empty()) due[{each.session, each.ring}] = *mark.next;
    }
    for (auto const& [ring, next] : due) {
        try {
            device_.records_ack(ring.first, ring.second, next);
        } catch (device_error const&) {
            // hv.ko has let go of that hoist in between, and with it of what there was to forget.
        }
    }
}

void recorder::note(std::string const& kind, std::string const& message,
                    note_subject const& about) {
    ordered_json line{{"time", now_text()}};
    add_common_fields(line, kind);
    if (!about.vm.empty()) line["vm"] = about.vm;
    if (!about.policy.empty()) line["policy"] = about.policy;
    if (!about.process.empty()) line["process"] = about.process;
    if (about.pid != 0) line["pid"] = about.pid;
    line["message"] = message;
    add(line);
    commit();
}

bool recorder::has(std::uint32_t ring, std::uint64_t written) const {
    auto const at = marks_.find({session_, ring});
    return written == 0 || (at != marks_.end() && at->second.next && *at->second.next >= written);
}

}

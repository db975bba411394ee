// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace hv {

// Lines over a blocking socket, to a process of our own that answers at once or not at all.

/// How long to wait for the other end, for each direction.
void set_patience(int socket, std::chrono::milliseconds most);
bool send_all(int socket, std::string const& text);
/// Without its newline; nothing when the other end is gone, silent for too long, or sends a line
/// longer than any is. What came after the line stays in `rest`.
std::optional<std::string> receive_line(int socket, std::string& rest);

/// One question to the control socket of a VM; nothing when it does not answer.
std::optional<std::string> ask_vm(std::string const& path, std::string const& word);

}

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace hv {

/// A folder that is gone with its owner.
class temporary_folder {
public:
    temporary_folder() {
        auto pattern = std::filesystem::temp_directory_path().string() + "/hv-test-XXXXXX";
        path_ = mkdtemp(pattern.data());
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(temporary_folder const&) = delete;
    temporary_folder& operator=(temporary_folder const&) = delete;

    std::string path(std::string const& name = {}) const {
        return name.empty() ? path_ : path_ + "/" + name;
    }
    std::string write(std::string const& name, std::string const& text) const {
        std::filesystem::create_directories(std::filesystem::path{path(name)}.parent_path());
        std::ofstream{path(name), std::ios::binary} << text;
        return path(name);
    }
    std::string read(std::string const& name) const {
        std::ifstream file{path(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

private:
    std::string path_;
};

/// The text of the exception that a call throws; empty when it throws none.
template <typename Error, typename Call> std::string refusal_of(Call call) {
    try {
        call();
    } catch (Error const& error) {
        return error.what();
    }
    return {};
}

}

#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace store
{

constexpr auto kSchema = R"json({
  "capacity": 100, "note": "a )" quote and a { brace"
})json";

template <typename Key, typename Value, class Hash = std::hash<Key>>
class LruCache final
{
public:
    using Entry = std::pair<const Key, Value>;
    using Iterator = typename std::list<Entry>::iterator;

    explicit LruCache(std::size_t capacity)
        : capacity_(capacity), hits_{0}, misses_{0}
    {
        index_.reserve(capacity);
    }

    LruCache(const LruCache&) = delete;
    LruCache& operator=(const LruCache&) = delete;
    ~LruCache() noexcept = default;

    [[nodiscard]] std::optional<Value> get(const Key& key)
    {
        auto found = index_.find(key);
        if (found == index_.end())
        {
            ++misses_;
            return std::nullopt;
        }
        ++hits_;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->second;
    }

    template <typename... Args>
    bool emplace(const Key& key, Args&&... args)
    {
        if (index_.count(key) != 0)
            return false;
        entries_.emplace_front(std::piecewise_construct, std::forward_as_tuple(key),
                               std::forward_as_tuple(std::forward<Args>(args)...));
        index_[key] = entries_.begin();
        while (index_.size() > capacity_) {
            index_.erase(entries_.back().first);
            entries_.pop_back();
        }
        return true;
    }

    void each(const std::function<void(const Entry&)>& visit) const
    {
        for (const auto& entry : entries_)
        {
            visit(entry);
        }
    }

    friend bool operator==(const LruCache& a, const LruCache& b) { return a.entries_ == b.entries_; }

private:
    std::size_t capacity_;
    std::size_t hits_, misses_;
    std::list<Entry> entries_;
    std::unordered_map<Key, Iterator, Hash> index_;
};

enum class Level : unsigned char { debug, info, error };

inline std::string name(Level level)
{
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info: {
            std::string text = "info";
            return text;
        }
        default:
            break;
    }
    auto upper = [&, count = 0](char c) mutable -> char {
        ++count;
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    };
    std::string text = "error";
    try {
        for (auto& c : text)
            c = upper(c);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        throw;
    }
    return text;
}

extern template class LruCache<int, std::string>;

}  // namespace store

// A team of threads that walk through the same stages together and share out each stage's items.
// Waiting spins first and yields soon: beside a busy neighbour a spinning barrier would starve it
// and itself, and sleeping at every stage would cost more than the stage.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
inline void breathe() { _mm_pause(); }
#else
inline void breathe() { std::this_thread::yield(); }
#endif

constexpr int SPINS = 4000;         // at a barrier, before yielding: some ten microseconds
constexpr int IDLE_SPINS = 40000;   // between two calls, before sleeping

struct alignas(64) Counter { std::atomic<int> next{0}; };

class Team {
public:
    const int size;

    explicit Team(int threads) : size(threads) {
        for (int i = 1; i < threads; i++) members.emplace_back([this, i] { live(i); });
    }

    ~Team() {
        closing = true;
        round.fetch_add(1);
        round.notify_all();
        for (auto& member : members) member.join();
    }

    // Every thread calls `work(thread)` once; returns when all are done. `stages` bounds `share`.
    void run(int stages, const std::function<void(int)>& work) {
        if ((int)counters.size() < stages) counters = std::vector<Counter>(stages);
        for (int i = 0; i < stages; i++) counters[i].next.store(0, std::memory_order_relaxed);
        task = &work;
        round.fetch_add(1, std::memory_order_release);
        round.notify_all();
        work(0);
        barrier();
    }

    // One stage: whoever is free takes the next items. The stage ends for all together.
    template <class Item> void share(int stage, int items, int grain, Item item) {
        auto& next = counters[stage].next;
        for (int at = next.fetch_add(grain); at < items; at = next.fetch_add(grain))
            for (int i = at; i < std::min(items, at + grain); i++) item(i);
        barrier();
    }

private:
    std::vector<std::thread> members;
    std::vector<Counter> counters;
    const std::function<void(int)>* task = nullptr;
    alignas(64) std::atomic<uint32_t> round{0};
    alignas(64) std::atomic<int> arrived{0};
    alignas(64) std::atomic<uint32_t> passed{0};
    std::atomic<bool> closing{false};

    void barrier() {
        const uint32_t before = passed.load(std::memory_order_acquire);
        if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
            arrived.store(0, std::memory_order_relaxed);
            passed.store(before + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; passed.load(std::memory_order_acquire) == before; spins++)
            spins < SPINS ? breathe() : std::this_thread::yield();
    }

    void live(int thread) {
        uint32_t seen = 0;
        for (;;) {
            for (int spins = 0; round.load(std::memory_order_acquire) == seen; spins++) {
                if (spins < IDLE_SPINS) breathe();
                else round.wait(seen, std::memory_order_acquire);
            }
            seen++;
            if (closing) return;
            (*task)(thread);
            barrier();
        }
    }
};

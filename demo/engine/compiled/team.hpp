// A team of threads that walk through the same stages and share out each stage's items.
//
// A stage ends when its items are done, not when every thread has come: a thread that a busy
// neighbour keeps off its core holds up nobody, and catches up later. Waiting spins first and
// yields soon, because sleeping at every stage would cost more than the stage.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
inline void breathe() { _mm_pause(); }
#else
inline void breathe() { std::this_thread::yield(); }
#endif

constexpr int SPINS = 2000;        // at the end of a stage, before yielding: some ten microseconds
constexpr int IDLE_SPINS = 20000;  // between two calls, before sleeping

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

    // `work(thread)` is called by this thread and by every member that is awake in time; it walks
    // through `stages` calls of `share`, the same ones for every thread.
    void run(int stages, const std::function<void(int)>& work) {
        if ((int)counters.size() < stages) counters = std::vector<Stage>(stages);
        for (int i = 0; i < stages; i++) counters[i].next = 0, counters[i].done = 0;
        task = &work;
        open = true;
        round.fetch_add(1);
        round.notify_all();
        work(0);
        open = false;
        wait([&] { return inside.load() == 0; });
    }

    // One stage: whoever is free takes the next items. Returns when all of them are done.
    template <class Item> void share(int stage, int items, int grain, Item item) {
        Stage& counter = counters[stage];
        for (int at; (at = counter.next.fetch_add(grain, std::memory_order_relaxed)) < items;) {
            const int end = std::min(items, at + grain);
            for (int i = at; i < end; i++) item(i);
            counter.done.fetch_add(end - at, std::memory_order_acq_rel);
        }
        wait([&] { return counter.done.load(std::memory_order_acquire) >= items; });
    }

private:
    struct alignas(64) Stage { std::atomic<int> next{0}, done{0}; };

    std::vector<std::thread> members;
    std::vector<Stage> counters;
    const std::function<void(int)>* task = nullptr;
    alignas(64) std::atomic<uint32_t> round{0};
    alignas(64) std::atomic<int> inside{0};
    std::atomic<bool> open{false}, closing{false};

    template <class Condition> static void wait(Condition holds) {
        for (int spins = 0; !holds(); spins++) spins < SPINS ? breathe() : std::this_thread::yield();
    }

    void live(int thread) {
        for (uint32_t seen = 0;;) {
            for (int spins = 0; round.load() == seen; spins++)
                spins < IDLE_SPINS ? breathe() : round.wait(seen);
            seen = round.load();
            if (closing) return;
            inside.fetch_add(1);  // before looking whether the work is still open: see `run`
            if (open) (*task)(thread);
            inside.fetch_sub(1);
        }
    }
};

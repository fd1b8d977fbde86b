// Device memory. Every access of a kernel is checked: its alignment, whether it is inside of an allocation, whether the word was written before, and
// whether another thread writes it, or reads what is written, with no barrier between the two.
#include "driver.h"
#include <sys/mman.h>

enum { ALIGNMENT = 256, GUARD = 256 };
#define RESERVED (64ull << 30)

static void *reserve(uint64_t size, int protection)
{
    void *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static uint64_t shadowSize(uint64_t size) { return size / 4 * sizeof(Shadow); }

bool heapCreate(Heap *heap)
{
    memset(heap, 0, sizeof *heap);
    heap->base = (uint64_t)reserve(RESERVED, PROT_NONE);
    heap->bytes = reserve(RESERVED, PROT_READ | PROT_WRITE);
    heap->shadow = reserve(shadowSize(RESERVED), PROT_READ | PROT_WRITE);
    heap->next = heap->base + ALIGNMENT;
    return heap->base && heap->bytes && heap->shadow;
}

void heapDestroy(Heap *heap)
{
    munmap((void *)heap->base, RESERVED);
    munmap(heap->bytes, RESERVED);
    munmap(heap->shadow, shadowSize(RESERVED));
    free(heap->allocations);
}

uint64_t heapAllocate(Heap *heap, uint64_t size)
{
    uint64_t used = (size + GUARD + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (heap->next + used > heap->base + RESERVED) {
        return 0;
    }
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? 2 * heap->capacity : 256;
        heap->allocations = realloc(heap->allocations, heap->capacity * sizeof(Allocation));
    }
    uint64_t address = heap->next;
    heap->allocations[heap->count++] = (Allocation){ .base = address, .size = size };
    heap->next += used;
    heap->live += size;
    return address;
}

bool heapOwns(const Heap *heap, uint64_t address) { return address - heap->base < RESERVED; }

// The last allocation that begins at or before the address.
const Allocation *heapFind(const Heap *heap, uint64_t address)
{
    int low = 0, high = heap->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (heap->allocations[middle].base <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? &heap->allocations[low - 1] : NULL;
}

static uint8_t *bytesOf(const Heap *heap, uint64_t address) { return heap->bytes + (address - heap->base); }

static Shadow *shadowOf(const Heap *heap, uint64_t address) { return heap->shadow + (address - heap->base) / 4; }

bool heapFree(Heap *heap, uint64_t address)
{
    Allocation *found = (Allocation *)heapFind(heap, address);
    if (!found || found->base != address || found->freed) {
        return false;
    }
    found->freed = true;
    heap->live -= found->size;
    // Whole pages return to the system.
    uint64_t first = (address + 4095) / 4096 * 4096, end = (address + found->size) / 4096 * 4096;
    if (end > first) {
        uint64_t offset = first - heap->base;
        madvise(heap->bytes + offset, end - first, MADV_DONTNEED);
        madvise(heap->shadow + offset / 4, shadowSize(end - first), MADV_DONTNEED);
    }
    return true;
}

static bool inside(const Allocation *a, uint64_t address, uint64_t size)
{
    return a && !a->freed && address >= a->base && address - a->base <= a->size && size <= a->size - (address - a->base);
}

static void describe(const Heap *heap, uint64_t address, uint64_t size, char *text, size_t length)
{
    const Allocation *a = heapFind(heap, address);
    if (!heapOwns(heap, address)) {
        snprintf(text, length, "%#lx is not device memory of this context", address);
    } else if (a && a->freed && address < a->base + a->size) {
        snprintf(text, length, "%lu bytes at offset %lu of %lu bytes that were freed", size, address - a->base, a->size);
    } else if (a) {
        snprintf(text, length, "%lu bytes at offset %lu of %lu bytes", size, address - a->base, a->size);
    } else {
        snprintf(text, length, "%#lx was never allocated", address);
    }
}

uint8_t *heapRange(Heap *heap, uint64_t address, uint64_t size, char *text, size_t length)
{
    if (heapOwns(heap, address) && inside(heapFind(heap, address), address, size)) {
        return bytesOf(heap, address);
    }
    describe(heap, address, size, text, length);
    return NULL;
}

void heapMarkWritten(Heap *heap, uint64_t address, uint64_t size)
{
    Shadow *end = shadowOf(heap, address + size + 3);
    for (Shadow *s = shadowOf(heap, address); s < end; s++) {
        *s = (Shadow){ BY_HOST, 0 };
    }
}

void heapCopyMarks(Heap *heap, uint64_t to, uint64_t from, uint64_t size)
{
    Shadow *target = shadowOf(heap, to), *source = shadowOf(heap, from);
    bool backwards = target > source;
    for (uint64_t k = 0, n = (size + 3) / 4; k < n; k++) {
        uint64_t at = backwards ? n - 1 - k : k;
        target[at] = (Shadow){ source[at].write ? BY_HOST : 0, 0 };
    }
}

// ---- accesses of kernels ----

static uint64_t phaseOf(uint64_t entry) { return (entry & ~OTHER_GROUPS) >> 11; }

static int threadOf(uint64_t entry) { return entry & 2047; }

static _Noreturn void race(Group *g, const Instruction *i, int thread, const char *what, const char *other, uint64_t entry, uint64_t offset, bool isShared)
{
    char who[64];
    if (phaseOf(entry) < g->groupPhase || threadOf(entry) == SEVERAL) {
        snprintf(who, sizeof who, "%s", phaseOf(entry) < g->groupPhase ? "another group" : "other threads");
    } else {
        snprintf(who, sizeof who, "thread %d", threadOf(entry));
    }
    fail(g, LAUNCH_FAILED, i, thread, "race: %s byte %lu of %s memory, which %s %s with no barrier between them", what, offset,
        isShared ? "shared" : "global", who, other);
}

static void checkWord(Group *g, const Instruction *i, int thread, Shadow *s, uint64_t offset, bool isShared, bool isWrite, bool isSame)
{
    uint64_t mine = g->phase << 11 | thread, written = phaseOf(s->write), read = phaseOf(s->read);
    // Shared memory begins anew with every group.
    uint64_t since = isShared ? g->groupPhase : g->launchPhase;
    // Groups run one after another: what an earlier group of this launch wrote is a race, whichever would be first on a device. Writing what is there is none.
    bool otherWrote = written >= since && (written < g->groupPhase || (written == g->phase && threadOf(s->write) != thread));
    if (!isWrite) {
        if (otherWrote) {
            race(g, i, thread, "reads", "wrote", s->write, offset, isShared);
        }
        if (isShared ? written < g->groupPhase : s->write == 0) {
            fail(g, LAUNCH_FAILED, i, thread, "reads byte %lu of %s memory, which was never written", offset, isShared ? "shared" : "global");
        }
        if (read == g->phase) {
            s->read = threadOf(s->read) == thread ? s->read : (s->read & ~2047ull) | SEVERAL;
        } else {
            bool others = read >= since && (read < g->groupPhase || (s->read & OTHER_GROUPS));
            s->read = mine | (others ? OTHER_GROUPS : 0);
        }
        return;
    }
    if (otherWrote && !isSame) {
        race(g, i, thread, "writes", "wrote", s->write, offset, isShared);
    }
    bool otherRead = read >= since
        && (read < g->groupPhase || (s->read & OTHER_GROUPS) || (read == g->phase && threadOf(s->read) != thread));
    if (otherRead && !isSame) {
        race(g, i, thread, "writes", "read", s->read, offset, isShared);
    }
    s->write = mine;
}

uint8_t *checkAccess(Group *g, const Instruction *i, int thread, uint64_t address, int size, bool isShared, const void *value)
{
    uint8_t *bytes;
    Shadow *shadow;
    uint64_t offset;
    if (address & (size - 1)) {
        fail(g, MISALIGNED_ADDRESS, i, thread, "an access of %d bytes is not aligned: %#lx", size, address);
    }
    if (isShared) {
        bool isDynamic = address >= MAX_SHARED;
        uint64_t in = isDynamic ? address - MAX_SHARED : address, all = isDynamic ? g->dynamicShared : g->staticShared;
        if (in > all || (uint64_t)size > all - in) {
            fail(g, ILLEGAL_ADDRESS, i, thread, "%d bytes at offset %lu of %lu bytes of shared memory", size, in, all);
        }
        bytes = g->shared + address;
        shadow = g->sharedShadow + address / 4;
        offset = address;
    } else {
        const Allocation *a = g->recent;
        if (!inside(a, address, size)) {
            a = heapOwns(g->heap, address) ? heapFind(g->heap, address) : NULL;
            if (!inside(a, address, size)) {
                char text[256];
                describe(g->heap, address, size, text, sizeof text);
                fail(g, ILLEGAL_ADDRESS, i, thread, "%s", text);
            }
            g->recent = a;
        }
        bytes = bytesOf(g->heap, address);
        shadow = shadowOf(g->heap, address);
        offset = address - a->base;
    }
    if (size < 4) {
        // Words are followed, not bytes: neighboring bytes are no race.
        shadow->write = value ? g->phase << 11 | thread : shadow->write;
        return bytes;
    }
    bool isSame = value && memcmp(bytes, value, size) == 0;
    for (int k = 0; k < size / 4; k++) {
        checkWord(g, i, thread, shadow + k, offset + 4 * k, isShared, value != NULL, isSame);
    }
    return bytes;
}

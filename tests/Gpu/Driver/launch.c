// A launch: the groups of the grid one after another, the threads of a group together. Threads that a branch separates run one part after the other and go on
// together where its ways meet; a barrier must be reached by all of them.
#include "driver.h"

_Noreturn void fail(Group *g, int status, const Instruction *i, int thread, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(g->fault, sizeof g->fault, "kernel %s, group %u, thread %d, line %d of its PTX: %s", g->kernel->name, g->group[0], thread, i ? i->line : 0, what);
    g->status = status;
    longjmp(g->abort, 1);
}

// Threads that go on at a block, and stop where they meet the others.
typedef struct {
    int block, join, alive;                      // alive: of the group when this was last looked at
    Threads threads;
    uint16_t list[MAX_THREADS];
} Part;

static int thread(const Threads *s, int k) { return s->list ? s->list[k] : s->first + k; }

// A list of neighbors is a range.
static Threads threadsOf(const uint16_t *list, int count)
{
    bool isRange = count > 0 && list[count - 1] - list[0] == count - 1;
    return isRange ? (Threads){ count, list[0], list[0] + count, NULL } : (Threads){ count, 0, 0, list };
}

// Sorts the threads into those for which a predicate holds and the others.
static int split(const Group *g, const Instruction *i, const Threads *s, uint16_t *holds, uint16_t *others)
{
    const uint32_t *predicate = g->registers + (size_t)i->predicate * g->stride;
    int n = 0, m = 0, set = 0;
    for (int t = s->first; t < s->end; t++) {
        set += predicate[t] != 0;
    }
    if (!s->list && (set == 0 || set == s->count)) {
        // All of a range agree.
        n = (set == s->count) != i->negated ? s->count : 0;
        for (int k = 0; k < n; k++) {
            holds[k] = s->first + k;
        }
        return n;
    }
    for (int k = 0; k < s->count; k++) {
        int t = thread(s, k);
        if ((predicate[t] != 0) != i->negated) {
            holds[n++] = t;
        } else {
            others[m++] = t;
        }
    }
    return n;
}

static void kill(Group *g, const Threads *s)
{
    for (int k = 0; k < s->count; k++) {
        g->isAlive[thread(s, k)] = 0;
    }
    g->alive -= s->count;
}

static void dropDead(Group *g, Part *part)
{
    int n = 0;
    uint16_t list[MAX_THREADS];
    for (int k = 0; k < part->threads.count; k++) {
        int t = thread(&part->threads, k);
        if (g->isAlive[t]) {
            list[n++] = t;
        }
    }
    memcpy(part->list, list, n * sizeof *list);
    part->threads = threadsOf(part->list, n);
    part->alive = g->alive;
}

static void runBlock(Group *g, const Block *block, const Threads *s)
{
    uint16_t holds[MAX_THREADS], others[MAX_THREADS];
    for (int k = block->first; k < block->end; k++) {
        const Instruction *i = &g->kernel->code[k];
        if (i->predicate < 0) {
            i->run(i, g, s);
            continue;
        }
        Threads some = threadsOf(holds, split(g, i, s, holds, others));
        if (some.count) {
            i->run(i, g, &some);
        }
    }
    g->executed += (int64_t)(block->end - block->first + (block->kind != NO_BRANCH)) * s->count;
    if (g->executed > g->budget) {
        fail(g, LAUNCH_TIMEOUT, &g->kernel->code[block->first], thread(s, 0), "more than %ld instructions", g->budget);
    }
}

static void runGroup(Group *g, Part *parts)
{
    const Kernel *kernel = g->kernel;
    int depth = 0;
    parts[0] = (Part){ .block = 0, .join = -1, .alive = g->threads, .threads = { g->threads, 0, g->threads, NULL } };
    while (depth >= 0) {
        Part *part = &parts[depth];
        if (part->alive != g->alive) {
            dropDead(g, part);
        }
        if (part->threads.count == 0 || part->block == part->join) {
            depth--;
            continue;
        }
        int at = part->block;
        const Block *block = &kernel->blocks[at];
        runBlock(g, block, &part->threads);
        if (block->kind == NO_BRANCH) {
            part->block++;
            continue;
        }
        const Instruction *branch = &kernel->code[block->end];
        uint16_t holds[MAX_THREADS], others[MAX_THREADS];
        int all = part->threads.count, n = all;
        if (branch->predicate >= 0) {
            n = split(g, branch, &part->threads, holds, others);
        }
        if (n == 0) {
            part->block++;
        } else if (n == all) {
            part->block = block->target;
            if (block->kind == RETURN) {
                kill(g, &part->threads);
            }
        } else if (block->kind == RETURN) {
            Threads some = threadsOf(holds, n);
            kill(g, &some);
            part->block++;
        } else {
            // What waits for the join: nothing more than what is below, if that waits there already.
            int join = block->join;
            if (join == part->join) {
                depth--;
            } else {
                part->block = join;
            }
            int next[2] = { at + 1, block->target }, counts[2] = { all - n, n };
            for (int way = 0; way < 2; way++) {
                if (next[way] == join) {
                    continue;
                }
                if (++depth == MAX_DEPTH) {
                    fail(g, LAUNCH_FAILED, branch, 0, "more than %d nested branches", MAX_DEPTH);
                }
                Part *to = &parts[depth];
                memcpy(to->list, way ? holds : others, counts[way] * sizeof *holds);
                to->block = next[way];
                to->join = join;
                to->alive = g->alive;
                to->threads = threadsOf(to->list, counts[way]);
            }
        }
    }
}

static void set(Group *g, uint32_t slot, uint32_t value)
{
    for (uint32_t t = 0; t < g->stride; t++) {
        g->registers[(size_t)slot * g->stride + t] = value;
    }
}

static void prepare(Group *g, const uint32_t grid[3], const uint32_t block[3])
{
    const Kernel *kernel = g->kernel;
    for (int k = 0; k < kernel->constantCount; k++) {
        const Constant *c = &kernel->constants[k];
        for (uint32_t t = 0; t < g->stride; t++) {
            if (c->wide) {
                ((uint64_t *)(g->registers + (size_t)c->slot * g->stride))[t] = c->bits;
            } else {
                g->registers[(size_t)c->slot * g->stride + t] = c->bits;
            }
        }
    }
    for (int axis = 0; axis < 3; axis++) {
        set(g, NTID + axis, block[axis]);
        set(g, NCTAID + axis, grid[axis]);
    }
    for (int t = 0; t < g->threads; t++) {
        uint32_t index[3] = { t % block[0], t / block[0] % block[1], t / block[0] / block[1] };
        for (int axis = 0; axis < 3; axis++) {
            g->registers[(TID + axis) * (size_t)g->stride + t] = index[axis];
        }
        g->registers[LANEID * (size_t)g->stride + t] = t % WARP;
    }
}

int execute(Heap *heap, const Kernel *kernel, const uint32_t grid[3], const uint32_t block[3], uint64_t dynamicShared, const uint8_t *parameters,
    uint64_t *phase, int64_t *executed, char *text, size_t length)
{
    Group *g = calloc(1, sizeof *g);
    Part *parts = malloc(MAX_DEPTH * sizeof *parts);
    uint64_t shared = MAX_SHARED + dynamicShared;
    *g = (Group){ .heap = heap, .kernel = kernel, .parameters = parameters, .staticShared = kernel->sharedBytes, .dynamicShared = dynamicShared };
    g->threads = block[0] * block[1] * block[2];
    g->stride = (g->threads + 15) / 16 * 16;
    g->budget = 1ll << 34;
    g->registers = aligned_alloc(64, (size_t)kernel->slots * g->stride * sizeof(uint32_t));
    memset(g->registers, 0xFF, (size_t)kernel->slots * g->stride * sizeof(uint32_t));
    g->isAlive = malloc(g->threads);
    g->shared = malloc(shared);
    g->sharedShadow = kernel->sharedBytes || dynamicShared ? calloc(shared / 4 + 1, sizeof(Shadow)) : NULL;
    g->launchPhase = *phase + 1;
    g->phase = *phase;
    if (setjmp(g->abort) == 0) {
        prepare(g, grid, block);
        for (uint32_t z = 0; z < grid[2]; z++) {
            for (uint32_t y = 0; y < grid[1]; y++) {
                for (uint32_t x = 0; x < grid[0]; x++) {
                    uint32_t index[3] = { x, y, z };
                    for (int axis = 0; axis < 3; axis++) {
                        g->group[axis] = index[axis];
                        set(g, CTAID + axis, index[axis]);
                    }
                    g->groupPhase = ++g->phase;
                    g->alive = g->threads;
                    memset(g->isAlive, 1, g->threads);
                    runGroup(g, parts);
                }
            }
        }
    }
    int status = g->status;
    *phase = g->phase;
    *executed += g->executed;
    snprintf(text, length, "%s", g->fault);
    free(g->registers);
    free(g->isAlive);
    free(g->shared);
    free(g->sharedShadow);
    free(g);
    free(parts);
    return status;
}

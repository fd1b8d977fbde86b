// The blocks of a kernel, and where the threads that a branch separates meet again.
#include "driver.h"

static int successors(const Kernel *k, int b, int next[2])
{
    const Block *block = &k->blocks[b];
    int n = 0;
    if (block->kind != NO_BRANCH) {
        next[n++] = block->kind == RETURN ? k->blockCount : block->target;
    }
    if (block->kind == NO_BRANCH || k->code[block->end].predicate >= 0) {
        next[n++] = b + 1;
    }
    return n;
}

// The immediate postdominator of every block, by sets of postdominators; block n is the exit.
static void findJoins(Kernel *k)
{
    int n = k->blockCount, words = (n + 64) / 64, next[2];
    uint64_t *sets = malloc((n + 1) * words * sizeof *sets), *set = malloc(words * sizeof *set);
    memset(sets, 0xFF, (n + 1) * words * sizeof *sets);
    memset(sets + n * words, 0, words * sizeof *sets);
    sets[n * words + n / 64] |= 1ull << n % 64;
    for (bool changed = true; changed;) {
        changed = false;
        for (int b = n - 1; b >= 0; b--) {
            memset(set, 0xFF, words * sizeof *set);
            for (int s = successors(k, b, next) - 1; s >= 0; s--) {
                for (int w = 0; w < words; w++) {
                    set[w] &= sets[next[s] * words + w];
                }
            }
            set[b / 64] |= 1ull << b % 64;
            changed |= memcmp(set, sets + b * words, words * sizeof *set) != 0;
            memcpy(sets + b * words, set, words * sizeof *set);
        }
    }
    int *sizes = calloc(n + 1, sizeof(int));
    for (int b = 0; b <= n; b++) {
        for (int c = 0; c <= n; c++) {
            sizes[b] += sets[b * words + c / 64] >> c % 64 & 1;
        }
    }
    for (int b = 0; b < n; b++) {
        k->blocks[b].join = -1;
        for (int c = 0; c < n; c++) {
            if (c != b && (sets[b * words + c / 64] >> c % 64 & 1) && sizes[c] == sizes[b] - 1) {
                k->blocks[b].join = c;
            }
        }
    }
    free(sets);
    free(set);
    free(sizes);
}

void findBlocks(Kernel *k)
{
    int *blockAt = calloc(k->length + 1, sizeof(int));
    blockAt[0] = 1;
    for (int i = 0; i < k->length; i++) {
        const Instruction *branch = &k->code[i];
        if (branch->run == NULL) {
            blockAt[i + 1] = 1;
        }
        if (branch->target >= 0) {
            blockAt[branch->target] = 1;
        }
    }
    k->blocks = calloc(k->length, sizeof(Block));
    for (int i = 0; i < k->length; i++) {
        if (blockAt[i]) {
            k->blocks[k->blockCount].first = i;
            blockAt[i] = k->blockCount++;
        }
    }
    for (int b = 0; b < k->blockCount; b++) {
        Block *block = &k->blocks[b];
        block->end = b + 1 < k->blockCount ? k->blocks[b + 1].first : k->length;
        const Instruction *last = &k->code[block->end - 1];
        if (last->run == NULL) {
            block->end--;
            block->kind = last->target < 0 ? RETURN : BRANCH;
            block->target = last->target < 0 ? -1 : blockAt[last->target];
        }
    }
    free(blockAt);
    findJoins(k);
}

// A CUDA driver over host memory, for tests: it interprets PTX and reports what a kernel or the host does wrong.
//
//   memory.c        device memory, with bounds, initialization and races of every access
//   parse.c         PTX text to decoded instructions
//   blocks.c        their blocks, and where branches meet again
//   instructions.c  the instructions, each a loop over threads
//   launch.c        the threads of a group: divergence, barriers, shared memory
//   stream.c        streams, which begin their work as late as CUDA allows; events; captures and graphs
//   api.c           contexts, modules, memory: the functions that ILGPU calls
#pragma once
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// CUresult of cuda.h.
enum {
    OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, INVALID_PTX = 218, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600,
    ILLEGAL_ADDRESS = 700, LAUNCH_TIMEOUT = 702, MISALIGNED_ADDRESS = 716, LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901,
    GRAPH_EXEC_UPDATE_FAILURE = 910,
};

enum { MAX_THREADS = 1024, WARP = 32, MAX_SHARED = 48 << 10, MAX_DYNAMIC_SHARED = 227 << 10, MAX_OPERANDS = 16, MAX_DEPTH = 64 };

// ---- memory ----

// Who wrote and who read a word of four bytes last. A phase is the time between two barriers of one group; phases are numbered through all launches.
// An entry is phase << 11 | thread. Writes: 0 is a word that was never written.
typedef struct {
    uint64_t write, read;
} Shadow;

enum { SEVERAL = MAX_THREADS };                  // the thread of a read by several threads
#define OTHER_GROUPS (1ull << 63)                // of a read: groups of this launch before this one read it too
#define SHARED_WINDOW 0x1000000ull                // where shared memory begins in generic addresses
#define BY_HOST 1ull                             // of a write: a copy or a fill

typedef struct {
    uint64_t base, size;
    bool freed;
} Allocation;

// Device addresses are reserved and cannot be dereferenced by the host: the bytes are elsewhere. Addresses are not used twice.
typedef struct {
    uint64_t base, next, live;                   // reserved addresses, the first unused one, bytes allocated
    uint8_t *bytes;
    Shadow *shadow;
    Allocation *allocations;                     // by address
    int count, capacity;
} Heap;

// ---- programs ----

typedef struct Group Group;
typedef struct Instruction Instruction;

// Threads: a range, or a list of them in order.
typedef struct {
    int count, first, end;
    const uint16_t *list;                        // null: first .. end - 1
} Threads;

typedef void (*Run)(const Instruction *, Group *, const Threads *);

// Registers, constants and special registers are slots: arrays of one element per thread.
struct Instruction {
    Run run;
    uint32_t slot[MAX_OPERANDS];
    int64_t offset;                              // of an address
    uint8_t size, lanes, space, wide;            // of an access: bytes and elements; 64-bit registers
    bool isSigned, negated;
    int32_t predicate;                           // slot, or -1
    int32_t target;                              // of a branch: the index of an instruction, -1 for a return
    int line;
};

enum { NO_BRANCH, BRANCH, RETURN };

typedef struct {
    int first, end, kind, target, join;          // join: the block where both ways of a branch meet, or -1
} Block;

typedef struct {
    uint64_t bits;
    uint32_t slot;
    bool wide;
} Constant;

typedef struct {
    char name[256];
    Instruction *code;
    Block *blocks;
    Constant *constants;
    int length, blockCount, constantCount;
    uint32_t slots;
    int parameterBytes, sharedBytes;             // sharedBytes: without dynamic shared memory
} Kernel;

typedef struct {
    Kernel **kernels;
    int count;
} Program;

// Slots of the special registers, in this order.
enum { TID, NTID = TID + 3, CTAID = NTID + 3, NCTAID = CTAID + 3, LANEID = NCTAID + 3, FIRST_FREE };

// The threads of a group while they run.
struct Group {
    Heap *heap;
    const Kernel *kernel;
    const uint8_t *parameters;
    uint32_t *registers, stride;                 // slot s of thread t: registers[s * stride + t]
    uint32_t group[3];
    int threads, alive;
    uint8_t *isAlive;
    uint8_t *shared;
    Shadow *sharedShadow;
    uint64_t staticShared, dynamicShared;        // bytes; the dynamic ones begin at MAX_SHARED
    uint64_t launchPhase, groupPhase, phase;     // the first of the launch, the first of the group, the current one
    const Allocation *recent;                    // the allocation of the last access
    int64_t executed, budget;
    jmp_buf abort;
    int status;
    char fault[1024];
};

// Ends the launch with an error.
_Noreturn void fail(Group *g, int status, const Instruction *i, int thread, const char *format, ...) __attribute__((format(printf, 5, 6)));

bool heapCreate(Heap *heap);
void heapDestroy(Heap *heap);
uint64_t heapAllocate(Heap *heap, uint64_t size);
bool heapFree(Heap *heap, uint64_t address);
const Allocation *heapFind(const Heap *heap, uint64_t address);
bool heapOwns(const Heap *heap, uint64_t address);
// The bytes of a range of device memory, or null if it is not inside of one allocation: then the reason is in text.
uint8_t *heapRange(Heap *heap, uint64_t address, uint64_t size, char *text, size_t length);
void heapMarkWritten(Heap *heap, uint64_t address, uint64_t size);
void heapCopyMarks(Heap *heap, uint64_t to, uint64_t from, uint64_t size);

// Checks an access of a kernel and returns its bytes. value: what a write is about to store, else null.
uint8_t *checkAccess(Group *g, const Instruction *i, int thread, uint64_t address, int size, bool isShared, const void *value);

Program *parse(const char *ptx, char *text, size_t length);
void freeProgram(Program *program);
void findBlocks(Kernel *kernel);

// The operands of an instruction: one letter each, see instructions.c.
typedef struct {
    const char *name, *operands;
    Run run;
} Opcode;
const Opcode *findOpcode(const char *name);
extern const Run loads[4], stores[4];            // generic, global, shared, parameter

// Launches a grid to its end. Returns a CUresult; text is set where it is not OK.
int execute(Heap *heap, const Kernel *kernel, const uint32_t grid[3], const uint32_t block[3], uint64_t dynamicShared, const uint8_t *parameters,
    uint64_t *phase, int64_t *executed, char *text, size_t length);

// ---- contexts ----

typedef enum { STREAM = 1, EVENT, MODULE, FUNCTION, GRAPH, EXECUTABLE } Kind;

typedef struct Object {
    Kind kind;
    struct Object *next;
} Object;

typedef struct {
    Object object;
    const Kernel *kernel;
} Function;

typedef struct {
    Object object;
    Program *program;
    Function **functions;
} Module;

typedef struct {
    Object object;
    int64_t time;                                // nanoseconds, of its record
    bool pending;
} Event;

// What a stream has to do. A node of a graph is one, too.
typedef enum { LAUNCH, COPY, FILL, RECORD } Work;

typedef struct {
    Work work;
    const Function *function;
    uint32_t grid[3], block[3], dynamicShared;
    uint8_t *parameters;
    uint64_t to, from, size;                     // COPY, FILL
    uint8_t value;                               // FILL
    Event *event;                                // RECORD
} Node;

typedef struct {
    Object object;
    Node *nodes;
    int count, capacity;
} Graph;                                         // also an executable, and the queue of a stream

typedef struct {
    Object object;
    Graph queue;
    Graph *capture;
} Stream;

typedef struct {
    uint64_t base, size;
    bool owned;
} Pinned;

// For tests. The order is that of DriverCounters.
typedef struct {
    int64_t launches, captured, graphLaunches, instantiations, updates, refusedUpdates, changedNodes, changedBytes, copies, instructions, faults, live;
} Counters;

typedef struct Context {
    pthread_mutex_t mutex;
    Heap heap;
    Object *objects;
    Stream *defaultStream;
    Pinned *pinned;
    int pinnedCount;
    uint64_t phase;
    int status;                                  // of a kernel that failed: nothing works in the context after it
    Counters counters;
    char changes[4096];                          // a line for every node that the last update of a graph changed
} Context;

int report(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
Context *enter(void);
int leave(Context *context, int status);
void *add(Context *context, Kind kind, size_t size);
bool has(Context *context, const void *object, Kind kind);
void removeObject(Context *context, void *object);
int push(Context *context, Stream *stream, Node node);
int finish(Context *context, Stream *stream);
int finishAll(Context *context);
Stream *streamOf(Context *context, void *handle);
bool isCapturing(const Context *context);
int unpin(Context *context, uint64_t base);
bool isPinned(const Context *context, uint64_t address, uint64_t size);
void clearNodes(Graph *graph);

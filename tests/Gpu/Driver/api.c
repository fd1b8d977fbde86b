// The driver's functions that ILGPU calls, one device, and the counters of the tests.
#include "driver.h"

#define TOTAL_MEMORY (8ull << 30)

static __thread Context *current;
static __thread int lastStatus;
static __thread char lastText[1200];

// Keeps the words for a status, for cuGetErrorString.
int report(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lastText, sizeof lastText, format, arguments);
    va_end(arguments);
    lastStatus = status;
    return status;
}

Context *enter(void)
{
    if (!current) {
        fprintf(stderr, "a function of the driver is called with no context\n");
        abort();
    }
    pthread_mutex_lock(&current->mutex);
    return current;
}

int leave(Context *context, int status)
{
    context->counters.faults += status != OK && status != NOT_READY && status != GRAPH_EXEC_UPDATE_FAILURE;
    pthread_mutex_unlock(&context->mutex);
    return status;
}

void *add(Context *context, Kind kind, size_t size)
{
    Object *object = calloc(1, size);
    object->kind = kind;
    object->next = context->objects;
    context->objects = object;
    return object;
}

bool has(Context *context, const void *object, Kind kind)
{
    for (const Object *o = context->objects; o; o = o->next) {
        if (o == object) {
            return o->kind == kind;
        }
    }
    return false;
}

void removeObject(Context *context, void *object)
{
    for (Object **o = &context->objects; *o; o = &(*o)->next) {
        if (*o == object) {
            *o = (*o)->next;
            free(object);
            return;
        }
    }
}

Stream *streamOf(Context *context, void *handle)
{
    return handle == NULL ? context->defaultStream : has(context, handle, STREAM) ? handle : NULL;
}

// What waits, allocates or compiles cannot be captured.
static int refuseCapture(Context *context, const char *what)
{
    return isCapturing(context) ? report(CAPTURE_UNSUPPORTED, "%s while a stream is captured", what) : OK;
}

// ---- the device ----

int cuInit(unsigned flags) { (void)flags; return OK; }
int cuDriverGetVersion(int *version) { *version = 13000; return OK; }
int cuDeviceGet(int *device, int i) { *device = i; return i == 0 ? OK : INVALID_VALUE; }
int cuDeviceGetCount(int *count) { *count = 1; return OK; }
int cuDeviceGetName(char *name, int length, int device) { (void)device; snprintf(name, length, "PTX interpreter"); return OK; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { (void)device; *bytes = TOTAL_MEMORY; return OK; }

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    // CU_DEVICE_ATTRIBUTE_*: of an H200 where a kernel can tell.
    static const struct { int attribute, value; } known[] = {
        { 1, MAX_THREADS }, { 2, 1024 }, { 3, 1024 }, { 4, 64 }, { 5, 2147483647 }, { 6, 65535 }, { 7, 65535 }, { 8, MAX_SHARED }, { 9, 65536 }, { 10, WARP },
        { 12, 65536 }, { 13, 1980000 }, { 16, 132 }, { 36, 3201000 }, { 37, 6144 }, { 38, 62914560 }, { 39, 2048 }, { 75, 9 }, { 76, 0 }, { 81, 233472 },
        { 97, MAX_DYNAMIC_SHARED },
    };
    (void)device;
    *value = 1;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        *value = known[k].attribute == attribute ? known[k].value : *value;
    }
    return OK;
}

int cuDeviceCanAccessPeer(int *value, int a, int b) { (void)a; (void)b; *value = 0; return OK; }

int cuGetErrorString(int status, const char **text)
{
    static __thread char number[32];
    snprintf(number, sizeof number, "error %d", status);
    *text = status == lastStatus && status != OK ? lastText : number;
    return OK;
}

// ---- contexts ----

int cuCtxCreate_v2(Context **context, unsigned flags, int device)
{
    (void)flags;
    (void)device;
    Context *c = calloc(1, sizeof *c);
    if (!heapCreate(&c->heap)) {
        free(c);
        return report(OUT_OF_MEMORY, "no address space");
    }
    pthread_mutex_init(&c->mutex, NULL);
    c->defaultStream = add(c, STREAM, sizeof(Stream));
    *context = current = c;
    return OK;
}

int cuCtxDestroy_v2(Context *context)
{
    while (context->objects) {
        Object *o = context->objects;
        if (o->kind == STREAM) {
            clearNodes(&((Stream *)o)->queue);
        } else if (o->kind == GRAPH || o->kind == EXECUTABLE) {
            clearNodes((Graph *)o);
        } else if (o->kind == MODULE) {
            freeProgram(((Module *)o)->program);
            free(((Module *)o)->functions);
        }
        removeObject(context, o);
    }
    for (int k = 0; k < context->pinnedCount; k++) {
        if (context->pinned[k].owned) {
            free((void *)context->pinned[k].base);
        }
    }
    free(context->pinned);
    heapDestroy(&context->heap);
    free(context);
    current = current == context ? NULL : current;
    return OK;
}

int cuCtxSetCurrent(Context *context) { current = context; return OK; }

int cuCtxSynchronize(void)
{
    Context *context = enter();
    int refused = refuseCapture(context, "a wait for the device");
    return leave(context, refused ? refused : finishAll(context));
}

int cuCtxGetCacheConfig(int *value) { *value = 0; return OK; }
int cuCtxSetCacheConfig(int value) { (void)value; return OK; }
int cuCtxGetSharedMemConfig(int *value) { *value = 0; return OK; }
int cuCtxSetSharedMemConfig(int value) { (void)value; return OK; }

// ---- memory ----

int cuMemGetInfo_v2(size_t *unused, size_t *total)
{
    Context *context = enter();
    *total = TOTAL_MEMORY;
    *unused = TOTAL_MEMORY - context->heap.live;
    return leave(context, OK);
}

int cuMemAlloc_v2(uint64_t *address, size_t size)
{
    Context *context = enter();
    int refused = refuseCapture(context, "an allocation");
    if (refused || size == 0) {
        return leave(context, refused ? refused : report(INVALID_VALUE, "an allocation of no bytes"));
    }
    *address = context->heap.live + size > TOTAL_MEMORY ? 0 : heapAllocate(&context->heap, size);
    return leave(context, *address ? OK : report(OUT_OF_MEMORY, "out of memory: %zu bytes with %lu allocated", size, context->heap.live));
}

int cuMemFree_v2(uint64_t address)
{
    Context *context = enter();
    int status = refuseCapture(context, "a release of memory");
    status = status ? status : finishAll(context);
    if (!status && !heapFree(&context->heap, address)) {
        status = report(INVALID_VALUE, "%#lx is released, but not allocated", address);
    }
    return leave(context, status);
}

static int pin(Context *context, uint64_t base, uint64_t size, bool owned)
{
    context->pinned = realloc(context->pinned, (context->pinnedCount + 1) * sizeof(Pinned));
    context->pinned[context->pinnedCount++] = (Pinned){ base, size, owned };
    return OK;
}

int cuMemAllocHost_v2(void **memory, size_t size)
{
    Context *context = enter();
    int refused = refuseCapture(context, "an allocation");
    *memory = refused ? NULL : malloc(size);
    return leave(context, refused ? refused : pin(context, (uint64_t)*memory, size, true));
}

int cuMemFreeHost(void *memory) { Context *context = enter(); return leave(context, unpin(context, (uint64_t)memory)); }

int cuMemHostRegister_v2(void *memory, size_t size, unsigned flags)
{
    Context *context = enter();
    (void)flags;
    return leave(context, pin(context, (uint64_t)memory, size, false));
}

int cuMemHostUnregister(void *memory) { Context *context = enter(); return leave(context, unpin(context, (uint64_t)memory)); }

int cuMemHostGetDevicePointer_v2(void **device, void *host, unsigned flags) { (void)flags; *device = host; return OK; }

int cuMemcpyAsync(uint64_t to, uint64_t from, size_t size, void *stream)
{
    Context *context = enter();
    char text[256];
    for (int k = 0; k < 2; k++) {
        uint64_t address = k ? from : to;
        if (heapOwns(&context->heap, address) && !heapRange(&context->heap, address, size, text, sizeof text)) {
            return leave(context, report(INVALID_VALUE, "a copy %s %s", k ? "reads" : "writes", text));
        }
    }
    context->counters.copies++;
    return leave(context, push(context, streamOf(context, stream), (Node){ .work = COPY, .to = to, .from = from, .size = size }));
}

int cuMemsetD8Async(uint64_t to, uint8_t value, size_t size, void *stream)
{
    Context *context = enter();
    char text[256];
    if (!heapRange(&context->heap, to, size, text, sizeof text)) {
        return leave(context, report(INVALID_VALUE, "a fill writes %s", text));
    }
    return leave(context, push(context, streamOf(context, stream), (Node){ .work = FILL, .to = to, .size = size, .value = value }));
}

// ---- streams and events ----

int cuStreamCreate(Stream **stream, unsigned flags)
{
    Context *context = enter();
    (void)flags;
    *stream = add(context, STREAM, sizeof(Stream));
    return leave(context, OK);
}

int cuStreamCreateWithPriority(Stream **stream, unsigned flags, int priority) { (void)priority; return cuStreamCreate(stream, flags); }

int cuStreamDestroy_v2(Stream *stream)
{
    Context *context = enter();
    if (!has(context, stream, STREAM) || stream == context->defaultStream) {
        return leave(context, report(INVALID_HANDLE, "a stream is destroyed that does not exist"));
    }
    int status = stream->capture ? report(CAPTURE_UNSUPPORTED, "a stream is destroyed while it is captured") : finish(context, stream);
    removeObject(context, stream);
    return leave(context, status);
}

int cuStreamSynchronize(void *handle)
{
    Context *context = enter();
    Stream *stream = streamOf(context, handle);
    int refused = refuseCapture(context, "a wait for a stream");
    if (refused || !stream) {
        return leave(context, refused ? refused : report(INVALID_HANDLE, "a wait for something that is not a stream"));
    }
    return leave(context, finish(context, stream));
}

int cuEventCreate(Event **event, unsigned flags)
{
    Context *context = enter();
    (void)flags;
    *event = add(context, EVENT, sizeof(Event));
    return leave(context, OK);
}

static int checkEvent(Context *context, const Event *event)
{
    return has(context, event, EVENT) ? OK : report(INVALID_HANDLE, "not an event of this context");
}

int cuEventDestroy_v2(Event *event)
{
    Context *context = enter();
    int status = checkEvent(context, event);
    if (status == OK) {
        finishAll(context);
        removeObject(context, event);
    }
    return leave(context, status);
}

int cuEventRecord(Event *event, void *stream)
{
    Context *context = enter();
    int status = checkEvent(context, event);
    if (status == OK) {
        event->pending = true;
        status = push(context, streamOf(context, stream), (Node){ .work = RECORD, .event = event });
    }
    return leave(context, status);
}

int cuEventQuery(Event *event)
{
    Context *context = enter();
    int status = checkEvent(context, event);
    return leave(context, status ? status : event->pending ? finishAll(context) : OK);
}

int cuEventSynchronize(Event *event) { return cuEventQuery(event); }

int cuEventElapsedTime(float *milliseconds, Event *start, Event *end)
{
    Context *context = enter();
    int status = checkEvent(context, start);
    status = status ? status : checkEvent(context, end);
    if (status == OK && (start->pending || end->pending)) {
        status = report(NOT_READY, "an event is yet to be recorded");
    }
    *milliseconds = status == OK ? (end->time - start->time) * 1e-6f : 0;
    return leave(context, status);
}

// ---- modules and launches ----

int cuModuleLoadDataEx(Module **module, const char *ptx, unsigned options, void *names, void *values)
{
    Context *context = enter();
    char text[768];
    (void)options;
    (void)names;
    (void)values;
    int refused = refuseCapture(context, "a module is loaded");
    Program *program = refused ? NULL : parse(ptx, text, sizeof text);
    if (!program) {
        return leave(context, refused ? refused : report(INVALID_PTX, "%s", text));
    }
    Module *m = add(context, MODULE, sizeof *m);
    m->program = program;
    m->functions = calloc(program->count, sizeof *m->functions);
    for (int k = 0; k < program->count; k++) {
        m->functions[k] = add(context, FUNCTION, sizeof(Function));
        m->functions[k]->kernel = program->kernels[k];
    }
    *module = m;
    return leave(context, OK);
}

int cuModuleLoadData(Module **module, const char *ptx) { return cuModuleLoadDataEx(module, ptx, 0, NULL, NULL); }

int cuModuleUnload(Module *module)
{
    Context *context = enter();
    if (!has(context, module, MODULE)) {
        return leave(context, report(INVALID_HANDLE, "a module is unloaded that does not exist"));
    }
    finishAll(context);
    for (int k = 0; k < module->program->count; k++) {
        removeObject(context, module->functions[k]);
    }
    freeProgram(module->program);
    free(module->functions);
    removeObject(context, module);
    return leave(context, OK);
}

int cuModuleGetFunction(Function **function, Module *module, const char *name)
{
    Context *context = enter();
    for (int k = 0; has(context, module, MODULE) && k < module->program->count; k++) {
        if (strcmp(module->program->kernels[k]->name, name) == 0) {
            *function = module->functions[k];
            return leave(context, OK);
        }
    }
    return leave(context, report(NOT_FOUND, "there is no kernel %s", name));
}

int cuLaunchKernel(Function *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ, unsigned shared,
    void *stream, void **parameters, void **extra)
{
    Context *context = enter();
    if (!has(context, function, FUNCTION)) {
        return leave(context, report(INVALID_HANDLE, "a launch of something that is not a function of this context"));
    }
    const Kernel *kernel = function->kernel;
    uint64_t threads = (uint64_t)blockX * blockY * blockZ, groups = (uint64_t)gridX * gridY * gridZ;
    if (threads == 0 || threads > MAX_THREADS || blockZ > 64 || groups == 0 || gridX > INT32_MAX || gridY > 65535 || gridZ > 65535) {
        return leave(context, report(INVALID_VALUE, "%s: a grid of %u x %u x %u groups of %u x %u x %u threads", kernel->name, gridX, gridY, gridZ, blockX,
            blockY, blockZ));
    }
    if (kernel->sharedBytes > MAX_SHARED || kernel->sharedBytes + shared > MAX_SHARED) {
        return leave(context, report(INVALID_VALUE, "%s: %d and %u bytes of shared memory", kernel->name, kernel->sharedBytes, shared));
    }
    // CU_LAUNCH_PARAM_BUFFER_POINTER, its value, CU_LAUNCH_PARAM_BUFFER_SIZE, its value, CU_LAUNCH_PARAM_END.
    if (parameters || !extra || extra[0] != (void *)1 || extra[2] != (void *)2) {
        return leave(context, report(INVALID_VALUE, "%s: arguments must be one buffer", kernel->name));
    }
    size_t size = *(size_t *)extra[3];
    if (size != (size_t)kernel->parameterBytes) {
        return leave(context, report(INVALID_VALUE, "%s: %zu bytes of arguments, not %d", kernel->name, size, kernel->parameterBytes));
    }
    Node node = { .work = LAUNCH, .function = function, .grid = { gridX, gridY, gridZ }, .block = { blockX, blockY, blockZ }, .dynamicShared = shared };
    node.parameters = malloc(size + 8);
    memcpy(node.parameters, extra[1], size);
    context->counters.launches++;
    return leave(context, push(context, streamOf(context, stream), node));
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Function *function, int threads, size_t shared)
{
    (void)function;
    (void)shared;
    *blocks = 2048 / threads;
    return OK;
}

int cuOccupancyMaxPotentialBlockSize(int *blocks, int *threads, Function *function, void *sharedOf, size_t shared, int limit)
{
    (void)function;
    (void)sharedOf;
    (void)shared;
    (void)limit;
    *blocks = 132;
    *threads = 256;
    return OK;
}

// ---- for tests ----

int driverCounters(Counters *counters)
{
    Context *context = enter();
    context->counters.live = context->pinnedCount;
    for (const Object *o = context->objects; o; o = o->next) {
        context->counters.live++;
    }
    for (int k = 0; k < context->heap.count; k++) {
        context->counters.live += !context->heap.allocations[k].freed;
    }
    *counters = context->counters;
    return leave(context, OK);
}

// A line for every node that the last update of a graph changed.
const char *driverChanges(void)
{
    Context *context = enter();
    leave(context, OK);
    return context->changes;
}

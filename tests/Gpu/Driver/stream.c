// Streams, events and graphs. A stream begins its work when somebody waits for it, so that a host that reads too early reads what was there before, and one that
// overwrites what a copy has yet to read copies the new bytes.
#include "driver.h"
#include <time.h>

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void append(Graph *graph, Node node)
{
    if (graph->count == graph->capacity) {
        graph->capacity = graph->capacity ? 2 * graph->capacity : 64;
        graph->nodes = realloc(graph->nodes, graph->capacity * sizeof(Node));
    }
    graph->nodes[graph->count++] = node;
}

// The bytes of parameters, or of host memory that a copy took at once.
static size_t owned(const Node *node) { return node->work == LAUNCH ? node->function->kernel->parameterBytes : node->parameters ? node->size : 0; }

static Node copyOf(const Node *node)
{
    Node copy = *node;
    if (node->parameters) {
        copy.parameters = malloc(owned(node) + 1);
        memcpy(copy.parameters, node->parameters, owned(node));
        copy.from = node->work == COPY ? (uint64_t)copy.parameters : node->from;
    }
    return copy;
}

void clearNodes(Graph *graph)
{
    for (int k = 0; k < graph->count; k++) {
        free(graph->nodes[k].parameters);
    }
    free(graph->nodes);
    graph->nodes = NULL;
    graph->count = graph->capacity = 0;
}

bool isCapturing(const Context *context)
{
    for (const Object *o = context->objects; o; o = o->next) {
        if (o->kind == STREAM && ((const Stream *)o)->capture) {
            return true;
        }
    }
    return false;
}

bool isPinned(const Context *context, uint64_t address, uint64_t size)
{
    for (int k = 0; k < context->pinnedCount; k++) {
        const Pinned *p = &context->pinned[k];
        if (address >= p->base && address + size <= p->base + p->size) {
            return true;
        }
    }
    return false;
}

// ---- work ----

static int copy(Context *context, const Node *node)
{
    Heap *heap = &context->heap;
    char text[256];
    bool toDevice = heapOwns(heap, node->to), fromDevice = heapOwns(heap, node->from);
    uint8_t *to = toDevice ? heapRange(heap, node->to, node->size, text, sizeof text) : (uint8_t *)node->to;
    if (!to) {
        return report(INVALID_VALUE, "a copy writes %s", text);
    }
    const uint8_t *from = fromDevice ? heapRange(heap, node->from, node->size, text, sizeof text) : (const uint8_t *)node->from;
    if (!from) {
        return report(INVALID_VALUE, "a copy reads %s", text);
    }
    memmove(to, from, node->size);
    if (toDevice && fromDevice) {
        heapCopyMarks(heap, node->to, node->from, node->size);
    } else if (toDevice) {
        heapMarkWritten(heap, node->to, node->size);
    }
    return OK;
}

static int run(Context *context, const Node *node)
{
    char text[1024];
    switch (node->work) {
    case LAUNCH: {
        int status = execute(&context->heap, node->function->kernel, node->grid, node->block, node->dynamicShared, node->parameters, &context->phase,
            &context->counters.instructions, text, sizeof text);
        return status == OK ? OK : report(status, "%s", text);
    }
    case COPY:
        return copy(context, node);
    case FILL: {
        uint8_t *bytes = heapRange(&context->heap, node->to, node->size, text, sizeof text);
        if (!bytes) {
            return report(INVALID_VALUE, "a fill writes %s", text);
        }
        memset(bytes, node->value, node->size);
        heapMarkWritten(&context->heap, node->to, node->size);
        return OK;
    }
    case RECORD:
        node->event->time = now();
        node->event->pending = false;
        return OK;
    }
    return INVALID_VALUE;
}

// Runs what a stream has to do. A failure is that of the whole context.
int finish(Context *context, Stream *stream)
{
    for (int k = 0; k < stream->queue.count && context->status == OK; k++) {
        context->status = run(context, &stream->queue.nodes[k]);
    }
    clearNodes(&stream->queue);
    return context->status;
}

int finishAll(Context *context)
{
    for (Object *o = context->objects; o; o = o->next) {
        if (o->kind == STREAM) {
            finish(context, (Stream *)o);
        }
    }
    return context->status;
}

static bool touches(const Node *node, uint64_t base, uint64_t size)
{
    return node->work == COPY && ((node->from < base + size && base < node->from + node->size) || (node->to < base + size && base < node->to + node->size));
}

// Whether a copy of a stream has yet to read or write these bytes.
static bool isInUse(const Context *context, uint64_t base, uint64_t size)
{
    for (const Object *o = context->objects; o; o = o->next) {
        for (int k = 0; o->kind == STREAM && k < ((const Stream *)o)->queue.count; k++) {
            if (touches(&((const Stream *)o)->queue.nodes[k], base, size)) {
                return true;
            }
        }
    }
    return false;
}

int unpin(Context *context, uint64_t base)
{
    for (int k = 0; k < context->pinnedCount; k++) {
        Pinned *p = &context->pinned[k];
        if (p->base == base) {
            if (isInUse(context, p->base, p->size)) {
                return report(INVALID_VALUE, "page-locked memory is released before a copy is done with it");
            }
            if (p->owned) {
                free((void *)p->base);
            }
            *p = context->pinned[--context->pinnedCount];
            return OK;
        }
    }
    return report(INVALID_VALUE, "%#lx is not page-locked", base);
}

// Takes the node over.
int push(Context *context, Stream *stream, Node node)
{
    if (!stream) {
        free(node.parameters);
        return report(INVALID_HANDLE, "not a stream of this context");
    }
    bool hostTo = node.work == COPY && !heapOwns(&context->heap, node.to), hostFrom = node.work == COPY && !heapOwns(&context->heap, node.from);
    bool pageable = (hostTo && !isPinned(context, node.to, node.size)) || (hostFrom && !isPinned(context, node.from, node.size));
    if (stream->capture) {
        if (node.work == RECORD || pageable) {
            free(node.parameters);
            return report(CAPTURE_UNSUPPORTED, "%s while a stream is captured", pageable ? "a copy of pageable memory" : "an event");
        }
        append(stream->capture, node);
        context->counters.captured++;
        return OK;
    }
    if (stream == context->defaultStream) {
        finishAll(context);
    } else {
        finish(context, context->defaultStream);
    }
    if (context->status != OK) {
        free(node.parameters);
        return context->status;
    }
    if (pageable && hostFrom) {
        node.parameters = malloc(node.size + 1);
        memcpy(node.parameters, (const void *)node.from, node.size);
        node.from = (uint64_t)node.parameters;
    }
    append(&stream->queue, node);
    return pageable && hostTo ? finish(context, stream) : OK;
}

// ---- captures and graphs ----

int cuStreamBeginCapture_v2(void *handle, int mode)
{
    Context *context = enter();
    Stream *stream = streamOf(context, handle);
    (void)mode;
    if (!stream || stream == context->defaultStream) {
        return leave(context, report(INVALID_HANDLE, "a capture of something that is not a created stream"));
    }
    if (stream->capture) {
        return leave(context, report(CAPTURE_UNSUPPORTED, "a capture begins while the stream is captured"));
    }
    stream->capture = add(context, GRAPH, sizeof(Graph));
    return leave(context, OK);
}

int cuStreamEndCapture(void *handle, Graph **graph)
{
    Context *context = enter();
    Stream *stream = streamOf(context, handle);
    if (!stream || !stream->capture) {
        return leave(context, report(CAPTURE_INVALIDATED, "a capture ends that was not begun"));
    }
    *graph = stream->capture;
    stream->capture = NULL;
    return leave(context, OK);
}

int cuGraphGetNodes(Graph *graph, void **nodes, size_t *count)
{
    Context *context = enter();
    if (!has(context, graph, GRAPH) || nodes) {
        return leave(context, report(INVALID_HANDLE, "nodes of something that is not a graph"));
    }
    *count = graph->count;
    return leave(context, OK);
}

int cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, uint64_t flags)
{
    Context *context = enter();
    (void)flags;
    if (!has(context, graph, GRAPH)) {
        return leave(context, report(INVALID_HANDLE, "an instance of something that is not a graph"));
    }
    *executable = add(context, EXECUTABLE, sizeof(Graph));
    for (int k = 0; k < graph->count; k++) {
        append(*executable, copyOf(&graph->nodes[k]));
    }
    context->counters.instantiations++;
    return leave(context, OK);
}

// Whether two nodes of the same kind differ. Adds a line that says in what.
static bool differ(Context *context, const Node *a, const Node *b)
{
    bool grid = memcmp(a->grid, b->grid, sizeof a->grid) || memcmp(a->block, b->block, sizeof a->block) || a->dynamicShared != b->dynamicShared;
    bool memory = a->to != b->to || a->from != b->from || a->size != b->size || a->value != b->value;
    int bytes = 0, first = -1;
    for (size_t k = 0; a->work == LAUNCH && k < owned(a); k++) {
        bool other = a->parameters[k] != b->parameters[k];
        first = other && first < 0 ? (int)k : first;
        bytes += other;
    }
    size_t n = strlen(context->changes), room = sizeof context->changes - n;
    if (grid || bytes) {
        snprintf(context->changes + n, room, "%s: %s%d bytes of arguments, from byte %d\n", a->function->kernel->name, grid ? "another grid, " : "", bytes, first);
    } else if (memory) {
        snprintf(context->changes + n, room, "%s: other memory, size or value\n", a->work == COPY ? "copy" : "fill");
    }
    context->counters.changedBytes += bytes;
    return grid || memory || bytes;
}

int cuGraphExecUpdate(Graph *executable, Graph *graph, void **node, int *result)
{
    Context *context = enter();
    if (!has(context, executable, EXECUTABLE) || !has(context, graph, GRAPH)) {
        return leave(context, report(INVALID_HANDLE, "an update of something that is not an executable graph, or by something that is not a graph"));
    }
    *node = NULL;
    *result = executable->count != graph->count ? 2 : 0;
    for (int k = 0; k < graph->count && *result == 0; k++) {
        const Node *a = &executable->nodes[k], *b = &graph->nodes[k];
        *result = a->work != b->work ? 3 : a->function != b->function ? 4 : 0;
    }
    if (*result) {
        context->counters.refusedUpdates++;
        return leave(context, report(GRAPH_EXEC_UPDATE_FAILURE, "the graphs have other nodes"));
    }
    context->changes[0] = 0;
    for (int k = 0; k < graph->count; k++) {
        context->counters.changedNodes += differ(context, &executable->nodes[k], &graph->nodes[k]);
        free(executable->nodes[k].parameters);
        executable->nodes[k] = copyOf(&graph->nodes[k]);
    }
    context->counters.updates++;
    return leave(context, OK);
}

int cuGraphLaunch(Graph *executable, void *handle)
{
    Context *context = enter();
    Stream *stream = streamOf(context, handle);
    if (!has(context, executable, EXECUTABLE)) {
        return leave(context, report(INVALID_HANDLE, "a launch of something that is not an executable graph"));
    }
    if (stream && stream->capture) {
        return leave(context, report(CAPTURE_UNSUPPORTED, "a graph is launched while the stream is captured"));
    }
    // A later update does not change what was launched.
    int status = OK;
    for (int k = 0; k < executable->count && status == OK; k++) {
        status = push(context, stream, copyOf(&executable->nodes[k]));
    }
    context->counters.graphLaunches++;
    return leave(context, status);
}

static int destroy(Graph *graph, Kind kind)
{
    Context *context = enter();
    if (!has(context, graph, kind)) {
        return leave(context, report(INVALID_HANDLE, "a graph is destroyed that does not exist"));
    }
    clearNodes(graph);
    removeObject(context, graph);
    return leave(context, OK);
}

int cuGraphDestroy(Graph *graph) { return destroy(graph, GRAPH); }

int cuGraphExecDestroy(Graph *executable) { return destroy(executable, EXECUTABLE); }

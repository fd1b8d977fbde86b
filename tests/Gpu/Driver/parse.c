// PTX to decoded instructions. What is not known is an error that names it.
#include "driver.h"
#include <ctype.h>

typedef enum { PREDICATE, HALF, WORD, WIDE } Width;

typedef struct {
    char prefix[64];
    int count;
    Width width;
    uint32_t slot;
} Registers;

typedef struct {
    char name[256];
    int64_t value;                               // offset of a parameter or of shared memory
    bool isShared;
} Symbol;

typedef struct {
    char name[256];
    int at;                                      // index of the instruction, or -1: only used so far
} Label;

typedef struct {
    const char *p;
    int line;
    char token[256];
    Kernel *kernel;
    Registers registers[64];
    Symbol symbols[256];
    Label *labels;
    int registerKinds, symbolCount, moduleSymbols, labelCount, codeCapacity;
    char *text;
    size_t length;
    jmp_buf abort;
} Parser;

static _Noreturn void reject(Parser *p, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(p->text, p->length, "line %d: %s", p->line, what);
    longjmp(p->abort, 1);
}

// ---- tokens ----

static bool isWord(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '%' || c == '$'; }

static const char *next(Parser *p)
{
    for (;;) {
        while (isspace((unsigned char)*p->p)) {
            p->line += *p->p++ == '\n';
        }
        if (p->p[0] == '/' && p->p[1] == '/') {
            p->p += strcspn(p->p, "\n");
        } else if (p->p[0] == '/' && p->p[1] == '*') {
            const char *end = strstr(p->p, "*/");
            for (end = end ? end + 2 : p->p + strlen(p->p); p->p < end; p->p++) {
                p->line += *p->p == '\n';
            }
        } else {
            break;
        }
    }
    size_t n = 0;
    if (isWord(*p->p)) {
        while (isWord(p->p[n])) {
            n++;
        }
    } else if (*p->p) {
        n = 1;
    }
    if (n >= sizeof p->token) {
        reject(p, "a name of %zu characters", n);
    }
    memcpy(p->token, p->p, n);
    p->token[n] = 0;
    p->p += n;
    return p->token;
}

static bool is(Parser *p, const char *token) { return strcmp(p->token, token) == 0; }

static bool peek(Parser *p, char c)
{
    while (isspace((unsigned char)*p->p)) {
        p->line += *p->p++ == '\n';
    }
    return *p->p == c;
}

static bool skip(Parser *p, char c)
{
    bool found = peek(p, c);
    if (found) {
        next(p);
    }
    return found;
}

static void expect(Parser *p, char c)
{
    if (!skip(p, c)) {
        next(p);
        reject(p, "'%c' expected before '%s'", c, p->token);
    }
}

static int64_t integer(Parser *p)
{
    bool negative = skip(p, '-');
    char *end;
    next(p);
    uint64_t value = strtoull(p->token, &end, 0);
    if (end == p->token || (*end && strcmp(end, "U"))) {
        reject(p, "a number expected instead of '%s'", p->token);
    }
    return negative ? -(int64_t)value : (int64_t)value;
}

static int bytesOf(Parser *p, const char *type)
{
    static const char *const names[] = { "b8", "u8", "s8", "b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64" };
    for (int i = 0; i < 14; i++) {
        if (strcmp(type, names[i]) == 0) {
            return i < 3 ? 1 : i < 6 ? 2 : i < 10 ? 4 : 8;
        }
    }
    reject(p, "type '%s' is not supported", type);
}

// ---- declarations ----

// .align 4 .b8 name[4096], or .f32 name, behind the bytes before it.
static void declare(Parser *p, int *total, bool isShared)
{
    int align = 0;
    next(p);
    if (is(p, ".align")) {
        align = integer(p);
        next(p);
    }
    int size = bytesOf(p, p->token + 1);
    align = align ? align : size;
    next(p);
    if (p->symbolCount == 256) {
        reject(p, "more than 256 variables");
    }
    Symbol *symbol = &p->symbols[p->symbolCount++];
    *total = (*total + align - 1) / align * align;
    *symbol = (Symbol){ .value = *total, .isShared = isShared };
    strcpy(symbol->name, p->token);
    int64_t count = 1;
    if (skip(p, '[')) {
        count = peek(p, ']') ? 0 : integer(p);
        expect(p, ']');
    }
    *total += size * count;
}

static uint32_t allocate(Kernel *kernel, Width width)
{
    uint32_t slot = kernel->slots;
    kernel->slots += width == WIDE ? 2 : 1;
    return slot;
}

static void declareRegisters(Parser *p)
{
    next(p);
    Width width = is(p, ".pred") ? PREDICATE : bytesOf(p, p->token + 1) == 8 ? WIDE : bytesOf(p, p->token + 1) == 4 ? WORD : HALF;
    do {
        next(p);
        if (p->registerKinds == 64 || strlen(p->token) >= sizeof p->registers[0].prefix) {
            reject(p, "registers '%s' are too many", p->token);
        }
        Registers *r = &p->registers[p->registerKinds++];
        *r = (Registers){ .count = -1, .width = width, .slot = p->kernel->slots };
        strcpy(r->prefix, p->token);
        if (skip(p, '<')) {
            r->count = integer(p);
            expect(p, '>');
        }
        p->kernel->slots += (r->count < 0 ? 1 : r->count) * (width == WIDE ? 2 : 1);
    } while (skip(p, ','));
    expect(p, ';');
}

// ---- operands ----

static uint32_t constant(Parser *p, uint64_t bits, bool wide)
{
    Kernel *k = p->kernel;
    for (int i = 0; i < k->constantCount; i++) {
        if (k->constants[i].bits == bits && k->constants[i].wide == wide) {
            return k->constants[i].slot;
        }
    }
    k->constants = realloc(k->constants, (k->constantCount + 1) * sizeof(Constant));
    k->constants[k->constantCount] = (Constant){ bits, allocate(k, wide ? WIDE : WORD), wide };
    return k->constants[k->constantCount++].slot;
}

static const Symbol *findSymbol(Parser *p)
{
    for (int i = 0; i < p->symbolCount; i++) {
        if (is(p, p->symbols[i].name)) {
            return &p->symbols[i];
        }
    }
    return NULL;
}

// The register that the token names.
static uint32_t registerSlot(Parser *p, Width width, bool anyWidth, bool *wide)
{
    static const char *const special[] = { "%tid", "%ntid", "%ctaid", "%nctaid" };
    for (int i = 0; i < 4; i++) {
        size_t n = strlen(special[i]);
        if (strncmp(p->token, special[i], n) == 0 && p->token[n] == '.' && strchr("xyz", p->token[n + 1]) && width == WORD) {
            return TID + 3 * i + (p->token[n + 1] - 'x');
        }
    }
    if (is(p, "%laneid")) {
        return LANEID;
    }
    size_t digits = strlen(p->token);
    while (digits > 0 && isdigit((unsigned char)p->token[digits - 1])) {
        digits--;
    }
    for (int i = 0; i < p->registerKinds; i++) {
        const Registers *r = &p->registers[i];
        bool numbered = r->count >= 0 && strlen(r->prefix) == digits && strncmp(r->prefix, p->token, digits) == 0 && atoi(p->token + digits) < r->count;
        if (!numbered && !(r->count < 0 && is(p, r->prefix))) {
            continue;
        }
        if (anyWidth ? r->width == PREDICATE : r->width != width) {
            reject(p, "register %s has another type", p->token);
        }
        *wide = r->width == WIDE;
        return r->slot + (numbered ? atoi(p->token + digits) * (r->width == WIDE ? 2 : 1) : 0);
    }
    reject(p, "'%s' is not a register", p->token);
}

static uint32_t operand(Parser *p, Width width)
{
    bool wide;
    if (peek(p, '-')) {
        return constant(p, integer(p) & (width == WIDE ? ~0ull : 0xFFFFFFFFull), width == WIDE);
    }
    next(p);
    if (p->token[0] == '0' && (p->token[1] == 'f' || p->token[1] == 'F') && strlen(p->token) == 10 && width == WORD) {
        return constant(p, strtoull(p->token + 2, NULL, 16), false);
    }
    if (p->token[0] == '0' && (p->token[1] == 'd' || p->token[1] == 'D') && strlen(p->token) == 18 && width == WIDE) {
        return constant(p, strtoull(p->token + 2, NULL, 16), true);
    }
    if (isdigit((unsigned char)p->token[0])) {
        uint64_t value = strtoull(p->token, NULL, 0);
        return constant(p, width == WIDE ? value : width == PREDICATE ? value != 0 : (uint32_t)value, width == WIDE);
    }
    const Symbol *symbol = findSymbol(p);
    if (symbol && symbol->isShared && width == WIDE) {
        return constant(p, symbol->value, true);
    }
    return registerSlot(p, width, false, &wide);
}

// One letter per operand: w, x, h of 32, 64 and 16 bits, p a predicate, q one that may be absent, after '|'; braces around a vector.
static void operands(Parser *p, Instruction *i, const char *letters)
{
    int n = 0;
    for (const char *c = letters; *c; c++) {
        if (*c == '}') {
            expect(p, '}');
            continue;
        }
        if (*c == 'q') {
            i->slot[n++] = skip(p, '|') ? operand(p, PREDICATE) : allocate(p->kernel, PREDICATE);
            continue;
        }
        if (c != letters && c[-1] != '{') {
            expect(p, ',');
        }
        if (*c == '{') {
            expect(p, '{');
            c++;
        }
        i->slot[n++] = operand(p, *c == 'x' ? WIDE : *c == 'p' ? PREDICATE : *c == 'h' ? HALF : WORD);
    }
}

static void address(Parser *p, Instruction *i, uint32_t *slot)
{
    expect(p, '[');
    next(p);
    const Symbol *symbol = findSymbol(p);
    bool wide;
    if (symbol) {
        if (symbol->isShared != (i->space == 2)) {
            reject(p, "%s is in another memory", p->token);
        }
        i->offset = symbol->value;
        *slot = constant(p, 0, true);
    } else {
        *slot = registerSlot(p, WIDE, false, &wide);
    }
    if (skip(p, '+')) {
        i->offset += integer(p);
    } else if (peek(p, '-')) {
        i->offset += integer(p);
    }
    expect(p, ']');
}

static void values(Parser *p, Instruction *i)
{
    bool vector = skip(p, '{');
    for (int k = 0; k < i->lanes; k++) {
        if (k) {
            expect(p, ',');
        }
        bool isStore = i->run == stores[1] || i->run == stores[2] || i->run == stores[0], wide = i->size == 8;
        if (isStore && (peek(p, '-') || isdigit((unsigned char)*p->p))) {
            i->slot[1 + k] = operand(p, wide ? WIDE : WORD);
        } else {
            next(p);
            i->slot[1 + k] = registerSlot(p, WORD, true, &wide);
        }
        if (!wide && i->size == 8) {
            reject(p, "%s is too narrow", p->token);
        }
        i->wide = wide;
    }
    if (vector) {
        expect(p, '}');
    }
}

// ld.global.v4.f32 and the like. False if the opcode is none of them.
static bool memoryAccess(Parser *p, Instruction *i, const char *opcode)
{
    char parts[256], *rest = parts, *part;
    strcpy(parts, opcode);
    part = strsep(&rest, ".");
    bool isLoad = strcmp(part, "ld") == 0;
    if ((!isLoad && strcmp(part, "st")) || !rest) {
        return false;
    }
    static const char *const spaces[] = { "", "global", "shared", "param" };
    part = strsep(&rest, ".");
    for (int k = 1; k < 4; k++) {
        if (strcmp(part, spaces[k]) == 0) {
            i->space = k;
            part = rest ? strsep(&rest, ".") : "";
            break;
        }
    }
    i->lanes = strcmp(part, "v2") == 0 ? 2 : strcmp(part, "v4") == 0 ? 4 : 1;
    part = i->lanes > 1 ? rest ? strsep(&rest, ".") : "" : part;
    if (rest || (!isLoad && i->space == 3)) {
        return false;
    }
    i->size = bytesOf(p, part);
    i->isSigned = part[0] == 's';
    i->run = (isLoad ? loads : stores)[i->space];
    if (isLoad) {
        values(p, i);
        expect(p, ',');
        address(p, i, &i->slot[0]);
    } else {
        address(p, i, &i->slot[0]);
        expect(p, ',');
        values(p, i);
    }
    return true;
}

// ---- statements ----

static int label(Parser *p)
{
    for (int i = 0; i < p->labelCount; i++) {
        if (is(p, p->labels[i].name)) {
            return i;
        }
    }
    p->labels = realloc(p->labels, (p->labelCount + 1) * sizeof(Label));
    p->labels[p->labelCount].at = -1;
    strcpy(p->labels[p->labelCount].name, p->token);
    return p->labelCount++;
}

static void instruction(Parser *p)
{
    Kernel *k = p->kernel;
    if (k->length == p->codeCapacity) {
        p->codeCapacity = p->codeCapacity ? 2 * p->codeCapacity : 256;
        k->code = realloc(k->code, p->codeCapacity * sizeof(Instruction));
    }
    Instruction *i = &k->code[k->length++];
    *i = (Instruction){ .predicate = -1, .target = -1, .line = p->line };
    if (is(p, "@")) {
        bool wide;
        i->negated = skip(p, '!');
        next(p);
        i->predicate = registerSlot(p, PREDICATE, false, &wide);
        next(p);
    }
    char opcode[256];
    strcpy(opcode, p->token);
    const Opcode *known = findOpcode(opcode);
    if (strcmp(opcode, "bra") == 0 || strcmp(opcode, "bra.uni") == 0) {
        next(p);
        i->target = label(p);
    } else if (strcmp(opcode, "ret") == 0 || strcmp(opcode, "exit") == 0) {
        i->target = -1;
    } else if (known) {
        i->run = known->run;
        operands(p, i, known->operands);
    } else if (!memoryAccess(p, i, opcode)) {
        reject(p, "unknown instruction '%s'", opcode);
    }
    expect(p, ';');
}

static void body(Parser *p)
{
    expect(p, '{');
    while (!skip(p, '}')) {
        next(p);
        if (is(p, ".reg")) {
            declareRegisters(p);
        } else if (is(p, ".shared")) {
            declare(p, &p->kernel->sharedBytes, true);
            expect(p, ';');
        } else if (is(p, "")) {
            reject(p, "the end of a function is missing");
        } else if (is(p, ";")) {
            continue;
        } else if (peek(p, ':')) {
            int l = label(p);
            next(p);
            p->labels[l].at = p->kernel->length;
        } else {
            instruction(p);
        }
    }
}

// ---- modules ----

static void skipFunction(Parser *p)
{
    // Functions that nothing calls: ILGPU declares its intrinsics. A call is an unknown instruction.
    for (int depth = 0;;) {
        next(p);
        depth += is(p, "{") - is(p, "}");
        if (is(p, "") || (depth == 0 && (is(p, "}") || is(p, ";")))) {
            return;
        }
    }
}

static void entry(Parser *p, Program *program)
{
    Kernel *k = calloc(1, sizeof *k);
    program->kernels = realloc(program->kernels, (program->count + 1) * sizeof *program->kernels);
    program->kernels[program->count++] = k;
    p->kernel = k;
    p->registerKinds = p->labelCount = p->codeCapacity = 0;
    p->symbolCount = p->moduleSymbols;
    k->slots = FIRST_FREE;
    strcpy(k->name, next(p));
    if (skip(p, '(')) {
        while (!skip(p, ')')) {
            next(p);
            if (!is(p, ".param")) {
                reject(p, "a parameter expected instead of '%s'", p->token);
            }
            declare(p, &k->parameterBytes, false);
            skip(p, ',');
        }
    }
    while (!peek(p, '{')) {
        next(p);
        if (!is(p, ".maxntid") && !is(p, ".minnctapersm") && !is(p, ".reqntid")) {
            reject(p, "directive '%s' is not supported", p->token);
        }
        do {
            integer(p);
        } while (skip(p, ','));
    }
    body(p);
    if (k->length == 0) {
        reject(p, "%s has no instructions", k->name);
    }
    for (int i = 0; i < k->length; i++) {
        Instruction *branch = &k->code[i];
        if (branch->target >= 0) {
            const Label *to = &p->labels[branch->target];
            if (to->at < 0 || to->at >= k->length) {
                reject(p, "label %s has no instruction", to->name);
            }
            branch->target = to->at;
        }
    }
    const Instruction *last = &k->code[k->length - 1];
    if (last->run || last->predicate >= 0) {
        reject(p, "%s may run past its last instruction", k->name);
    }
    findBlocks(k);
}

void freeProgram(Program *program)
{
    for (int i = 0; i < program->count; i++) {
        free(program->kernels[i]->code);
        free(program->kernels[i]->blocks);
        free(program->kernels[i]->constants);
        free(program->kernels[i]);
    }
    free(program->kernels);
    free(program);
}

Program *parse(const char *ptx, char *text, size_t length)
{
    Program *volatile program = calloc(1, sizeof *program);
    Parser *p = calloc(1, sizeof *p);
    p->p = ptx;
    p->line = 1;
    p->text = text;
    p->length = length;
    if (setjmp(p->abort)) {
        freeProgram(program);
        program = NULL;
    } else {
        while (*next(p)) {
            if (is(p, ".version") || is(p, ".target") || is(p, ".address_size")) {
                next(p);
            } else if (is(p, ".func")) {
                skipFunction(p);
            } else if (is(p, ".entry")) {
                entry(p, program);
            } else if (is(p, ".shared")) {
                // Its size is that of the launch.
                int offset = MAX_SHARED;
                declare(p, &offset, true);
                expect(p, ';');
                p->moduleSymbols = p->symbolCount;
            } else if (!is(p, ".visible") && !is(p, ".weak") && !is(p, ".extern")) {
                reject(p, "'%s' is not supported outside of a function", p->token);
            }
        }
    }
    free(p->labels);
    free(p);
    return program;
}

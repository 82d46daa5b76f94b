/* A TCG plugin: exact counts of executed instructions at places of a firmware, without anything in the firmware.
 * Debian's QEMU takes plugins and ships no header for them; these are the functions of its interface, version 1, that
 * are used here.
 *
 *     -plugin libplugin.so,out=FILE,at=ADDRESS:NAME,...        each time ADDRESS is executed: "COUNT NAME"
 *             ...,sweep=FROM-TO,interrupt=ADDRESS,begin=ADDRESS,end=ADDRESS,skip=FROM-TO,...
 *
 * COUNT is how many instructions were executed before. The last line is "COUNT end".
 *
 * `sweep`: of the code in FROM-TO that is executed between `begin` and `end`, but for what lies in a `skip` (the
 * interrupt's own code), behind which instructions an interrupt came: one whose code begins at `interrupt`.
 * Instructions behind which none can come, since interrupts are masked, are known by what masks them. "missed ADDRESS"
 * for each that had none, then "swept N of M, K masked". */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*executed)(unsigned int cpu, void *data);
typedef void (*at_exit)(qemu_plugin_id_t id, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated call);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed call,
                                            enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, at_exit call, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { MARKS = 64, SKIPS = 64, PLACES = 1 << 16 };

enum effect { NONE, MASKS, UNMASKS };

/* An instruction of the firmware. One a halfword in the swept range, others share one. */
typedef struct place {
    uint64_t address;
    const char *mark;
    enum effect effect;
    bool counts;                         /* for the sweep */
    bool ran, ran_unmasked, interrupted; /* while it went on */
} place;

static struct {
    uint64_t address;
    const char *name;
} marks[MARKS];

static struct {
    uint64_t from, to;
} skips[SKIPS];

static size_t mark_count, skip_count;
static uint64_t sweep_from, sweep_to, interrupt_at, begin_at, end_at;
static FILE *out;
static uint64_t count;
static bool sweeping, masked;
static place *last; /* the one that was executed last, of those that count */
static place *places[PLACES];

/* ARM: cpsid i, cpsie i, msr primask. RISC-V: csrrci and csrrc mstatus, csrrs and csrrsi mstatus. */
static enum effect effect_of(const struct qemu_plugin_insn *insn, bool riscv)
{
    const uint8_t *bytes = (const uint8_t *)qemu_plugin_insn_data(insn);
    const uint32_t half = bytes[0] | (uint32_t)bytes[1] << 8;
    const bool whole = qemu_plugin_insn_size(insn) == 4;
    const uint32_t next = whole ? bytes[2] | (uint32_t)bytes[3] << 8 : 0;
    if (!riscv)
        return half == 0xb672                                         ? MASKS
               : half == 0xb662                                       ? UNMASKS
               : whole && (half & 0xfff0) == 0xf380 && next == 0x8810 ? UNMASKS
                                                                      : NONE;
    const uint32_t word = half | next << 16;
    if (!whole || (word & 0x7f) != 0x73 || word >> 20 != 0x300)
        return NONE;
    return (word >> 12 & 3) == 3 ? MASKS : (word >> 12 & 3) == 2 ? UNMASKS : NONE;
}

static void run(unsigned int cpu, void *data)
{
    place *here = (place *)data;
    (void)cpu;
    if (here->mark)
        fprintf(out, "%" PRIu64 " %s\n", count, here->mark);
    count++;
    if (here->address == begin_at)
        sweeping = true;
    if (here->address == end_at)
        sweeping = false;
    if (here->address == interrupt_at) {
        if (sweeping && last)
            last->interrupted = true;
        last = NULL;
    }
    if (!here->counts)
        return;
    if (here->effect == MASKS)
        masked = true;
    else if (here->effect == UNMASKS)
        masked = false;
    if (sweeping) {
        here->ran = true;
        if (!masked)
            here->ran_unmasked = true;
        last = here;
    }
}

static place *place_of(const struct qemu_plugin_insn *insn, uint64_t address, bool riscv)
{
    const bool inside = address >= sweep_from && address < sweep_to && (address - sweep_from) / 2 < PLACES;
    place *here = inside ? places[(address - sweep_from) / 2] : NULL;
    if (here)
        return here;
    here = (place *)calloc(1, sizeof *here);
    here->address = address;
    for (size_t i = 0; i < mark_count; i++)
        if (marks[i].address == address)
            here->mark = marks[i].name;
    if (inside) {
        here->counts = true;
        for (size_t i = 0; i < skip_count; i++)
            if (address >= skips[i].from && address < skips[i].to)
                here->counts = false;
        here->effect = effect_of(insn, riscv);
        places[(address - sweep_from) / 2] = here;
    }
    return here;
}

static bool riscv;

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, run, QEMU_PLUGIN_CB_NO_REGS,
                                               place_of(insn, qemu_plugin_insn_vaddr(insn), riscv));
    }
}

static void end(qemu_plugin_id_t id, void *data)
{
    size_t ran = 0, can = 0, interrupted = 0;
    (void)id, (void)data;
    for (size_t i = 0; i < PLACES; i++) {
        const place *here = places[i];
        if (!here || !here->ran)
            continue;
        ran++;
        can += here->ran_unmasked;
        interrupted += here->interrupted;
        if (here->ran_unmasked && !here->interrupted)
            fprintf(out, "missed %" PRIx64 "\n", here->address);
    }
    if (sweep_to)
        fprintf(out, "swept %zu of %zu, %zu masked\n", interrupted, can, ran - can);
    fprintf(out, "%" PRIu64 " end\n", count);
    fclose(out);
}

static bool range(const char *text, uint64_t *from, uint64_t *to)
{
    char *at;
    *from = strtoull(text, &at, 0);
    *to = *at == '-' ? strtoull(at + 1, NULL, 0) : 0;
    return *to > *from;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                                               char **argv);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    riscv = strncmp(*(const char *const *)(const void *)info, "riscv", 5) == 0;
    out = stderr;
    for (int i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (!value)
            return -1;
        const size_t length = (size_t)(value++ - argv[i]);
        char *name;
        if (!strncmp(argv[i], "out", length)) {
            if (!(out = fopen(value, "w")))
                return -1;
        } else if (!strncmp(argv[i], "at", length) && mark_count < MARKS) {
            marks[mark_count].address = strtoull(value, &name, 0);
            marks[mark_count++].name = *name == ':' ? strdup(name + 1) : "mark";
        } else if (!strncmp(argv[i], "sweep", length)) {
            if (!range(value, &sweep_from, &sweep_to))
                return -1;
        } else if (!strncmp(argv[i], "skip", length) && skip_count < SKIPS) {
            if (!range(value, &skips[skip_count].from, &skips[skip_count].to))
                return -1;
            skip_count++;
        } else if (!strncmp(argv[i], "interrupt", length)) {
            interrupt_at = strtoull(value, NULL, 0);
        } else if (!strncmp(argv[i], "begin", length)) {
            begin_at = strtoull(value, NULL, 0);
        } else if (!strncmp(argv[i], "end", length)) {
            end_at = strtoull(value, NULL, 0);
        } else {
            return -1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}

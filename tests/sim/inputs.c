/* What is in payment files: mostly rows that differ in everything, some twins (same destination, same amount: two debts
 * that look alike), some that wait for others or for a time, some that can't be paid. */
#include "inputs.h"

#include "random.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define TWIN_PERCENT 8
#define CODE_PERCENT 3
#define REVERTING_PERCENT 3
#define REFUSING_PERCENT 3
#define TOKEN_PERCENT 6
#define DEPENDENT_PERCENT 8
#define SCHEDULED_PERCENT 8

static struct input_row *row_new(struct inputs *inputs)
{
    if (inputs->row_count == inputs->row_capacity) {
        size_t capacity = inputs->row_capacity ? inputs->row_capacity * 2 : 256;
        struct input_row *rows = realloc(inputs->rows, capacity * sizeof *rows);
        if (!rows)
            return NULL;
        inputs->rows = rows;
        inputs->row_capacity = capacity;
    }
    struct input_row *row = &inputs->rows[inputs->row_count++];
    *row = (struct input_row){ 0 };
    return row;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static enum destination_kind kind_of(uint64_t chance)
{
    static const struct {
        enum destination_kind kind;
        uint64_t percent;
    } kinds[] = { { DESTINATION_CODE, CODE_PERCENT },
                  { DESTINATION_REVERTING, REVERTING_PERCENT },
                  { DESTINATION_REFUSING, REFUSING_PERCENT },
                  { DESTINATION_TOKEN, TOKEN_PERCENT } };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (chance < kinds[i].percent)
            return kinds[i].kind;
        chance -= kinds[i].percent;
    }
    return DESTINATION_PLAIN;
}

static void draw_content(struct random *random, struct input_row *row, uint32_t index)
{
    static const uint8_t first[] = {
        [DESTINATION_PLAIN] = 0xd0,    [DESTINATION_CODE] = 0xc0,  [DESTINATION_REVERTING] = 0xbe,
        [DESTINATION_REFUSING] = 0x0f, [DESTINATION_TOKEN] = 0xe0,
    };
    uint64_t chance = random_below(random, 100);
    row->kind = kind_of(chance);
    if (row->kind == DESTINATION_TOKEN)
        row->token = (enum sim_token)(SIM_TOKEN_HONEST + chance % (SIM_TOKENS - 1));
    row->refuses_for_ever = row->kind == DESTINATION_REFUSING && chance % REFUSING_PERCENT == 0;
    row->destination.bytes[0] = first[row->kind];
    put_u32(row->destination.bytes + 12, row->file + 1);
    put_u32(row->destination.bytes + 16, index + 1);
    row->amount = bursar_amount_from_u64(INPUT_AMOUNT_MIN_WEI + (uint64_t)row->file * FILE_ROWS_MAX_COUNT + index);
}

static void draw_waiting(struct random *random, struct input_row *row, size_t first_row, uint32_t index,
                         const struct file_wish *wish)
{
    if (index > 0 && random_below(random, 100) < DEPENDENT_PERCENT) {
        row->dependency_count = 1 + random_below(random, ROW_DEPENDENCIES_MAX_COUNT);
        for (size_t i = 0; i < row->dependency_count; i++)
            row->dependencies[i] = (uint32_t)(first_row + random_below(random, index));
        if (row->dependency_count == 2 && row->dependencies[0] == row->dependencies[1])
            row->dependency_count = 1;
    }
    if (random_below(random, 100) >= SCHEDULED_PERCENT)
        return;
    row->schedule = random_below(random, 2) ? SCHEDULE_TIME : SCHEDULE_EPOCH;
    row->schedule_value = row->schedule == SCHEDULE_TIME ? wish->now_s + random_below(random, 60)
                                                         : wish->now_epoch + random_below(random, 6);
}

struct input_file *inputs_add_file(struct inputs *inputs, const struct file_wish *wish)
{
    struct random root = random_new(wish->seed), random = random_stream(&root, "file", 0);
    if (inputs->file_count == inputs->file_capacity) {
        size_t capacity = inputs->file_capacity ? inputs->file_capacity * 2 : 16;
        struct input_file *files = realloc(inputs->files, capacity * sizeof *files);
        if (!files)
            return NULL;
        inputs->files = files;
        inputs->file_capacity = capacity;
    }
    struct input_file file = {
        .number = wish->number, .treasury = wish->treasury, .first_row = inputs->row_count, .row_count = wish->rows
    };
    for (uint32_t i = 0; i < wish->rows; i++) {
        struct input_row *row = row_new(inputs);
        if (!row)
            return NULL;
        row->file = wish->number;
        row->treasury = wish->treasury;
        (void)snprintf(row->ref, sizeof row->ref, "f%u-%u", wish->number, i);
        draw_content(&random, row, i);
        row->leader = (uint32_t)(file.first_row + i);
        if (i > 0 && random_below(&random, 100) < TWIN_PERCENT) {
            const struct input_row *twin = &inputs->rows[file.first_row + random_below(&random, i)];
            row->destination = twin->destination;
            row->kind = twin->kind;
            row->refuses_for_ever = twin->refuses_for_ever;
            row->token = twin->token;
            row->amount = twin->amount;
            row->leader = twin->leader;
        }
        inputs->rows[row->leader].asked++;
        draw_waiting(&random, row, file.first_row, i, wish);
    }
    inputs->files[inputs->file_count] = file;
    return &inputs->files[inputs->file_count++];
}

static struct input_row *row_at(struct inputs *inputs, uint32_t file_number, uint32_t index)
{
    for (size_t i = 0; i < inputs->file_count; i++) {
        const struct input_file *file = &inputs->files[i];
        if (file->number == file_number)
            return index < file->row_count ? &inputs->rows[file->first_row + index] : NULL;
    }
    return NULL;
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

struct input_row *inputs_leader(struct inputs *inputs, const struct bursar_address *destination)
{
    struct input_row *row = row_at(inputs, get_u32(destination->bytes + 12) - 1, get_u32(destination->bytes + 16) - 1);
    return row && address_equal(&row->destination, destination) ? row : NULL;
}

struct input_row *inputs_by_ref(struct inputs *inputs, const char *ref)
{
    const char *dash = strchr(ref, '-');
    uint64_t file, index;
    if (*ref != 'f' || !dash || !u64_from_text(ref + 1, (size_t)(dash - ref - 1), 0, UINT32_MAX, &file) ||
        !u64_from_text(dash + 1, strlen(dash + 1), 0, UINT32_MAX, &index))
        return NULL;
    return row_at(inputs, (uint32_t)file, (uint32_t)index);
}

void inputs_free(struct inputs *inputs)
{
    free(inputs->rows);
    free(inputs->files);
    *inputs = (struct inputs){ 0 };
}

/* The tokenizer against a writer: what any program writes by RFC 4180 comes back byte by byte, wherever the window's
 * edges fall, and any bytes at all are read to their end. */
#include "payfile/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FIELDS_MAX 8
#define FIELD_MAX_BYTES 6000

/* splitmix64: the same files in every run. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct file_field {
    size_t length_bytes;
    char bytes[FIELD_MAX_BYTES];
};

/* Mostly short, sometimes long; mostly plain, often made of what CSV must quote. */
static void random_field(uint64_t *seed, struct file_field *ret)
{
    static const char special[] = "\",\r\n\" a";
    size_t limit = next_random(seed) % 20 == 0 ? FIELD_MAX_BYTES : 30;
    ret->length_bytes = next_random(seed) % limit;
    bool hostile = next_random(seed) % 3 == 0;
    for (size_t i = 0; i < ret->length_bytes; i++)
        ret->bytes[i] =
            hostile ? special[next_random(seed) % (sizeof special - 1)] : (char)('a' + (int)(next_random(seed) % 26));
}

static void write_field(FILE *file, uint64_t *seed, const struct file_field *field)
{
    bool quote = next_random(seed) % 4 == 0;
    for (size_t i = 0; i < field->length_bytes; i++)
        quote = quote || strchr("\",\r\n", field->bytes[i]);
    if (!quote) {
        assert_int_equal(fwrite(field->bytes, 1, field->length_bytes, file), field->length_bytes);
        return;
    }
    fputc('"', file);
    for (size_t i = 0; i < field->length_bytes; i++) {
        if (field->bytes[i] == '"')
            fputc('"', file);
        fputc(field->bytes[i], file);
    }
    fputc('"', file);
}

/* Returns how many line feeds are in the row. */
static uint64_t random_row(uint64_t *seed, size_t *ret_count, struct file_field fields[FIELDS_MAX])
{
    uint64_t feeds = 0;
    *ret_count = 2 + next_random(seed) % (FIELDS_MAX - 1);
    for (size_t i = 0; i < *ret_count; i++) {
        random_field(seed, &fields[i]);
        for (size_t k = 0; k < fields[i].length_bytes; k++)
            feeds += fields[i].bytes[k] == '\n';
    }
    return feeds;
}

static void what_a_writer_of_csv_writes_comes_back_byte_by_byte(void **state)
{
    (void)state;
    const int row_count = 3000;
    static struct file_field fields[FIELDS_MAX];
    FILE *file = tmpfile();
    assert_non_null(file);
    size_t count;
    uint64_t content = 11, style = 12; /* two streams: the content is made again below, to compare */
    for (int row = 0; row < row_count; row++) {
        random_row(&content, &count, fields);
        for (size_t i = 0; i < count; i++) {
            if (i)
                fputc(',', file);
            write_field(file, &style, &fields[i]);
        }
        if (row + 1 < row_count)
            fputs(row % 3 ? "\n" : "\r\n", file);
    }
    assert_true(ftell(file) > 8 * (long)INPUT_WINDOW_BYTES);
    rewind(file);

    struct input input;
    struct csv_reader reader;
    struct csv_row got;
    struct csv_problem problem;
    assert_int_equal(input_open(&input, file, NULL), BURSAR_OK);
    assert_int_equal(csv_open(&reader, &input, NULL), BURSAR_OK);
    uint64_t line = 1;
    content = 11;
    for (int row = 0; row < row_count; row++) {
        uint64_t feeds = random_row(&content, &count, fields);
        assert_int_equal(csv_next(&reader, &got, &problem), CSV_ROW);
        assert_int_equal(got.line, line);
        assert_int_equal(got.field_count, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(got.fields[i].length_bytes, fields[i].length_bytes);
            assert_memory_equal(got.fields[i].bytes, fields[i].bytes, fields[i].length_bytes);
            assert_int_equal(got.fields[i].bytes[fields[i].length_bytes], 0);
        }
        line += feeds + 1;
    }
    assert_int_equal(csv_next(&reader, &got, &problem), CSV_END);
    assert_int_equal(csv_next(&reader, &got, &problem), CSV_END);
    csv_close(&reader);
    input_close(&input);
    fclose(file);
}

/* Every row must be within the file, in order, and the reading must come to its end. */
static void read_anything(FILE *file, uint64_t *ret_rows, uint64_t *ret_bad)
{
    struct input input;
    struct csv_reader reader;
    struct csv_row row;
    struct csv_problem problem;
    uint64_t last_line = 0;
    *ret_rows = *ret_bad = 0;
    assert_int_equal(input_open(&input, file, NULL), BURSAR_OK);
    assert_int_equal(csv_open(&reader, &input, NULL), BURSAR_OK);
    for (;;) {
        enum csv_result result = csv_next(&reader, &row, &problem);
        if (result == CSV_END)
            break;
        uint64_t line = result == CSV_ROW ? row.line : problem.line;
        assert_true(line > last_line);
        last_line = line;
        if (result == CSV_BAD_ROW) {
            assert_non_null(problem.message);
            ++*ret_bad;
            continue;
        }
        ++*ret_rows;
        assert_true(row.field_count > 0);
        for (size_t i = 0; i < row.field_count; i++)
            assert_int_equal(strlen(row.fields[i].bytes), row.fields[i].length_bytes);
    }
    assert_false(input.failed);
    csv_close(&reader);
    input_close(&input);
}

static void any_bytes_are_read_to_their_end_with_lines_in_order(void **state)
{
    (void)state;
    static const char bytes[] = "\"\"\",,\r\n\n\0ab";
    uint64_t seed = 13, all_rows = 0, all_bad = 0;
    for (int round = 0; round < 60; round++) {
        FILE *file = tmpfile();
        assert_non_null(file);
        size_t length_bytes = next_random(&seed) % (round % 10 == 0 ? 4 * INPUT_WINDOW_BYTES : 2000);
        for (size_t i = 0; i < length_bytes; i++)
            fputc(bytes[next_random(&seed) % (sizeof bytes - 1)], file);
        rewind(file);
        uint64_t rows, bad;
        read_anything(file, &rows, &bad);
        all_rows += rows;
        all_bad += bad;
        fclose(file);
    }
    assert_true(all_rows > 1000 && all_bad > 1000);
}

/* Each line throws doubt on the ones behind it, or seems to: going back must still come to an end. */
static void patterns_of_doubtful_quotes_are_read_to_their_end(void **state)
{
    (void)state;
    static const char *const patterns[] = { "\"\n",    "\"\"\n",    "\"\"\"\n",     "a,\"b\n",           "\",\"\n",
                                            "\"\"a\n", "\"a\"\"\n", "x,\"\"\"\"\n", "\"\n\n\n\n\n\n\n\n" };
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        FILE *file = tmpfile();
        assert_non_null(file);
        for (size_t i = 0; i < 400000; i++)
            fputs(patterns[p], file);
        rewind(file);
        uint64_t rows, bad;
        read_anything(file, &rows, &bad);
        assert_true(rows + bad > 0);
        fclose(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_writer_of_csv_writes_comes_back_byte_by_byte),
        cmocka_unit_test(any_bytes_are_read_to_their_end_with_lines_in_order),
        cmocka_unit_test(patterns_of_doubtful_quotes_are_read_to_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

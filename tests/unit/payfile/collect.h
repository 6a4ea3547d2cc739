/* Reads a payment file from memory and keeps what came out of it, rows and errors in the order they were told. */
#ifndef TESTS_PAYFILE_COLLECT_H
#define TESTS_PAYFILE_COLLECT_H

#include "payfile/payfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COLLECT_MAX_COUNT 64

#define HEADER "ref,destination,amount\n"
#define ADDRESS "0x00000000000000000000000000000000000000aa"
#define ROW(ref) ref "," ADDRESS ",1wei\n"
#define JSON_ROW(ref) "{\"ref\":\"" ref "\",\"destination\":\"" ADDRESS "\",\"amount\":\"1wei\"}\n"

struct collected_row {
    uint64_t line;
    char ref[REF_MAX_BYTES + 1];
    struct bursar_address destination;
    struct asset asset;
    char amount[BURSAR_AMOUNT_TEXT_BYTES];
    enum schedule_kind schedule;
    uint64_t schedule_value;
    char memo[MEMO_MAX_BYTES + 1];
    char dependencies[DEPENDENCIES_MAX_COUNT * (REF_MAX_BYTES + 1) + 1]; /* joined by `;` */
};

struct collected {
    enum bursar_status status;
    struct bursar_error err;
    size_t row_count;
    struct collected_row rows[COLLECT_MAX_COUNT];
    size_t error_count;
    struct payfile_error errors[COLLECT_MAX_COUNT];
    size_t rows_until_refusal; /* 0: the handler never refuses */
    char assets[1024];         /* that were asked about, each followed by a space */
};

/* One at a time: tests run one after the other. */
static struct collected collected;

static inline enum bursar_status collect_row(void *ctx, const struct payfile_row *row, struct bursar_error *err)
{
    (void)ctx;
    const struct obligation *from = &row->obligation;
    assert_true(collected.row_count < COLLECT_MAX_COUNT);
    assert_int_equal(strlen(from->memo), from->memo_bytes);
    struct collected_row *to = &collected.rows[collected.row_count++];
    to->line = row->line;
    (void)snprintf(to->ref, sizeof to->ref, "%s", from->ref);
    to->destination = from->destination;
    to->asset = from->asset;
    bursar_amount_to_text(from->amount, to->amount);
    to->schedule = from->schedule;
    to->schedule_value = from->schedule_value;
    (void)snprintf(to->memo, sizeof to->memo, "%s", from->memo);
    to->dependencies[0] = '\0';
    size_t at = 0;
    for (size_t i = 0; i < from->dependency_count; i++)
        at += (size_t)snprintf(to->dependencies + at, sizeof to->dependencies - at, "%s%s", i ? ";" : "",
                               from->dependencies[i]);
    if (collected.rows_until_refusal && collected.row_count == collected.rows_until_refusal)
        return bursar_fail(err, BURSAR_ESTORAGE, "the disk is full");
    return BURSAR_OK;
}

#define TOKEN "0x00000000000000000000000000000000000000bb"

/* `six` is a token with 6 decimals, TOKEN the same; `wide` has 77; `down` can't be found out about. */
static inline enum bursar_status collect_asset(void *ctx, const char *text, size_t length_bytes,
                                               struct payfile_asset *ret, struct bursar_error *err)
{
    (void)ctx;
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)length_bytes, text);
    size_t at = strlen(collected.assets);
    (void)snprintf(collected.assets + at, sizeof collected.assets - at, "%s ", name);
    if (strcmp(name, "down") == 0)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "no node answers");
    if (strcmp(name, "six") != 0 && strcmp(name, "wide") != 0 && strcmp(name, TOKEN) != 0)
        return bursar_fail(err, BURSAR_EINVAL, "is no token that is known here");
    *ret = (struct payfile_asset){ .asset = { .is_token = true }, .decimals = strcmp(name, "wide") == 0 ? 77 : 6 };
    ret->asset.token.bytes[BURSAR_ADDRESS_BYTES - 1] = 0xbb;
    return BURSAR_OK;
}

static inline void collect_error(void *ctx, const struct payfile_error *error)
{
    (void)ctx;
    assert_true(collected.error_count < COLLECT_MAX_COUNT);
    assert_true(strlen(error->message) > 0);
    for (const char *c = error->message; *c; c++)
        assert_in_range(*c, 0x20, 0x7e); /* whatever the file holds, a terminal gets plain text */
    collected.errors[collected.error_count++] = *error;
}

static inline void collect_with(FILE *file, const struct payfile_options *options)
{
    const struct payfile_handlers handlers = { .asset = collect_asset, .row = collect_row, .error = collect_error };
    assert_non_null(file);
    collected.row_count = collected.error_count = 0;
    collected.assets[0] = '\0';
    collected.err = (struct bursar_error){ 0 };
    collected.status = payfile_read(file, options, &handlers, &collected.err);
    fclose(file);
}

static inline void collect_from(FILE *file, const char *prefix)
{
    const struct payfile_options options = { .ref_prefix = prefix, .native_decimals = 18 };
    collect_with(file, &options);
}

static inline void collect_bytes(const char *bytes, size_t length_bytes, const char *prefix)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length_bytes, file), length_bytes);
    rewind(file);
    collected.rows_until_refusal = 0;
    collect_from(file, prefix);
    assert_int_equal(collected.status, BURSAR_OK);
}

static inline void collect(const char *text)
{
    collect_bytes(text, strlen(text), NULL);
}

/* The refs of the good rows, in order, separated by spaces. */
static inline void assert_refs(const char *refs)
{
    char got[COLLECT_MAX_COUNT * (REF_MAX_BYTES + 1)] = "";
    size_t at = 0;
    for (size_t i = 0; i < collected.row_count; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", i ? " " : "", collected.rows[i].ref);
    assert_string_equal(got, refs);
}

static inline void assert_error(size_t index, uint64_t line, const char *column, const char *fragment)
{
    if (index >= collected.error_count)
        fail_msg("only %zu errors", collected.error_count);
    const struct payfile_error *error = &collected.errors[index];
    if (error->line != line || strcmp(error->column, column) != 0 || !strstr(error->message, fragment))
        fail_msg("line %llu, column \"%s\": \"%s\" instead of line %llu, column \"%s\": \"%s\"",
                 (unsigned long long)error->line, error->column, error->message, (unsigned long long)line, column,
                 fragment);
}

static inline void assert_only_error(uint64_t line, const char *column, const char *fragment)
{
    assert_error(0, line, column, fragment);
    assert_int_equal(collected.error_count, 1);
}

static inline void assert_no_error(void)
{
    if (collected.error_count > 0)
        fail_msg("line %llu, column \"%s\": %s", (unsigned long long)collected.errors[0].line,
                 collected.errors[0].column, collected.errors[0].message);
}

#endif

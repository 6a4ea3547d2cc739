/* JSON Lines by jansson, line by line. Keys and types are exact: a number for an amount has been through floating point
 * in too many programs to be trusted. */
#include "payfile/jsonl.h"

#include <jansson.h>

/* One line of the window, without its line feed. */
struct line {
    uint64_t number;
    struct text text;
};

enum line_result {
    LINE_READ = 1,
    LINE_TOO_LONG = 2, /* and skipped */
    LINE_END = 3,      /* also after a read error: see input.failed */
};

/* Consumes a line. Its text is valid until the next call. */
static enum line_result next_line(struct input *input, struct line *ret)
{
    size_t looked = 0;
    ret->number = input->line;
    for (;;) {
        const char *from = input->window + input->start;
        size_t available = input_available(input);
        const char *feed = available > looked ? memchr(from + looked, '\n', available - looked) : NULL;
        size_t length_bytes = feed ? (size_t)(feed - from) : available;
        if (length_bytes > PAYFILE_LINE_MAX_BYTES + 1 || /* one more, for a CR */
            (length_bytes == PAYFILE_LINE_MAX_BYTES + 1 && from[length_bytes - 1] != '\r')) {
            input_skip_line(input, 0, input->line);
            return LINE_TOO_LONG;
        }
        if (!feed && input_fill(input)) {
            looked = available;
            continue;
        }
        if (input->failed || (!feed && length_bytes == 0))
            return LINE_END;
        ret->text = (struct text){ from, length_bytes };
        input->start += length_bytes + (feed ? 1 : 0);
        input->line += feed ? 1 : 0;
        return LINE_READ;
    }
}

static bool is_blank(struct text text)
{
    for (size_t i = 0; i < text.length_bytes; i++) {
        if (text.bytes[i] != ' ' && text.bytes[i] != '\t' && text.bytes[i] != '\r')
            return false;
    }
    return true;
}

/* jansson has checked the UTF-8, and refuses a NUL in a string. */
static struct text text_of(const json_t *string)
{
    return (struct text){ json_string_value(string), json_string_length(string) };
}

static bool take_dependencies(const struct row_sink *sink, const json_t *value, struct row_fields *ret)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(value)) {
        row_problem(sink, ret->line, row_column_name(COLUMN_DEPENDS_ON),
                    "must be an array of strings such as [\"ref-1\", \"ref-2\"]");
        return false;
    }
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item)) {
            row_problem(sink, ret->line, row_column_name(COLUMN_DEPENDS_ON), "item %zu of the array must be a string",
                        i + 1);
            return false;
        }
        if (i < DEPENDENCIES_MAX_COUNT)
            ret->dependencies[i] = text_of(item);
    }
    ret->dependency_count = json_array_size(value);
    return true;
}

static bool take_key(const struct row_sink *sink, const char *key, const json_t *value, struct row_fields *ret)
{
    enum row_column column;
    if (!row_column_from_name((struct text){ key, strlen(key) }, &column)) {
        char shown[EXCERPT_BYTES];
        row_problem(sink, ret->line, text_excerpt((struct text){ key, strlen(key) }, shown),
                    "unknown key \"%s\"; the keys are " ROW_COLUMN_NAMES_TEXT, shown);
        return false;
    }
    if (column == COLUMN_DEPENDS_ON)
        return take_dependencies(sink, value, ret);
    if (!json_is_string(value)) {
        row_problem(sink, ret->line, row_column_name(column), "must be a string%s",
                    column == COLUMN_AMOUNT ? " such as \"1.5\"" : "");
        return false;
    }
    ret->columns[column] = text_of(value);
    return true;
}

static enum bursar_status deliver(struct row_sink *sink, uint64_t line, json_t *object, struct bursar_error *err)
{
    struct row_fields fields = { .line = line };
    const char *key;
    json_t *value;
    bool good = true;
    for (int i = 0; i < ROW_COLUMN_COUNT; i++)
        fields.columns[i] = (struct text){ "", 0 };
    json_object_foreach(object, key, value)
    {
        good = take_key(sink, key, value, &fields) && good;
    }
    for (int i = 0; i < ROW_COLUMN_COUNT; i++) {
        const char *name = row_column_name((enum row_column)i);
        if (row_column_is_required((enum row_column)i) && !json_object_get(object, name)) {
            row_problem(sink, line, name, "is missing");
            good = false;
        }
    }
    return good ? row_deliver(sink, &fields, err) : BURSAR_OK;
}

static enum bursar_status read_object(struct row_sink *sink, const struct line *line, struct bursar_error *err)
{
    json_error_t why;
    json_t *object = json_loadb(line->text.bytes, line->text.length_bytes, JSON_REJECT_DUPLICATES, &why);
    enum bursar_status status = BURSAR_OK;
    if (!object) {
        char shown[EXCERPT_BYTES];
        if (json_error_code(&why) == json_error_out_of_memory)
            return bursar_fail(err, BURSAR_ENOMEM, "no memory to read line %llu", (unsigned long long)line->number);
        row_problem(sink, line->number, "", "the line is not a JSON object: %s",
                    text_excerpt((struct text){ why.text, strlen(why.text) }, shown));
    } else if (!json_is_object(object)) {
        row_problem(sink, line->number, "", "the line is not a JSON object");
    } else {
        status = deliver(sink, line->number, object, err);
    }
    json_decref(object);
    return status;
}

enum bursar_status jsonl_read(struct input *input, struct row_sink *sink, struct bursar_error *err)
{
    struct line line;
    for (;;) {
        enum bursar_status status = BURSAR_OK;
        enum line_result result = next_line(input, &line);
        if (result == LINE_END)
            return BURSAR_OK;
        if (result == LINE_READ && is_blank(line.text))
            continue;
        if (!row_admit(sink, line.number))
            return BURSAR_OK;
        if (result == LINE_TOO_LONG)
            row_problem(sink, line.number, "", "the line is longer than %zu bytes, which is the most a row may have",
                        PAYFILE_LINE_MAX_BYTES);
        else
            status = read_object(sink, &line, err);
        if (status != BURSAR_OK)
            return status;
    }
}

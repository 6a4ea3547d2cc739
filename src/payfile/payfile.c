/* Opens a payment file: finds out its format, and turns what the stream itself does wrong into a status. */
#include "payfile/payfile.h"

#include "payfile/csv_rows.h"
#include "payfile/input.h"
#include "payfile/jsonl.h"
#include "payfile/row.h"

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";
#define BYTE_ORDER_MARK_BYTES (sizeof BYTE_ORDER_MARK - 1)

static enum bursar_status prefix_check(const char *prefix, struct bursar_error *err)
{
    struct bursar_error why = { 0 };
    if (!prefix || !*prefix || ref_check(prefix, strlen(prefix), &why) == BURSAR_OK)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EINVAL, "the prefix of refs %s", why.message);
}

static enum bursar_status read_by_format(struct input *input, struct row_sink *sink, struct bursar_error *err)
{
    if (input_has(input, BYTE_ORDER_MARK_BYTES) &&
        memcmp(input->window + input->start, BYTE_ORDER_MARK, BYTE_ORDER_MARK_BYTES) == 0)
        input->start += BYTE_ORDER_MARK_BYTES;
    bool is_json = input_has(input, 1) && input->window[input->start] == '{';
    enum bursar_status status = is_json ? jsonl_read(input, sink, err) : csv_rows_read(input, sink, err);
    if (status == BURSAR_OK && input->failed)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "reading the payment file failed near line %llu",
                           (unsigned long long)input->line);
    return status;
}

enum bursar_status payfile_read(FILE *file, const struct payfile_options *options,
                                const struct payfile_handlers *handlers, struct bursar_error *err)
{
    struct input input;
    enum bursar_status status = prefix_check(options->ref_prefix, err);
    if (status != BURSAR_OK)
        return status;
    struct row_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to read a payment file");
    sink->options = options;
    sink->handlers = handlers;
    status = input_open(&input, file, err);
    if (status == BURSAR_OK) {
        status = read_by_format(&input, sink, err);
        input_close(&input);
    }
    free(sink);
    return status;
}

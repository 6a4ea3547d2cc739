/* The header decides which field is which column; a header that is not wholly understood refuses the file, because a
 * misspelt `not_before` must not pay early. */
#include "payfile/csv_rows.h"

#include "base/cleanup.h"
#include "payfile/safe_rows.h"

struct header {
    uint64_t line;
    size_t field_count;
    enum row_column columns[ROW_COLUMN_COUNT]; /* by field */
    bool present[ROW_COLUMN_COUNT];            /* by column */
    bool is_safe;                              /* of the Safe airdrop app: this instead of the columns above */
    struct safe_header safe;
};

/* Reports everything that is wrong with the header. */
static bool header_from_row(const struct row_sink *sink, const struct csv_row *row, struct header *ret)
{
    struct header header = { .line = row->line };
    bool good = true;
    for (size_t field = 0; field < row->field_count; field++) {
        enum row_column column;
        char shown[EXCERPT_BYTES];
        if (!row_column_from_name(row->fields[field], &column)) {
            row_problem(sink, row->line, text_excerpt(row->fields[field], shown),
                        "unknown column \"%s\" in the header; the columns are " ROW_COLUMN_NAMES_TEXT, shown);
            good = false;
        } else if (header.present[column]) {
            row_problem(sink, row->line, row_column_name(column), "stands in the header more than once");
            good = false;
        } else {
            header.present[column] = true;
            header.columns[header.field_count++] = column;
        }
    }
    for (int i = 0; i < ROW_COLUMN_COUNT; i++) {
        enum row_column column = (enum row_column)i;
        if (row_column_is_required(column) && !header.present[column]) {
            row_problem(sink, row->line, row_column_name(column),
                        "is required, but the first line, which must name the columns, does not name it");
            good = false;
        }
    }
    if (good)
        *ret = header;
    return good;
}

/* False when there is no usable header; what is wrong has been reported, unless the input failed. */
static bool read_header(struct csv_reader *reader, struct row_sink *sink, struct csv_row *row, struct header *ret)
{
    struct csv_problem problem;
    switch (csv_next(reader, row, &problem)) {
    case CSV_ROW:
        *ret = (struct header){ .line = row->line, .field_count = row->field_count, .is_safe = safe_header_is(row) };
        return ret->is_safe ? safe_header_from_row(sink, row, &ret->safe) : header_from_row(sink, row, ret);
    case CSV_BAD_ROW:
        row_problem(sink, problem.line, "", "the header %s", problem.message);
        return false;
    case CSV_END:
        if (!reader->input->failed)
            row_problem(sink, 1, "", "the file is empty: it needs a first line that names the columns");
        return false;
    }
    return false;
}

static enum bursar_status deliver(struct row_sink *sink, const struct header *header, const struct csv_row *row,
                                  struct bursar_error *err)
{
    struct row_fields fields = { .line = row->line };
    if (row->field_count != header->field_count) {
        row_problem(sink, row->line, "", "the row has %zu field%s, but the header in line %llu has %zu",
                    row->field_count, row->field_count == 1 ? "" : "s", (unsigned long long)header->line,
                    header->field_count);
        return BURSAR_OK;
    }
    if (header->is_safe)
        return safe_deliver(sink, &header->safe, row, err);
    for (int i = 0; i < ROW_COLUMN_COUNT; i++)
        fields.columns[i] = (struct text){ "", 0 };
    for (size_t field = 0; field < header->field_count; field++)
        fields.columns[header->columns[field]] = row->fields[field];
    row_split_dependencies(fields.columns[COLUMN_DEPENDS_ON], &fields);
    return row_deliver(sink, &fields, err);
}

static void report(const struct row_sink *sink, const struct header *header, const struct csv_problem *problem)
{
    if (problem->field < header->field_count)
        row_problem(sink, problem->line,
                    header->is_safe ? safe_column_name(&header->safe, problem->field)
                                    : row_column_name(header->columns[problem->field]),
                    "%s", problem->message);
    else if (problem->field == CSV_NO_FIELD)
        row_problem(sink, problem->line, "", "the row %s", problem->message);
    else
        row_problem(sink, problem->line, "", "field %zu %s", problem->field + 1, problem->message);
}

static enum bursar_status read_rows(struct csv_reader *reader, struct row_sink *sink, struct bursar_error *err)
{
    struct csv_row row;
    struct header header;
    struct csv_problem problem;
    if (!read_header(reader, sink, &row, &header) ||
        (sink->options->only_assets && !header.is_safe && !header.present[COLUMN_ASSET]))
        return BURSAR_OK;
    for (;;) {
        enum bursar_status status = BURSAR_OK;
        switch (csv_next(reader, &row, &problem)) {
        case CSV_ROW:
            if (!row_admit(sink, row.line))
                return BURSAR_OK;
            status = deliver(sink, &header, &row, err);
            break;
        case CSV_BAD_ROW:
            if (!row_admit(sink, problem.line))
                return BURSAR_OK;
            report(sink, &header, &problem);
            break;
        case CSV_END:
            return BURSAR_OK;
        }
        if (status != BURSAR_OK)
            return status;
    }
}

enum bursar_status csv_rows_read(struct input *input, struct row_sink *sink, struct bursar_error *err)
{
    struct csv_reader reader;
    enum bursar_status status = csv_open(&reader, input, err);
    if (status != BURSAR_OK)
        return status;
    status = read_rows(&reader, sink, err);
    csv_close(&reader);
    return status;
}

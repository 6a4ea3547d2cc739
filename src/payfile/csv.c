/* The CSV tokenizer. A row stays in the input's window until it is done, so that a broken one can be read afresh.
 *
 * Time stays linear in the input although lines behind a doubtful quote are read again: a quoted field only runs over
 * lines with an even number of quotes, and read afresh such a line leaves no field open for the next doubt. */
#include "payfile/csv.h"

/* Bytes of a row beyond its content: CR LF. */
#define ROW_END_BYTES 2
#define UNQUOTED_MAX_BYTES (PAYFILE_LINE_MAX_BYTES + ROW_END_BYTES + 1)

/* What peek returns beside bytes. */
#define PEEK_END (-1)
#define PEEK_TOO_LONG (-2)

_Static_assert(PAYFILE_LINE_MAX_BYTES + ROW_END_BYTES + 2 <= INPUT_WINDOW_BYTES - INPUT_BLOCK_BYTES,
               "a row and one byte of look-ahead fit the window");

enum field_end {
    FIELD_MORE, /* a comma: another field follows */
    FIELD_LAST, /* the row ends here */
    FIELD_UNCLOSED,
    FIELD_TEXT_AFTER_QUOTE,
    FIELD_TOO_LONG,
    FIELD_TOO_LONG_QUOTED,
};

enum bursar_status csv_open(struct csv_reader *reader, struct input *input, struct bursar_error *err)
{
    char *unquoted = malloc(UNQUOTED_MAX_BYTES);
    if (!unquoted)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to read a payment file");
    *reader = (struct csv_reader){ .input = input, .unquoted = unquoted };
    return BURSAR_OK;
}

void csv_close(struct csv_reader *reader)
{
    free(reader->unquoted);
    *reader = (struct csv_reader){ 0 };
}

static inline int byte_at(struct csv_reader *reader, size_t offset)
{
    struct input *input = reader->input;
    if (offset >= input_available(input) && !input_has(input, offset + 1))
        return PEEK_END;
    return (unsigned char)input->window[input->start + offset];
}

/* The byte to look at. A row may have PAYFILE_LINE_MAX_BYTES of content, and then CR LF. */
static inline int peek(struct csv_reader *reader)
{
    int byte = byte_at(reader, reader->scan);
    if (reader->scan < PAYFILE_LINE_MAX_BYTES || byte == PEEK_END)
        return byte;
    bool may_end = (byte == '\n' || byte == '\r') && reader->scan < PAYFILE_LINE_MAX_BYTES + ROW_END_BYTES;
    return may_end ? byte : PEEK_TOO_LONG;
}

static inline void keep(struct csv_reader *reader, int byte)
{
    reader->unquoted[reader->unquoted_bytes++] = (char)byte;
    reader->scan++;
}

static void complain(struct csv_reader *reader, size_t field, const char *message)
{
    if (reader->complaint)
        return;
    reader->complaint = message;
    reader->complaint_field = field;
}

/* Consumes `,`, LF, CR LF or the end, if that is what is there. */
static bool take_field_end(struct csv_reader *reader, int byte, enum field_end *ret)
{
    if (byte == ',') {
        reader->scan++;
        *ret = FIELD_MORE;
        return true;
    }
    if (byte == '\r' && byte_at(reader, reader->scan + 1) == '\n')
        reader->scan += 2;
    else if (byte == '\n')
        reader->scan++;
    else if (byte != PEEK_END)
        return false;
    reader->feeds += byte != PEEK_END;
    *ret = FIELD_LAST;
    return true;
}

static enum field_end read_bare(struct csv_reader *reader, size_t field)
{
    enum field_end end;
    for (;;) {
        int byte = peek(reader);
        if (byte > ',') { /* the usual case: no special byte is above the comma */
            keep(reader, byte);
            continue;
        }
        if (byte == PEEK_TOO_LONG)
            return FIELD_TOO_LONG;
        if (take_field_end(reader, byte, &end))
            return end;
        if (byte == '"')
            complain(reader, field, "has a quote inside a bare field: put the field in quotes and double the quote");
        else if (byte == '\r')
            complain(reader, field, "has a carriage return without a line feed: lines end in LF or CR LF");
        else if (byte == '\0')
            complain(reader, field, "has a NUL byte: the file must be UTF-8 text");
        keep(reader, byte);
    }
}

/* Behind the closing quote. */
static enum field_end read_after_quote(struct csv_reader *reader, size_t field)
{
    enum field_end end;
    int byte = peek(reader);
    if (byte == PEEK_TOO_LONG)
        return FIELD_TOO_LONG_QUOTED;
    if (take_field_end(reader, byte, &end))
        return end;
    return byte == '\r' ? read_bare(reader, field) : FIELD_TEXT_AFTER_QUOTE;
}

static enum field_end read_quoted(struct csv_reader *reader, size_t field)
{
    reader->quote = reader->scan++;
    reader->quote_line = reader->input->line + reader->feeds;
    for (;;) {
        int byte = peek(reader);
        if (byte == PEEK_TOO_LONG)
            return FIELD_TOO_LONG_QUOTED;
        if (byte == PEEK_END)
            return FIELD_UNCLOSED;
        if (byte == '"') {
            reader->scan++;
            if (peek(reader) != '"')
                return read_after_quote(reader, field);
        }
        reader->feeds += byte == '\n';
        if (byte == '\0')
            complain(reader, field, "has a NUL byte: the file must be UTF-8 text");
        keep(reader, byte);
    }
}

/* Consumes lines without a byte. False at the end of the stream. */
static bool skip_blank_lines(struct csv_reader *reader)
{
    struct input *input = reader->input;
    for (;;) {
        int byte = byte_at(reader, 0);
        if (byte == PEEK_END)
            return false;
        if (byte == '\r' && byte_at(reader, 1) == '\n')
            input->start += 2;
        else if (byte == '\n')
            input->start++;
        else
            return true;
        input->line++;
    }
}

/* Reads fields up to the end of the row, or to what breaks it. */
static enum field_end read_fields(struct csv_reader *reader, struct csv_row *row, size_t *ret_field)
{
    for (size_t field = 0;; field++) {
        size_t from = reader->unquoted_bytes;
        enum field_end end = peek(reader) == '"' ? read_quoted(reader, field) : read_bare(reader, field);
        *ret_field = field;
        if (end != FIELD_MORE && end != FIELD_LAST)
            return end;
        if (field < CSV_FIELDS_MAX_COUNT) {
            row->fields[field] = (struct text){ reader->unquoted + from, reader->unquoted_bytes - from };
            row->field_count = field + 1;
        } else {
            complain(reader, CSV_NO_FIELD, "has far too many fields");
        }
        reader->unquoted[reader->unquoted_bytes++] = '\0'; /* in the place of its comma or line end */
        if (end == FIELD_LAST)
            return end;
    }
}

static void resume_behind_broken_row(struct csv_reader *reader, enum field_end end)
{
    bool quote_in_doubt = end != FIELD_TOO_LONG;
    input_skip_line(reader->input, quote_in_doubt ? reader->quote : reader->scan,
                    quote_in_doubt ? reader->quote_line : reader->input->line + reader->feeds);
}

static const char *broken_message(enum field_end end)
{
    switch (end) {
    case FIELD_UNCLOSED:
        return "has an opening quote that is never closed";
    case FIELD_TEXT_AFTER_QUOTE:
        return "has text after its closing quote: a quote inside a quoted field must be doubled";
    case FIELD_TOO_LONG:
        return "makes the row longer than 65536 bytes, which is the most a row may have";
    case FIELD_TOO_LONG_QUOTED:
        return "makes the row longer than 65536 bytes: is its opening quote closed where it should be?";
    case FIELD_MORE:
    case FIELD_LAST:
        break;
    }
    return NULL;
}
_Static_assert(PAYFILE_LINE_MAX_BYTES == 65536, "the messages above name the limit");

enum csv_result csv_next(struct csv_reader *reader, struct csv_row *ret, struct csv_problem *ret_problem)
{
    struct input *input = reader->input;
    reader->unquoted_bytes = reader->scan = reader->feeds = 0;
    reader->complaint = NULL;
    if (!skip_blank_lines(reader))
        return CSV_END;
    uint64_t line = input->line;
    size_t field;
    ret->line = line;
    ret->field_count = 0;
    enum field_end end = read_fields(reader, ret, &field);
    if (input->failed)
        return CSV_END;
    if (end == FIELD_LAST) {
        input->start += reader->scan;
        input->line += reader->feeds;
        if (!reader->complaint)
            return CSV_ROW;
    } else {
        complain(reader, field, broken_message(end));
        resume_behind_broken_row(reader, end);
    }
    *ret_problem = (struct csv_problem){ .line = line, .field = reader->complaint_field, .message = reader->complaint };
    return CSV_BAD_ROW;
}

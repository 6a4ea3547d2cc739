/* The window over the stream: fixed memory, however long the lines are. */
#include "payfile/input.h"

enum bursar_status input_open(struct input *input, FILE *file, struct bursar_error *err)
{
    char *window = malloc(INPUT_WINDOW_BYTES);
    if (!window)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to read a payment file");
    *input = (struct input){ .file = file, .window = window, .line = 1 };
    return BURSAR_OK;
}

void input_close(struct input *input)
{
    free(input->window);
    *input = (struct input){ 0 };
}

bool input_fill(struct input *input)
{
    if (input->at_end)
        return false;
    if (INPUT_WINDOW_BYTES - input->end < INPUT_BLOCK_BYTES) {
        if (input->start == 0)
            return false;
        memmove(input->window, input->window + input->start, input_available(input));
        input->end -= input->start;
        input->start = 0;
        if (INPUT_WINDOW_BYTES - input->end < INPUT_BLOCK_BYTES)
            return false;
    }
    size_t got = fread(input->window + input->end, 1, INPUT_BLOCK_BYTES, input->file);
    input->end += got;
    if (got < INPUT_BLOCK_BYTES) {
        input->at_end = true;
        input->failed = ferror(input->file) != 0;
    }
    return got > 0;
}

void input_skip_line(struct input *input, size_t offset, uint64_t line)
{
    input->start += offset;
    input->line = line;
    for (;;) {
        const char *from = input->window + input->start;
        const char *feed = input_available(input) ? memchr(from, '\n', input_available(input)) : NULL;
        if (feed) {
            input->start += (size_t)(feed - from) + 1;
            input->line++;
            return;
        }
        input->start = input->end = 0;
        if (!input_fill(input))
            return;
    }
}

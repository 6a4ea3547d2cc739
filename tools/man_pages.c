/* Writes the man pages into a folder, from the tables that `bursar help` prints: `man_pages DIR` makes DIR/bursar.1,
 * a DIR/bursar-COMMAND.1 each, and DIR/bursar.conf.5. */
#include "cli/config.h"
#include "cli/context.h"
#include "cli/exit_code.h"

#include <string.h>

/* troff's own characters lose their meaning: a leading dot or quote, backslashes, and hyphens that are to be copied. */
static void put(FILE *page, const char *text)
{
    bool starts_line = true;
    for (const char *c = text; *c; c++) {
        if (starts_line && (*c == '.' || *c == '\''))
            (void)fputs("\\&", page);
        if (*c == '-' || *c == '\\')
            (void)fputs(*c == '-' ? "\\-" : "\\e", page);
        else
            (void)fputc(*c, page);
        starts_line = *c == '\n';
    }
}

static void put_block(FILE *page, const char *heading, const char *text)
{
    if (!*text)
        return;
    (void)fprintf(page, ".SH %s\n.nf\n", heading);
    put(page, text);
    (void)fprintf(page, "%s.fi\n", text[strlen(text) - 1] == '\n' ? "" : "\n");
}

static FILE *open_page(const char *folder, const char *name, int section)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s.%d", folder, name, section) >= (int)sizeof path)
        return NULL;
    FILE *page = fopen(path, "we");
    if (page)
        (void)fprintf(page, ".TH %s %d \"\" \"Bursar " BURSAR_VERSION "\" \"Bursar\"\n.SH NAME\n", name, section);
    else
        perror(path);
    return page;
}

static bool close_page(FILE *page)
{
    bool good = !ferror(page);
    return fclose(page) == 0 && good;
}

static bool write_overview(const char *folder)
{
    FILE *page = open_page(folder, "bursar", 1);
    if (!page)
        return false;
    (void)fputs("bursar \\- pays approved disbursements on Ethereum, each exactly once\n"
                ".SH SYNOPSIS\n.B bursar\n[\\-c FILE] [\\-\\-treasury NAME] COMMAND [OPTIONS]\n.SH COMMANDS\n",
                page);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)fprintf(page, ".TP\n.B %s\n", COMMANDS[i].name);
        put(page, COMMANDS[i].summary);
        (void)fputc('\n', page);
    }
    put_block(page, "OPTIONS",
              "-c, --config FILE   default: ./bursar.conf, else /etc/bursar/bursar.conf\n"
              "--treasury NAME     which one, where bursar.conf has several\n"
              "--json              one JSON document on standard output\n"
              "--version, --help\n");
    put_block(page, "EXIT STATUS", EXIT_CODE_HELP);
    (void)fputs(".SH SEE ALSO\n.BR bursar.conf (5)", page);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(page, ",\n.BR bursar\\-%s (1)", COMMANDS[i].name);
    (void)fputc('\n', page);
    return close_page(page);
}

static bool write_command(const char *folder, const struct command *command)
{
    char name[64];
    (void)snprintf(name, sizeof name, "bursar-%s", command->name);
    FILE *page = open_page(folder, name, 1);
    if (!page)
        return false;
    put(page, name);
    (void)fputs(" \\- ", page);
    put(page, command->summary);
    (void)fprintf(page, "\n.SH SYNOPSIS\n.B bursar\n[\\-c FILE] [\\-\\-treasury NAME]\n.B %s\n", command->name);
    put(page, command->synopsis);
    (void)fputc('\n', page);
    put_block(page, "DESCRIPTION", command->help);
    put_block(page, "EXIT STATUS", EXIT_CODE_HELP);
    (void)fputs(".SH SEE ALSO\n.BR bursar (1),\n.BR bursar.conf (5)\n", page);
    return close_page(page);
}

static bool write_config(const char *folder)
{
    struct buf text = { 0 };
    FILE *page = open_page(folder, "bursar.conf", 5);
    if (!page || !config_write_help(&text))
        return false;
    (void)fputs("bursar.conf \\- configuration of bursar\n", page);
    put_block(page, "DESCRIPTION", text.data);
    (void)fputs(".SH SEE ALSO\n.BR bursar (1)\n", page);
    buf_free(&text);
    return close_page(page);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fputs("usage: man_pages DIR\n", stderr);
        return 2;
    }
    bool good = write_overview(argv[1]) && write_config(argv[1]);
    for (size_t i = 0; i < COMMAND_COUNT && good; i++)
        good = write_command(argv[1], &COMMANDS[i]);
    return good ? 0 : 1;
}

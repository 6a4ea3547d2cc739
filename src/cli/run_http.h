/* The HTTP server of `bursar run`: from configuration to a running server. */
#ifndef CLI_RUN_HTTP_H
#define CLI_RUN_HTTP_H

#include "cli/config.h"
#include "cli/note_printer.h"
#include "http/server.h"

/* What the server borrows. Never moved while it runs. */
struct run_http {
    struct http_server *server; /* NULL: none is running */
    struct http_treasury *treasuries;
    size_t treasury_count;
    struct note_printer printer;
};

/* A server that can't be had is told, and is no error: paying goes on without it. Zero-initialise; takes `treasuries`
 * (malloc'd) over in any case. */
void run_http_start(struct run_http *http, const struct config *config, struct http_treasury *treasuries,
                    size_t treasury_count, struct http_metrics metrics);
void run_http_stop(struct run_http *http);

#endif

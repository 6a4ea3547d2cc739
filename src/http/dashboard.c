/* The dashboard: a page, its scripts and styles, handed out as they were built in. They hold nothing of a treasury:
 * whoever may read them still needs a token for what they show. */
#include "http/dashboard_files.h"
#include "http/parts.h"

#include <string.h>

/* Scripts, styles and connections of this server only, nothing inline, no text turned into markup. */
static const char POLICY[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                             "require-trusted-types-for 'script'; trusted-types 'none'";

static const struct dashboard_file *find(const char *name)
{
    for (const struct dashboard_file *file = DASHBOARD_FILES; file->name; file++) {
        if (strcmp(file->name, name) == 0)
            return file;
    }
    return NULL;
}

static void answer(struct http_call *call, const char *name)
{
    const struct dashboard_file *file = find(name);
    if (!file && !DASHBOARD_FILES[0].name) {
        http_problem(call, 404, "no_dashboard", "this program was built without the dashboard");
        return;
    }
    if (!file) {
        http_problem(call, 404, "no_such_path", "there is no such file; the dashboard is at /");
        return;
    }
    const char *known = http_header(call, "If-None-Match");
    bool is_known = known && strstr(known, file->etag);
    http_bytes(call, is_known ? 304 : 200, file->content_type, file->bytes, is_known ? 0 : file->length_bytes);
    call->answer.content_security_policy = POLICY;
    call->answer.cache_control = "no-cache"; /* kept, and asked for each time: a new program brings a new page */
    http_add_header(call, "ETag", "%s", file->etag);
}

void http_get_dashboard(struct http_call *call)
{
    answer(call, "index.html");
}

void http_get_dashboard_file(struct http_call *call)
{
    answer(call, call->parameters.values[0]);
}

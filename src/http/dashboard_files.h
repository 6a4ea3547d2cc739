/* The dashboard's files, turned into arrays of bytes when the program is built. */
#ifndef HTTP_DASHBOARD_FILES_H
#define HTTP_DASHBOARD_FILES_H

#include <stddef.h>

struct dashboard_file {
    const char *name; /* "index.html" */
    const char *content_type;
    const char *etag; /* quoted, of its content */
    const unsigned char *bytes;
    size_t length_bytes;
};

/* Ends with a name that is NULL. Empty in a program that was built without the dashboard. */
extern const struct dashboard_file DASHBOARD_FILES[];

#endif

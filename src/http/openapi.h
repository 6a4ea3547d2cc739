/* The description of the API: openapi.json, as it is served. */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

extern const char OPENAPI_TEXT[];

#endif

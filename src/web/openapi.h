/* openapi.h - the whole interface for programs to read: web/openapi.json, which
 * travels inside the program. */

#ifndef POSTERN_WEB_OPENAPI_H
#define POSTERN_WEB_OPENAPI_H

#include <stddef.h>

/* The file as it is, with the paths that base_path=/v2 gives; NUL-terminated. */
extern const char openapi_text[];

/* The document for another base path, which the caller frees. */
char *openapi_under(const char *base_path, size_t *size);

#endif

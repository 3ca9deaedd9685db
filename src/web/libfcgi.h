/* libfcgi.h - one request through libfcgi, whose only home this is.
 *
 * It is given a request that has come as a whole (arrival.h), so it never waits for
 * one; it takes the records apart, and wraps the answer into others. */

#ifndef POSTERN_WEB_LIBFCGI_H
#define POSTERN_WEB_LIBFCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "web/arrival.h"

struct libfcgi;

/* Start the library, once in a process.  SIGPIPE is ignored from then on; other
 * signals stay as they were.  NULL when it does not start (logged). */
struct libfcgi *libfcgi_new(void);
void libfcgi_free(struct libfcgi *libfcgi);

/*
 * Hand over a READY request.  True, and the arrival is used until
 * libfcgi_finish(); or false, when the library will not take it or there is no
 * memory (logged), and the arrival is to be ended.
 */
bool libfcgi_begin(struct libfcgi *libfcgi, struct arrival *arrival);

/* "NAME=VALUE" strings, NULL-terminated; until libfcgi_finish(). */
const char *const *libfcgi_params(const struct libfcgi *libfcgi);

/* As gateway.h has them.  A body that was broken off leaves the arrival not
 * whole. */
ssize_t libfcgi_read(struct libfcgi *libfcgi, void *bytes, size_t size);
int libfcgi_write(struct libfcgi *libfcgi, const void *bytes, size_t size);

/* How many bytes of the answer libfcgi_write() was given. */
size_t libfcgi_answer_size(const struct libfcgi *libfcgi);

/* Send what is left of the answer to `fd`, the arrival's connection or another
 * that is to have it instead; and wipe the request. */
void libfcgi_finish(struct libfcgi *libfcgi, int fd);

#endif

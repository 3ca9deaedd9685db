/* route.h - the table of addresses, and the way of one request through it. */

#ifndef POSTERN_WEB_ROUTE_H
#define POSTERN_WEB_ROUTE_H

#include <stddef.h>

#include "acts/service.h"
#include "web/gateway.h"

enum route_result {
	ROUTE_ANSWERED,
	ROUTE_UNSENT, /* nobody was there to take the answer */
};

/*
 * Serve one request: read it, find its address, know its client, let the
 * endpoint answer, send, write the log line, wipe.
 */
enum route_result route_serve(const struct service *service,
    const struct gateway *gateway);

/*
 * The address and method of a row of the table, for metrics: from 1; 0 is what is
 * in no row.  NULL behind the last.
 */
const char *route_row(size_t row, const char **method);

#endif

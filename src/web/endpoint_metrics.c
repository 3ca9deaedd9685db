/* endpoint_metrics.c - GET /metrics: numbers for Prometheus, not for
 * everybody. */

#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/memory.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/metrics_text.h"

static bool
may_read(const struct exchange *exchange)
{
	struct address address;

	return address_parse(exchange->request->remote_addr, &address) == 0 &&
	       address_in_list(&address,
		   exchange->service->config->metrics_allow);
}

void
endpoint_metrics(struct exchange *exchange)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	/* To others there is no such address. */
	if (!may_read(exchange)) {
		error_answer(exchange->response, ERROR_NO_SUCH_ADDRESS, NULL);
		return;
	}
	out = open_memstream(&text, &size);
	if (out == NULL)
		memory_exhausted();
	metrics_text_write(exchange->service->board, exchange->service->gate,
	    out);
	if (fclose(out) != 0)
		memory_exhausted();
	response_text(exchange->response, 200, METRICS_TEXT_TYPE, text, size);
}

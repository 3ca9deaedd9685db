/* endpoint_openapi.c - GET /openapi.json: the interface, for programs. */

#include <stdlib.h>

#include "web/endpoint.h"
#include "web/etag.h"
#include "web/openapi.h"

/* It changes when the program does. */
#define MAX_AGE_SECONDS 3600

void
endpoint_openapi(struct exchange *exchange)
{
	struct response *response = exchange->response;
	size_t size;
	char *text = openapi_under(exchange->service->config->base_path, &size);

	if (etag_matches(response, exchange->request, text, size,
		MAX_AGE_SECONDS))
		free(text);
	else
		response_text(response, 200, "application/json", text, size);
}

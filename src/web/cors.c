/* cors.c - pages of allowed_origins may ask with cookies, and read the answers. */

#include "web/cors.h"

#include "web/origin.h"

/* For so long a browser need not ask again; so long, too, it may take until a
 * changed setting counts. */
#define PREFLIGHT_SECONDS 600

void
cors_head(const struct config *config, const struct request *request,
    struct response *response)
{
	/* What an authorizer says goes along with somebody else's answer. */
	if (config->allowed_origins[0] == '\0' || request->authorizer)
		return;
	response_header(response, "Vary", "Origin");
	if (!origin_is_allowed(config, request))
		return;
	response_header(response, "Access-Control-Allow-Origin", "%s",
	    request->origin);
	response_header(response, "Access-Control-Allow-Credentials", "true");
	response_header(response, "Access-Control-Expose-Headers",
	    "X-Request-Id, Retry-After");
}

bool
cors_is_preflight(const struct config *config, const struct request *request)
{
	return request->method == METHOD_OPTIONS &&
	    request->preflight_method != NULL &&
	    origin_is_allowed(config, request);
}

void
cors_preflight(struct response *response, const char *methods)
{
	response->status = 204;
	response_header(response, "Access-Control-Allow-Methods", "%s",
	    methods);
	response_header(response, "Access-Control-Allow-Headers",
	    "Authorization, Content-Type, X-Api-Key");
	response_header(response, "Access-Control-Max-Age", "%d",
	    PREFLIGHT_SECONDS);
}

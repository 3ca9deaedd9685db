/* origin.c - which pages may use a service's cookies. */

#include "web/origin.h"
#include "base/list.h"

#include <string.h>
#include <strings.h>

bool
origin_is_allowed(const struct config *config, const struct request *request)
{
	return request->origin != NULL &&
	    list_has(config->allowed_origins, request->origin);
}

/* Is the Origin the one that this request went to?  Where TLS ends before us, we
 * may have come by "http"; a page loaded by that never passes for one of HTTPS,
 * when we know that this is HTTPS. */
static bool
is_own(const struct request *request)
{
	const char *origin = request->origin;

	if (origin == NULL || request->host == NULL)
		return false;
	if (strncasecmp(origin, "https://", 8) == 0)
		return strcasecmp(origin + 8, request->host) == 0;
	return !request->https && strncasecmp(origin, "http://", 7) == 0 &&
	    strcasecmp(origin + 7, request->host) == 0;
}

bool
origin_may_act(const struct config *config, const struct request *request)
{
	const char *site = request->fetch_site;

	if (origin_is_allowed(config, request))
		return true;
	if (site == NULL)
		return is_own(request);
	/* "none": no page asked, but the person. */
	return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

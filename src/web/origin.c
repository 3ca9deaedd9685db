/* origin.c - which pages may use a service's cookies. */

#include "web/origin.h"

#include <string.h>
#include <strings.h>

#include "base/list.h"

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

#define ORIGIN_SIZE 268 /* of the longest that the setting takes */

bool
origin_is_allowed_url(const struct config *config, const char *url)
{
	char origin[ORIGIN_SIZE];
	const char *host = strstr(url, "://");
	size_t size;

	for (const char *at = url; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f || *at == '\\')
			return false;
	if (host == NULL)
		return false;
	size = (size_t)(host + 3 - url) + strcspn(host + 3, "/?#");
	if (size >= sizeof(origin))
		return false;
	memcpy(origin, url, size);
	origin[size] = '\0';
	return list_has(config->allowed_origins, origin);
}

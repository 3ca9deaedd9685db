/* fuzz_origin.c - whatever a URL or a page's headers say, only allowed origins are
 * led to, and only they or our own may act.
 *
 * Input: a byte of what is there, then lines: URL or Origin, Host, Sec-Fetch-Site. */

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "fuzz.h"
#include "web/origin.h"

static const char *const allowed[] = {
	"https://app.example.test",
	"http://localhost:3000",
};

enum { HAS_ORIGIN = 1, HAS_HOST = 2, HAS_SITE = 4, IS_HTTPS = 8 };

/* Where a browser would go, were it one of ours: scheme and authority alike, and
 * behind them the end or a path, a query, a fragment. */
static bool
leads_to_allowed(const char *url)
{
	for (size_t i = 0; i < 2; i++) {
		size_t size = strlen(allowed[i]);

		if (strncasecmp(url, allowed[i], size) == 0 &&
		    strchr("/?#", url[size]) != NULL)
			return true;
	}
	return false;
}

static bool
is_allowed(const char *origin)
{
	return strcasecmp(origin, allowed[0]) == 0 ||
	       strcasecmp(origin, allowed[1]) == 0;
}

static char *
take_line(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *stop = *at < end ? memchr(*at, '\n',
					      (size_t)(end - *at))
					: NULL;
	char *line;

	if (stop == NULL)
		stop = end;
	line = memory_text_part((const char *)*at, (size_t)(stop - *at));
	*at = stop < end ? stop + 1 : end;
	return line;
}

static void
check_act(const struct config *config, const struct request *request)
{
	bool may = origin_may_act(config, request);
	const char *origin = request->origin;

	MUST(origin_is_allowed(config, request) ==
	     (origin != NULL && is_allowed(origin)));
	if (!may || origin_is_allowed(config, request))
		return;
	/* By a browser's word, or from our own host. */
	if (request->fetch_site != NULL) {
		MUST(strcmp(request->fetch_site, "cross-site") != 0 &&
		     strcmp(request->fetch_site, "same-site") != 0);
		return;
	}
	MUST(origin != NULL && request->host != NULL);
	MUST(strlen(origin) > strlen(request->host) + 3);
	MUST(strcasecmp(origin + strlen(origin) - strlen(request->host),
		 request->host) == 0);
	MUST(!request->https || strncasecmp(origin, "https:", 6) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char list[] = "https://app.example.test, http://localhost:3000";
	const struct config config = { .allowed_origins = list };
	const uint8_t *end = data + size;
	struct request request = { 0 };
	char *origin, *host, *site;
	unsigned has;

	if (size == 0)
		return 0;
	has = *data++;
	origin = take_line(&data, end);
	host = take_line(&data, end);
	site = take_line(&data, end);

	if (origin_is_allowed_url(&config, origin))
		MUST(leads_to_allowed(origin));
	request.origin = has & HAS_ORIGIN ? origin : NULL;
	request.host = has & HAS_HOST ? host : NULL;
	request.fetch_site = has & HAS_SITE ? site : NULL;
	request.https = has & IS_HTTPS;
	check_act(&config, &request);
	free(origin);
	free(host);
	free(site);
	return 0;
}

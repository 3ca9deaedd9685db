/* fuzz_route.c - any request, all the way to its answer, by a service whose
 * database is away.
 *
 * In a param "@token@" stands for an access token that is valid, so that it can be
 * met, "@refresh@" for a refresh token, "@key@" for an API key. */

#include "acts/client.h"
#include "acts/service.h"
#include "base/json.h"
#include "base/log.h"
#include "fuzz_gateway.h"
#include "fuzz_keys.h"
#include "hash/password.h"
#include "store/statements.h"
#include "token/access_token.h"
#include "token/api_key.h"
#include "token/refresh_token.h"
#include "web/route.h"

static struct config *config;
static char token[ACCESS_TOKEN_SIZE], refresh[REFRESH_TOKEN_SIZE];
static char key[API_KEY_SIZE];

static void
make_credentials(struct keys *keys)
{
	const struct access_claims claims = {
		.subject = { { 1 } },
		.session = { { 2 } },
		.token = { { 3 } },
		.issued = 1,
		.expires = INT64_C(1) << 40,
		.email = "a@example.org",
		.method = "pwd",
	};
	const struct refresh_claims old = { { { 1 } }, { { 2 } }, 7 };
	struct api_key made = { .kind = API_KEY_SECRET, .user = { { 1 } } };
	unsigned char digest[DIGEST_SIZE];

	MUST(access_token_issue(keys, config->issuer, config->audience, &claims,
		 FUZZ_NOW_US, token) == 0);
	refresh_token_issue(keys, &old, refresh, digest);
	api_key_make(&made, key);
}

static struct service
make_service(void)
{
	const struct db_options options = {
		.conninfo = "host=/nonexistent",
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.prepare = true,
		.timeout_ms = 1000,
	};
	const struct gate_options gate = {
		.engine = GATE_ENGINE_LIBSCRYPT,
		.slots = 1,
		.lanes = 1,
		.places = 1,
		.cost = { .log2_n = 10, .r = 8, .p = 1 },
		.deadline_ms = 1000,
	};
	struct keys *keys = fuzz_keys();
	char why[CONFIG_WHY_SIZE];

	MUST(log_open("/dev/null", LOG_FORMAT_JSON, LOG_LEVEL_INFO) == 0);
	setenv("POSTERN_ISSUER", "https://id.example.org", 1);
	setenv("POSTERN_AUDIENCE", "https://api.example.org", 1);
	setenv("POSTERN_SSO_DOMAINS", "corp.example", 1);
	setenv("POSTERN_ALLOWED_ORIGINS", "https://app.example", 1);
	setenv("POSTERN_KEY_DIR", "/nonexistent", 1);
	unsetenv("POSTERN_CONFIG");
	config = config_load(NULL, why);
	MUST(config != NULL);
	make_credentials(keys);
	password_init(&gate.cost);
	return (struct service){
		.config = config,
		.db = db_open(&options),
		.keys = keys,
		.clients = client_cache_new(),
		.tokens = access_cache_new(),
		.gate = gate_new(&gate),
	};
}

/* Put `text` in the place of `word`, once. */
static char *
put_in(char *line, const char *word, const char *text)
{
	char *at = strstr(line, word), *whole;
	size_t room = strlen(line) + strlen(text) + 1;

	if (at == NULL)
		return line;
	whole = memory_zeroed(room, 1);
	snprintf(whole, room, "%.*s%s%s", (int)(at - line), line, text,
	    at + strlen(word));
	free(line);
	return whole;
}

/* The head of an answer: lines of visible text, then an empty one. */
static const char *
check_head(const struct fuzz_peer *peer, const char *head)
{
	const char *end = strstr(head, "\r\n\r\n");

	MUST(end != NULL && end - head < 4096);
	MUST(strlen(head) == peer->answer_size);
	for (; head < end; head++) {
		if (head[0] == '\r' && head[1] == '\n')
			head += 2;
		MUST((unsigned char)*head >= 0x20 && *head != 0x7f);
	}
	return end + 4;
}

static bool
shows_token(const struct fuzz_peer *peer)
{
	for (size_t i = 0; peer->params[i] != NULL; i++)
		if (strstr(peer->params[i], token) != NULL)
			return true;
	return false;
}

/* No cookie is given, but one may be taken away. */
static void
check_cookies(const char *head)
{
	while ((head = strstr(head, "\r\nSet-Cookie: ")) != NULL) {
		head += 2;
		MUST(memmem(head, strcspn(head, "\r"), "; Max-Age=0;", 12));
	}
}

/* Without a database nobody can be given anything, and nothing goes wrong. */
static void
check_answer(const struct fuzz_peer *peer)
{
	struct json_object *value;
	const char *body, *why, *status = peer->answer;

	MUST(peer->writes == 1);
	MUST(strncmp(status, "Status: ", 8) == 0);
	status += 8;
	MUST(strncmp(status, "500", 3) != 0);
	body = check_head(peer, peer->answer);
	MUST((strncmp(status, "503", 3) == 0) ==
	     (strstr(peer->answer, "\r\nRetry-After: ") != NULL));
	MUST(
	    !peer->gateway.authorizer || status[0] != '2' || shows_token(peer));
	check_cookies(peer->answer);
	if (strstr(peer->answer, "\r\nContent-Type: application/json\r\n")) {
		value = json_parse(body, strlen(body), &why);
		MUST(json_kind(value) == JSON_OBJECT);
		json_free(value);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct service service;
	struct fuzz_peer peer;

	if (config == NULL)
		service = make_service();
	fuzz_peer_start(&peer, data, size);
	for (size_t i = 0; peer.params[i] != NULL; i++) {
		peer.params[i] = put_in(peer.params[i], "@token@", token);
		peer.params[i] = put_in(peer.params[i], "@refresh@", refresh);
		peer.params[i] = put_in(peer.params[i], "@key@", key);
	}
	config->client_auth = peer.manner & PEER_OTHERWISE
				  ? CLIENT_AUTH_OPTIONAL
				  : CLIENT_AUTH_REQUIRED;
	MUST((route_serve(&service, &peer.gateway) == ROUTE_UNSENT) ==
	     ((peer.manner & PEER_IS_GONE) != 0));
	check_answer(&peer);
	fuzz_peer_end(&peer);
	return 0;
}

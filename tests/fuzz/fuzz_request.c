/* fuzz_request.c - what is taken for a request keeps what request.h promises,
 * whatever a web server, or somebody in its place, sends. */

#include "base/text.h"
#include "fuzz_gateway.h"
#include "web/request.h"

#define LIMIT 300

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* The address of no other place than it says. */
static void
check_path(const char *path)
{
	const char *segment = path;

	MUST(path[0] == '/' && !has_control(path));
	MUST(strlen(path) < REQUEST_PATH_SIZE);
	while (segment != NULL) {
		segment++;
		MUST(segment == path + 1 || *segment != '/');
		MUST(strncmp(segment, "./", 2) != 0);
		MUST(strcmp(segment, ".") != 0);
		MUST(strncmp(segment, "../", 3) != 0);
		MUST(strcmp(segment, "..") != 0);
		segment = strchr(segment, '/');
	}
}

/* What an authorizer is asked about may be anything. */
static void
check_head(const struct request *request)
{
	if (request->authorizer)
		MUST(request->query[0] == '\0');
	else
		MUST(request->remote_addr != NULL && request->path[0] != '\0');
	if (request->path[0] != '\0')
		check_path(request->path);
}

/* Kept as it came when it may be, but for what is cut off at a character. */
static void
check_device(const char *agent, const char *device)
{
	size_t size = strlen(device);

	MUST(size < REQUEST_DEVICE_SIZE);
	MUST(text_is_utf8(device, size) && !has_control(device));
	if (agent == NULL) {
		MUST(size == 0);
		return;
	}
	if (!text_is_utf8(agent, strlen(agent)) || has_control(agent))
		return;
	MUST(strncmp(agent, device, size) == 0);
	MUST(agent[size] == '\0' || size >= REQUEST_DEVICE_SIZE - 4);
}

static void
check_query(const struct request *request)
{
	char value[40];

	for (size_t room = 1; room <= sizeof(value); room += 13) {
		if (request_query(request, "sessionId", value, room) !=
		    QUERY_FOUND)
			continue;
		MUST(value[0] != '\0' && strlen(value) < room);
		MUST(!has_control(value));
		MUST(strstr(request->query, "sessionId=") != NULL);
	}
}

static void
check_body(const struct fuzz_peer *peer, const struct request *request,
    enum request_result result)
{
	const char *length = request->content_length;
	char text[24];

	if (result != REQUEST_OK)
		return;
	MUST(request->body_size <= LIMIT);
	MUST(request->body[request->body_size] == '\0');
	if (length != NULL && *length != '\0') {
		length += strspn(length, "0");
		snprintf(text, sizeof(text), "%zu", request->body_size);
		MUST(strcmp(*length == '\0' ? "0" : length, text) == 0);
	}
	/* It was read to its end, and the peer has kept its word. */
	MUST(peer->left == 0 && (peer->manner & PEER_BREAKS) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum request_result result;
	struct request request;
	struct fuzz_peer peer;

	fuzz_peer_start(&peer, data, size);
	result = request_read(&request, &peer.gateway);
	MUST(result != REQUEST_TOO_LARGE);
	MUST(result == REQUEST_OK || !request.authorizer);
	if (result == REQUEST_OK) {
		check_head(&request);
		check_device(request.user_agent, request.device);
		check_query(&request);
		MUST(!request_is_json(&request) ||
		     strncasecmp(request.content_type, "application/json",
			 16) == 0);
	} else {
		MUST(request.path[0] == '\0');
	}
	/* The body is read of what is refused as well. */
	check_body(&peer, &request, request_read_body(&request, LIMIT));
	request_end(&request);
	fuzz_peer_end(&peer);
	return 0;
}

/* config_check.c - is a setting's text what it has to be? */

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/config_private.h"
#include "base/list.h"

/* Room for a path in struct sockaddr_un, with its NUL. */
#define SOCKET_PATH_SIZE 108

const char *
config_check_listen(const char *text)
{
	const char *colon, *port;
	long number;

	if (*text == '\0')
		return NULL;
	if (strncmp(text, "unix:", 5) == 0) {
		if (text[5] == '\0')
			return "has no path behind unix:";
		if (strlen(text + 5) >= SOCKET_PATH_SIZE)
			return "has a path too long for a socket";
		return NULL;
	}
	colon = strrchr(text, ':');
	if (colon == NULL || colon == text)
		return "must be unix:PATH or HOST:PORT";
	port = colon + 1;
	if (strspn(port, "0123456789") != strlen(port) || strlen(port) > 5)
		return "must end in a port number";
	number = strtol(port, NULL, 10);
	if (number < 1 || number > 65535)
		return "must end in a port from 1 to 65535";
	return NULL;
}

const char *
config_check_base_path(const char *text)
{
	const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~./";
	const char *segment;
	size_t size;

	if (*text == '\0')
		return NULL;
	if (*text != '/')
		return "must begin with /";
	if (text[strlen(text) - 1] == '/')
		return "must not end in /";
	if (strspn(text, plain) != strlen(text))
		return "may hold letters, digits and -_~./ only";
	for (segment = text; *segment == '/'; segment += size) {
		segment++;
		size = strcspn(segment, "/");
		if (size == 0)
			return "must not hold //";
		if (strspn(segment, ".") >= size)
			return "must not hold the parts . and ..";
	}
	return NULL;
}

const char *
config_check_path(const char *text)
{
	return *text == '/' ? NULL : "must be a path that begins with /";
}

const char *
config_check_log(const char *text)
{
	if (strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0)
		return NULL;
	return *text == '/' ? NULL :
			      "must be stderr, syslog or a path that begins "
			      "with /";
}

const char *
config_check_domains(const char *text)
{
	const char *item;
	size_t size;

	while ((item = list_next(&text, &size)) != NULL)
		if (memchr(item, '.', size) == NULL ||
		    memchr(item, '@', size) != NULL ||
		    memchr(item, ' ', size) != NULL || *item == '.' ||
		    item[size - 1] == '.')
			return "must be a list of domains: example.org, ...";
	return NULL;
}

/* Tokens hold it as JSON, and have room for so much: two bytes for each quote and
 * backslash.  (Other characters that need more are in no text of a setting.) */
#define CLAIM_LIMIT 255

const char *
config_check_claim(const char *text)
{
	size_t size = 0;

	for (; *text != '\0'; text++)
		size += *text == '"' || *text == '\\' ? 2 : 1;
	return size <= CLAIM_LIMIT ?
	    NULL :
	    "may have at most 255 bytes, \" and \\ counting twice";
}

const char *
config_check_networks(const char *text)
{
	return address_list_is_valid(text) ?
	    NULL :
	    "must be a list of networks: 192.0.2.0/24, 2001:db8::/32, ...";
}

/* A name's 253 characters (RFC 1035 2.3.4), the scheme before, a port behind;
 * answers repeat an origin in their heads, where room is short. */
#define ORIGIN_LIMIT 267

/* How long a host's name or an IPv6 address in brackets is; 0: it is neither. */
static size_t
host_length(const char *text)
{
	size_t length;

	if (*text != '[')
		return strspn(text,
		    "abcdefghijklmnopqrstuvwxyz0123456789-._");
	length = 1 + strspn(text + 1, "0123456789abcdef:.");
	return text[length] == ']' ? length + 1 : 0;
}

/* An origin, letter for letter as browsers write it: in lower case, and without
 * the port that its scheme has anyway. */
static bool
is_origin(const char *item, size_t size)
{
	bool https = strncmp(item, "https://", 8) == 0;
	const char *host = item + (https ? 8 : 7);
	const char *colon;
	char *end;
	long port;

	if ((!https && strncmp(item, "http://", 7) != 0) ||
	    size > ORIGIN_LIMIT)
		return false;
	colon = host + host_length(host);
	if (colon == host || colon == item + size)
		return colon != host;
	if (*colon != ':' || colon[1] < '1' || colon[1] > '9')
		return false;
	port = strtol(colon + 1, &end, 10);
	return end == item + size && port <= 65535 &&
	    port != (https ? 443 : 80);
}

const char *
config_check_origins(const char *text)
{
	const char *item;
	size_t size;

	while ((item = list_next(&text, &size)) != NULL)
		if (!is_origin(item, size))
			return "must be a list of origins as browsers write "
			       "them: https://app.example.org, ...";
	return NULL;
}

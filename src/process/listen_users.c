/* listen_users.c - who may connect to a Unix socket. */

#include <pwd.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "process/listen_private.h"

/* The user whom a name or number means, or -1 (logged). */
static int64_t
find_user(const char *name)
{
	int64_t number = listen_number(name);
	const struct passwd *user;

	if (number >= 0)
		return number;
	user = getpwnam(name);
	if (user != NULL)
		return user->pw_uid;
	log_error("there is no user \"%s\" (socket_users)", name);
	return -1;
}

static int
add_user(uid_t **users, size_t *count, const char *text, size_t size)
{
	char *name = memory_text_part(text, size);
	int64_t uid = find_user(name);

	free(name);
	if (uid < 0)
		return -1;
	*users = reallocarray(*users, *count + 1, sizeof(**users));
	if (*users == NULL)
		memory_exhausted();
	(*users)[(*count)++] = (uid_t)uid;
	return 0;
}

int
listen_set_users(struct listener *listener, const struct config *config)
{
	const char *rest = config->socket_users, *item;
	uid_t *users = NULL;
	size_t count = 0, size;
	union listen_address address;

	while ((item = list_next(&rest, &size)) != NULL)
		if (add_user(&users, &count, item, size) != 0)
			goto fail;
	if (count > 0 && listen_name(listener, &address) == 0 &&
	    address.any.sa_family != AF_UNIX) {
		log_error("socket_users needs a Unix socket: who connects to "
			  "\"%s\" cannot be known",
		    listener->name);
		goto fail;
	}
	free(listener->users);
	listener->users = users;
	listener->user_count = count;
	return 0;

fail:
	free(users);
	return -1;
}

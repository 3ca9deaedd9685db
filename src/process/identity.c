/* identity.c - whom root becomes before the first request. */

#include "process/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* O_EXCL makes a file or does nothing, also where a link leads nowhere. */
static int
make_log(const struct config *config, const struct passwd *user)
{
	int fd, result;

	if (*config->log != '/')
		return 0;
	fd = open(config->log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1)
		return 0; /* the user opens it, or is told why not */
	result = fchown(fd, user->pw_uid, (gid_t)-1);
	if (result != 0)
		log_error("could not give the log \"%s\" to the user \"%s\": "
			  "%s",
		    config->log, user->pw_name, strerror(errno));
	close(fd);
	return result;
}

/* The groups first: whoever is no longer root cannot change them.  What could
 * be undone was not done. */
static int
become(const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) == 0 &&
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 &&
	    (user->pw_uid == 0 || setresuid(0, 0, 0) == -1))
		return 0;
	log_error("could not become the user \"%s\": %s", user->pw_name,
	    strerror(errno));
	return -1;
}

int
identity_settle(const struct config *config)
{
	const char *name = config->user;
	const struct passwd *user;

	if (geteuid() != 0 && *name == '\0')
		return 0;
	if (*name == '\0') {
		log_error("will not serve as root: name another user with the "
			  "setting user");
		return -1;
	}
	user = getpwnam(name);
	if (user == NULL) {
		log_error("there is no user \"%s\" (user)", name);
		return -1;
	}
	if (geteuid() == 0) {
		if (make_log(config, user) != 0)
			return -1;
		return become(user);
	}
	if (user->pw_uid != geteuid())
		log_warning("only root can become the user \"%s\" (user)",
		    name);
	return 0;
}

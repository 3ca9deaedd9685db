/* succession.h - what a parent leaves to the program that takes its place.
 *
 * On SIGHUP the parent becomes the program anew, by execve(2).  Its process id
 * and with it its children stay, and the listening socket does; all else is made
 * again from the settings, and by whatever program now lies on the disk.  So does
 * the standby of a parent that died, which has no children yet.  What it must be
 * told stands in a variable of the environment. */

#ifndef POSTERN_PROCESS_SUCCESSION_H
#define POSTERN_PROCESS_SUCCESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SUCCESSION_MOST 2048

struct succession_child {
	pid_t pid;
	int64_t started_ms; /* clock_steady_ms() */
};

struct succession {
	/* of struct listener */
	int fd;
	int source;
	bool one_at_a_time;
	bool has_path;
	uint64_t device, inode;
	int giver_fd;

	pid_t standby; /* of struct standby; 0: none */

	/* Until then, workers of a parent that died may serve beside ours:
	 * clock_steady_ms(); 0: there are none. */
	int64_t strangers_until_ms;

	size_t count;
	struct succession_child children[SUCCESSION_MOST];
};

/* Bytes of the longest text, the NUL included. */
#define SUCCESSION_TEXT_SIZE (224 + SUCCESSION_MOST * 32)

/* Write it for the process `heir`, and read it there.  Parsing returns 0; or -1
 * for what is malformed or was meant for another process. */
void succession_format(const struct succession *succession, pid_t heir,
    char text[static SUCCESSION_TEXT_SIZE]);
int succession_parse(const char *text, pid_t heir,
    struct succession *succession);

/* Is it a child of this process, or was the number somebody else's? */
bool succession_is_child(pid_t pid);

/* Put it into the environment for `heir`, and let execve(2) keep the file
 * descriptors that it names; and take both back.  succession_bequeath() returns 0, or
 * -1 with the reason in errno. */
int succession_bequeath(const struct succession *succession, pid_t heir);
void succession_forget(const struct succession *succession);

enum succession_taken {
	SUCCESSION_NONE, /* an ordinary start */
	SUCCESSION_TAKEN,
	SUCCESSION_BAD, /* logged */
};

/* Take what was left to this process; children must not think that it was meant
 * for them. */
enum succession_taken succession_take(struct succession *succession);

#endif

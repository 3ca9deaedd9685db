/* ctl_import.c - people out of a file: reads, counts, tells how far it is. */

#include "ctl/ctl_import.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acts/account.h"
#include "acts/import.h"
#include "acts/import_file.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_text.h"

#define BAR_WIDTH    40
#define BAR_EVERY_MS 100

/* An answer in JSON holds no more refusals than this; stderr has all. */
#define PROBLEMS_LIMIT 1000

struct run {
	const struct ctl *ctl;
	const char *path;
	bool dry;
	FILE *stream;
	struct import_file *file;
	struct import *import;
	int64_t people, refused;
	struct json_object *problems;

	bool has_bar;
	int64_t size; /* of the file; 0: not known */
	int64_t drawn_ms;
};

/* ---- signals ------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void
note_signal(int number)
{
	interrupted = number;
}

/* An interrupt lets the batch end, and the answer be told.  Without SA_RESTART, so
 * that it ends waiting for a pipe. */
static void
catch_signals(void)
{
	const struct sigaction action = { .sa_handler = note_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* End as a program does that was interrupted, once all is told. */
static void
obey_signal(void)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };

	if (interrupted == 0)
		return;
	fflush(stdout);
	sigaction(interrupted, &action, NULL);
	raise(interrupted);
}

/* ---- the bar ------------------------------------------------------------- */

static void
clear_bar(const struct run *run)
{
	if (run->has_bar)
		fputs("\r\033[K", stderr);
}

static void
draw_bar(struct run *run)
{
	int64_t now_ms = clock_steady_ms();
	int64_t done = import_file_position(run->file);
	int filled;

	if (!run->has_bar || now_ms - run->drawn_ms < BAR_EVERY_MS)
		return;
	run->drawn_ms = now_ms;
	clear_bar(run);
	if (run->size > 0) {
		if (done > run->size)
			done = run->size;
		filled = (int)(done * BAR_WIDTH / run->size);
		fprintf(stderr, "[%.*s%*s] %3d %%  ", filled,
		    "########################################",
		    BAR_WIDTH - filled, "", (int)(done * 100 / run->size));
	}
	fprintf(stderr, "people: %" PRId64, run->people);
	fflush(stderr);
}

/* ---- lines --------------------------------------------------------------- */

static void
refuse_line(struct run *run, int64_t line, const char *why)
{
	struct json_object *problem;

	run->refused++;
	clear_bar(run);
	fprintf(stderr, "posternctl: line %" PRId64 ": ", line);
	ctl_text_put(stderr, why, 2);
	fputc('\n', stderr);
	if (json_array_length(run->problems) == PROBLEMS_LIMIT)
		return;
	problem = json_new_object();
	json_add_int(problem, "line", line);
	json_add_string(problem, "reason", why);
	json_append(run->problems, problem);
}

static enum store_result
take(struct run *run, const struct import_person *person)
{
	int64_t before = import_seen(run->import, person);
	char why[IMPORT_WHY_SIZE];

	run->people++;
	if (before == 0)
		return import_take(run->import, person);
	snprintf(why, sizeof(why),
	    "the address stands in line %" PRId64 " already", before);
	refuse_line(run, person->line, why);
	return STORE_OK;
}

static enum ctl_exit
refuse_store(const struct run *run, enum store_result result)
{
	clear_bar(run);
	ctl_refuse_store(run->ctl, result, "add the accounts");
	fprintf(stderr, "  added so far: %" PRId64 "; run it again to go on\n",
	    import_counts(run->import).added);
	return result == STORE_UNAVAILABLE ? CTL_UNREACHABLE : CTL_REFUSED;
}

/* All of the file, whatever its lines are like. */
static enum ctl_exit
take_all(struct run *run)
{
	enum import_result read = IMPORT_PERSON;
	enum store_result stored = STORE_OK;
	struct import_person person = { .line = 0 };

	while (stored == STORE_OK && interrupted == 0) {
		read = import_file_next(run->file, &person);
		if (read == IMPORT_END || read == IMPORT_BROKEN)
			break;
		if (read == IMPORT_PERSON)
			stored = take(run, &person);
		else
			refuse_line(run, person.line, person.why);
		draw_bar(run);
	}
	secret_wipe(&person, sizeof(person));
	if (stored == STORE_OK)
		stored = import_finish(run->import);
	if (stored != STORE_OK)
		return refuse_store(run, stored);
	clear_bar(run);
	if (read != IMPORT_BROKEN || interrupted != 0)
		return run->refused == 0 ? CTL_DONE : CTL_REFUSED;
	return ctl_refuse(CTL_UNREACHABLE, "run it again to go on",
	    "could not read on in \"%s\": %s", run->path, strerror(errno));
}

/* ---- the answer ---------------------------------------------------------- */

static void
print_counts(struct run *run)
{
	struct import_counts counts = import_counts(run->import);
	struct json_object *answer;

	if (!run->ctl->json) {
		ctl_text_put(stdout, run->path, 0);
		printf(": %s: %" PRId64 ", had an account: %" PRId64
		       ", refused: %" PRId64 "%s\n",
		    run->dry ? "would be added" : "added", counts.added,
		    counts.were_there, run->refused,
		    interrupted != 0 ? "; interrupted" : "");
		return;
	}
	answer = json_new_object();
	json_add_bool(answer, "dryRun", run->dry);
	json_add_bool(answer, "interrupted", interrupted != 0);
	json_add_int(answer, "added", counts.added);
	json_add_int(answer, "alreadyThere", counts.were_there);
	json_add_int(answer, "refused", run->refused);
	json_add(answer, "problems", run->problems);
	run->problems = NULL;
	ctl_output_json(answer);
}

/* ---- the command --------------------------------------------------------- */

static enum ctl_exit
open_file(struct run *run, const struct import_rules *rules)
{
	char why[IMPORT_WHY_SIZE];
	struct stat about;

	run->stream =
	    strcmp(run->path, "-") == 0 ? stdin : fopen(run->path, "re");
	if (run->stream == NULL)
		return ctl_refuse(CTL_UNREACHABLE, NULL,
		    "could not open \"%s\": %s", run->path, strerror(errno));
	if (fstat(fileno(run->stream), &about) == 0 && S_ISREG(about.st_mode))
		run->size = about.st_size;
	run->file = import_file_open(run->stream, rules, why);
	if (run->file != NULL)
		return CTL_DONE;
	return ctl_refuse(CTL_USAGE,
	    "the fields are email, hash, status and name; other columns are\n"
	    "passed over with --ignore-unknown",
	    "\"%s\" is no list of people: %s", run->path, why);
}

enum ctl_exit
ctl_import_run(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct import_rules rules = {
		.status = ACCOUNT_CONFIRMED,
		.ignore_unknown = arguments->ignore_unknown,
		.hash_memory_most =
		    (uint64_t)ctl->config->hash_other_mib << 20,
	};
	struct run run = {
		.ctl = ctl,
		.path = arguments->operands[0],
		.dry = arguments->dry_run,
		.has_bar = isatty(STDERR_FILENO) == 1,
	};
	enum ctl_exit done;

	done = ctl_status(arguments->status, &rules.status);
	if (done == CTL_DONE)
		done = open_file(&run, &rules);
	if (done == CTL_DONE) {
		catch_signals();
		run.import = import_new(ctl->db, run.dry);
		run.problems = json_new_array();
		done = take_all(&run);
		print_counts(&run);
		obey_signal();
	}
	json_free(run.problems);
	import_free(run.import);
	import_file_close(run.file);
	if (run.stream != NULL && run.stream != stdin)
		fclose(run.stream);
	return done;
}

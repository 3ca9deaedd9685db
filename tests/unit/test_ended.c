/* test_ended.c - no session that has ended is ever said to stand, whatever
 * happens to those who write it down. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acts/ended.h"
#include "base/clock.h"
#include "base/shared.h"

#define TOKEN_SECONDS 900

/* As in ended.c. */
#define BUCKETS 4096
#define PLACES  8

#define CHILDREN 4
#define ADDS     20000

static int64_t
now_seconds(void)
{
	return clock_now_us() / CLOCK_SECOND_US;
}

/* When a token was issued: after all that was before, and before all that
 * follows. */
static int64_t
token_now(void)
{
	int64_t issued = now_seconds() + 1;

	while (now_seconds() < issued)
		usleep(1000);
	return issued;
}

/* A session whose place in the list is near that of all others of its number. */
static struct id
session_in(int bucket)
{
	struct id id = id_ordered(clock_now_us());

	id.bytes[ID_SIZE - 2] = (unsigned char)(bucket >> 8);
	id.bytes[ID_SIZE - 1] = (unsigned char)bucket;
	return id;
}

static void
test_knows_what_it_was_told(void **state)
{
	struct ended *ended = ended_new(TOKEN_SECONDS);
	struct id one = id_ordered(clock_now_us());
	struct id other = id_ordered(clock_now_us());
	int64_t later = now_seconds() + 1;

	(void)state;
	assert_non_null(ended);
	assert_int_equal(ended_look(ended, &one, later), ENDED_NOT);
	ended_add(ended, &one);
	assert_int_equal(ended_look(ended, &one, later), ENDED_SURELY);
	assert_int_equal(ended_look(ended, &one, 0), ENDED_SURELY);
	assert_int_equal(ended_look(ended, &other, later), ENDED_NOT);
	ended_free(ended);
	ended_free(NULL);
}

static void
test_what_was_before_is_unknown(void **state)
{
	struct id session = id_ordered(clock_now_us());
	int64_t before = now_seconds();
	struct ended *ended = ended_new(TOKEN_SECONDS);
	int64_t issued = token_now();

	(void)state;
	assert_int_equal(ended_look(ended, &session, before), ENDED_UNKNOWN);
	assert_int_equal(ended_look(ended, &session, issued), ENDED_NOT);
	ended_doubt(ended);
	assert_int_equal(ended_look(ended, &session, issued), ENDED_UNKNOWN);
	assert_int_equal(ended_look(ended, &session, now_seconds() + 1),
	    ENDED_NOT);
	ended_doubt_for(ended, 0);
	assert_int_equal(ended_look(ended, &session, now_seconds() + 1),
	    ENDED_NOT);
	ended_doubt_for(ended, 3600000);
	assert_int_equal(ended_look(ended, &session, now_seconds() + 3600),
	    ENDED_UNKNOWN);
	assert_int_equal(ended_look(ended, &session, now_seconds() + 3602),
	    ENDED_NOT);
	ended_free(ended);
}

/* Another list is written to beside this one. */
static void
test_nothing_is_judged_while_suspended(void **state)
{
	struct ended *ended = ended_new(TOKEN_SECONDS);
	struct id one = id_ordered(clock_now_us());
	struct id other = id_ordered(clock_now_us());
	int64_t issued = token_now();

	(void)state;
	ended_add(ended, &one);
	assert_int_equal(ended_look(ended, &other, issued), ENDED_NOT);
	ended_suspend(ended);
	assert_int_equal(ended_look(ended, &one, issued), ENDED_SURELY);
	assert_int_equal(ended_look(ended, &other, issued), ENDED_UNKNOWN);
	assert_int_equal(ended_look(ended, &other, issued + TOKEN_SECONDS),
	    ENDED_UNKNOWN);
	ended_resume(ended);
	assert_int_equal(ended_look(ended, &one, issued), ENDED_SURELY);
	assert_int_equal(ended_look(ended, &other, issued), ENDED_UNKNOWN);
	assert_int_equal(ended_look(ended, &other, now_seconds() + 1),
	    ENDED_NOT);
	ended_free(ended);
}

static void
test_without_a_list(void **state)
{
	struct id session = id_ordered(clock_now_us());

	(void)state;
	ended_add(NULL, &session);
	ended_doubt(NULL);
	ended_doubt_for(NULL, 1);
	ended_suspend(NULL);
	ended_resume(NULL);
	assert_int_equal(ended_look(NULL, &session, now_seconds() + 1),
	    ENDED_UNKNOWN);
}

/* More sessions than there is room for. */
static void
fill(struct ended *ended, struct id *sessions, int count)
{
	for (int i = 0; i < count; i++) {
		sessions[i] = session_in(77);
		ended_add(ended, &sessions[i]);
	}
}

static void
test_the_oldest_make_room(void **state)
{
	struct ended *ended = ended_new(TOKEN_SECONDS);
	struct id sessions[PLACES + 3];
	struct id elsewhere = session_in(78);
	int64_t issued = token_now();

	(void)state;
	fill(ended, sessions, PLACES);
	for (int i = 0; i < PLACES; i++)
		assert_int_equal(ended_look(ended, &sessions[i], issued),
		    ENDED_SURELY);
	assert_int_equal(ended_look(ended, &elsewhere, issued), ENDED_NOT);

	/* Who had to go is no longer known; nor, then, is anybody from before
	 * that time. */
	fill(ended, sessions + PLACES, 3);
	for (int i = 0; i < PLACES + 3; i++)
		assert_int_equal(ended_look(ended, &sessions[i], issued),
		    i < 3 ? ENDED_UNKNOWN : ENDED_SURELY);
	assert_int_equal(ended_look(ended, &elsewhere, issued), ENDED_UNKNOWN);
	assert_int_equal(ended_look(ended, &elsewhere, now_seconds() + 1),
	    ENDED_NOT);
	ended_free(ended);
}

/* Sessions whose tokens have all expired make room at no cost. */
static void
test_the_dead_are_forgotten(void **state)
{
	struct id sessions[PLACES + 1];
	struct id elsewhere = session_in(78);
	struct ended *ended = ended_new(0);
	int64_t issued = token_now();

	(void)state;
	fill(ended, sessions, PLACES + 1);
	assert_int_equal(ended_look(ended, &elsewhere, issued), ENDED_NOT);
	assert_int_equal(ended_look(ended, &sessions[PLACES], issued),
	    ENDED_SURELY);
	ended_free(ended);
}

/* Ended again and again, a session takes one place. */
static void
test_one_place_each(void **state)
{
	struct ended *ended = ended_new(TOKEN_SECONDS);
	struct id sessions[PLACES];
	int64_t issued = token_now();

	(void)state;
	fill(ended, sessions, PLACES);
	for (int i = 0; i < 100; i++)
		ended_add(ended, &sessions[i % PLACES]);
	for (int i = 0; i < PLACES; i++)
		assert_int_equal(ended_look(ended, &sessions[i], issued),
		    ENDED_SURELY);
	ended_free(ended);
}

/* What one child of several has added, for its parent to see. */
struct diary {
	_Atomic int count;
	struct {
		struct id session;
		int64_t issued;
	} entries[ADDS];
};

/* A child that adds its sessions, bucket by bucket, as often in each. */
static _Noreturn void
add_many(struct ended *ended, struct diary *diary, int buckets, int in_each)
{
	for (int i = 0; i < ADDS && i < buckets * in_each; i++) {
		diary->entries[i].session = session_in(i / in_each);
		diary->entries[i].issued = now_seconds();
		ended_add(ended, &diary->entries[i].session);
		atomic_store(&diary->count, i + 1);
	}
	_exit(0);
}

static void
start_children(struct ended *ended, struct diary *diaries, int buckets,
    int in_each, pid_t children[static CHILDREN])
{
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		assert_int_not_equal(children[i], -1);
		if (children[i] == 0)
			add_many(ended, &diaries[i], buckets, in_each);
	}
}

/* How many were added in all, once the children are gone, and how many of them
 * are known for sure; the others must be unknown. */
static int
read_diaries(const struct ended *ended, const struct diary *diaries,
    const pid_t children[static CHILDREN], int *known)
{
	enum ended_answer answer;
	int total = 0;

	for (int i = 0; i < CHILDREN; i++)
		assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
	*known = 0;
	for (int i = 0; i < CHILDREN; i++) {
		for (int j = 0; j < diaries[i].count; j++, total++) {
			answer =
			    ended_look(ended, &diaries[i].entries[j].session,
				diaries[i].entries[j].issued);
			assert_int_not_equal(answer, ENDED_NOT);
			*known += answer == ENDED_SURELY;
		}
	}
	return total;
}

static void
test_writers_do_not_undo_each_other(void **state)
{
	struct ended *ended = ended_new(TOKEN_SECONDS);
	struct diary *diaries = shared_new(CHILDREN * sizeof(*diaries));
	pid_t children[CHILDREN];
	int total, known;

	(void)state;
	assert_non_null(diaries);
	start_children(ended, diaries, BUCKETS, PLACES / CHILDREN, children);
	total = read_diaries(ended, diaries, children, &known);
	assert_int_equal(total, BUCKETS * PLACES);
	assert_int_equal(known, total);
	shared_free(diaries, CHILDREN * sizeof(*diaries));
	ended_free(ended);
}

static void
test_writers_may_die_at_any_moment(void **state)
{
	struct ended *ended = ended_new(TOKEN_SECONDS);
	struct diary *diaries = shared_new(CHILDREN * sizeof(*diaries));
	pid_t children[CHILDREN];
	int total, known;

	(void)state;
	assert_non_null(diaries);
	start_children(ended, diaries, 3, ADDS / 3, children);
	for (int i = 0; i < CHILDREN; i += 2) {
		usleep(2000);
		kill(children[i], SIGKILL);
	}
	total = read_diaries(ended, diaries, children, &known);
	assert_true(total > ADDS);
	assert_true(known > 2 * PLACES && known <= 3 * PLACES);
	shared_free(diaries, CHILDREN * sizeof(*diaries));
	ended_free(ended);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_what_it_was_told),
		cmocka_unit_test(test_what_was_before_is_unknown),
		cmocka_unit_test(test_nothing_is_judged_while_suspended),
		cmocka_unit_test(test_without_a_list),
		cmocka_unit_test(test_the_oldest_make_room),
		cmocka_unit_test(test_the_dead_are_forgotten),
		cmocka_unit_test(test_one_place_each),
		cmocka_unit_test(test_writers_do_not_undo_each_other),
		cmocka_unit_test(test_writers_may_die_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_board.c - what each worker shows the parent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/board.h"

static struct board *
new_board(int slots)
{
	const struct board_kind kind = { "1", 0 };
	struct board *board = board_new(&kind, slots, NULL, "");

	assert_non_null(board);
	return board;
}

static void
test_slots_begin_empty(void **state)
{
	struct board *board = new_board(3);

	(void)state;
	for (int slot = 0; slot < 3; slot++) {
		struct board_sight sight = board_look(board, slot);

		assert_int_equal(sight.state, BOARD_EMPTY);
		assert_int_equal(sight.requests, 0);
	}
	board_free(board);
	board_free(NULL);
}

static void
test_held_answers(void **state)
{
	struct board *board = new_board(3);

	(void)state;
	assert_int_equal(board_held(board), 0);
	board_assign(board, 0);
	board_holds(board, 0, 2);
	board_assign(board, 2);
	board_holds(board, 2, 3);
	assert_int_equal(board_look(board, 2).held, 3);
	assert_int_equal(board_held(board), 5);

	/* Who died holds nothing any more; nor does who comes next. */
	board_clear(board, 0);
	assert_int_equal(board_held(board), 3);
	board_assign(board, 2);
	assert_int_equal(board_held(board), 0);
	board_free(board);
}

static void
test_states(void **state)
{
	static const enum board_state states[] = { BOARD_STARTING, BOARD_IDLE,
		BOARD_BUSY, BOARD_LEAVING };
	struct board *board = new_board(2);
	int64_t before_ms;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct board_sight sight;

		before_ms = clock_steady_ms();
		board_set(board, 1, states[i]);
		sight = board_look(board, 1);
		assert_int_equal(sight.state, states[i]);
		assert_in_range(sight.since_ms, before_ms, clock_steady_ms());
		assert_int_equal(board_look(board, 0).state, BOARD_EMPTY);
	}
	board_free(board);
}

static void
test_counts(void **state)
{
	struct board *board = new_board(4);
	int counts[BOARD_STATES];

	(void)state;
	board_set(board, 0, BOARD_IDLE);
	board_set(board, 1, BOARD_BUSY);
	board_set(board, 3, BOARD_IDLE);
	board_count(board, counts);
	assert_int_equal(counts[BOARD_EMPTY], 1);
	assert_int_equal(counts[BOARD_STARTING], 0);
	assert_int_equal(counts[BOARD_IDLE], 2);
	assert_int_equal(counts[BOARD_BUSY], 1);
	assert_int_equal(counts[BOARD_LEAVING], 0);
	assert_string_equal(board_state_name(BOARD_BUSY), "busy");
	board_free(board);
}

/* What a child writes is what its parent reads; a new one begins at zero. */
static void
test_shared_with_a_child(void **state)
{
	struct board *board = new_board(1);
	int status;
	pid_t pid;

	(void)state;
	board_assign(board, 0);
	assert_int_equal(board_look(board, 0).state, BOARD_STARTING);
	pid = fork();
	if (pid == 0) {
		board_set(board, 0, BOARD_BUSY);
		board_served(board, 0);
		board_served(board, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(board_look(board, 0).state, BOARD_BUSY);
	assert_int_equal(board_look(board, 0).requests, 2);

	board_clear(board, 0);
	assert_int_equal(board_look(board, 0).state, BOARD_EMPTY);
	board_assign(board, 0);
	assert_int_equal(board_look(board, 0).requests, 0);
	board_free(board);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_begin_empty),
		cmocka_unit_test(test_held_answers),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_shared_with_a_child),
	};

	return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}

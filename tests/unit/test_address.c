/* test_address.c - IP addresses and lists of networks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct address
parse(const char *text)
{
	struct address address;

	if (address_parse(text, &address) != 0)
		fail_msg("\"%s\" is refused", text);
	return address;
}

static void
assert_same(const char *a, const char *b)
{
	struct address one = parse(a), other = parse(b);

	assert_memory_equal(&one, &other, sizeof(one));
}

static void
test_parse(void **state)
{
	static const char *const refused[] = { "", " ", "localhost", "192.0.2",
		"192.0.2.256", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1:80",
		"192.0.2.1/32", "0x7f.0.0.1", "127.1", "010.0.0.1", "::1%lo",
		"[::1]", "1::2::3", ":::", "::g" };
	struct address address;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (address_parse(refused[i], &address) == 0)
			fail_msg("\"%s\" is taken", refused[i]);
	assert_same("192.0.2.1", "::ffff:192.0.2.1");
	assert_same("192.0.2.1", "::ffff:c000:201");
	assert_same("2001:DB8:0:0::1", "2001:db8::1");
	address = parse("192.0.2.1");
	assert_true(address_is_ipv4(&address));
	address = parse("::ffff:192.0.2.1");
	assert_true(address_is_ipv4(&address));
	address = parse("::1");
	assert_false(address_is_ipv4(&address));
	address = parse("::192.0.2.1");
	assert_false(address_is_ipv4(&address));
}

static void
test_cut(void **state)
{
	static const struct {
		const char *address;
		unsigned bits;
		const char *network;
	} cuts[] = {
		{ "2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::" },
		{ "2001:db8:1:2:3:4:5:6", 63, "2001:db8:1:2::" },
		{ "2001:db8:1:3:3:4:5:6", 63, "2001:db8:1:2::" },
		{ "2001:db8:1:2:3:4:5:ff", 121, "2001:db8:1:2:3:4:5:80" },
		{ "2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6" },
		{ "2001:db8:1:2:3:4:5:6", 200, "2001:db8:1:2:3:4:5:6" },
		{ "ffff::", 0, "::" },
		{ "ffff::", 1, "8000::" },
		{ "192.0.2.255", 96 + 25, "192.0.2.128" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cuts); i++) {
		struct address cut = parse(cuts[i].address);
		struct address network = parse(cuts[i].network);

		address_cut(&cut, cuts[i].bits);
		assert_memory_equal(&cut, &network, sizeof(cut));
	}
}

static void
test_in_list(void **state)
{
	static const struct {
		const char *address, *list;
		bool in;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.0/8, ::1", true },
		{ "127.255.0.9", "127.0.0.0/8, ::1", true },
		{ "128.0.0.1", "127.0.0.0/8, ::1", false },
		{ "::1", "127.0.0.0/8, ::1", true },
		{ "::2", "127.0.0.0/8, ::1", false },
		/* One address, written in two ways. */
		{ "::ffff:127.0.0.1", "127.0.0.0/8", true },
		{ "127.0.0.1", "::ffff:127.0.0.0/104", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.8", "192.0.2.7", false },
		{ "192.0.2.8", "0.0.0.0/0", true },
		{ "2001:db8::1", "0.0.0.0/0", false },
		{ "2001:db8::1", "::/0", true },
		{ "2001:db8:8000::1", "2001:db8:8000::/33", true },
		{ "2001:db8:7fff::1", "2001:db8:8000::/33", false },
		{ "192.0.2.7", "", false },
		{ "192.0.2.7", ",,", false },
		/* What is malformed holds nobody. */
		{ "192.0.2.7", "192.0.2.0/33", false },
		{ "192.0.2.7", "192.0.2.0/", false },
		{ "192.0.2.7", "all", false },
		{ "192.0.2.7", "all, 192.0.2.0/24", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parse(cases[i].address);

		if (address_in_list(&address, cases[i].list) != cases[i].in)
			fail_msg("%s in \"%s\"", cases[i].address,
			    cases[i].list);
	}
}

static void
test_valid_lists(void **state)
{
	static const char *const valid[] = { "", "127.0.0.1", "::1",
		"127.0.0.0/8, ::1/128", "0.0.0.0/0,::/0", "192.0.2.7/32",
		"::ffff:255.255.255.255/128",
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128" };
	static const char *const invalid[] = { "localhost", "127.0.0.0/33",
		"::/129", "127.0.0.0/-1", "127.0.0.0/8x", "127.0.0.0/", "/8",
		"127.0.0.0/8/8", "127.0.0.1 ::1", "::1, x", "127.0.0.0/0008",
		"127.0.0.0/4294967304",
		/* Meant as a network, or as an address? */
		"127.0.0.1/8", "2001:db8::1/32",
		"fffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128000" };

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		if (!address_list_is_valid(valid[i]))
			fail_msg("\"%s\" is refused", valid[i]);
	for (size_t i = 0; i < COUNT(invalid); i++)
		if (address_list_is_valid(invalid[i]))
			fail_msg("\"%s\" is taken", invalid[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_in_list),
		cmocka_unit_test(test_valid_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
